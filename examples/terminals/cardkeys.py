"""Who computes for the terminal: root keys from a file of test keys, or its own card (PSAM) in another reader."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from cardlink import Ask, Broken, Command, Failed

TRIPLE_DES, SM4_SUITE = 1, 3
"""The card's algorithm, as the FCI of its environment names it."""


@dataclass(frozen=True)
class Key:
    """A key of the card: its P2 in authentications, how many levels its root is diversified by, where a PSAM has it."""

    identifier: int
    levels: int
    usage: int
    psam: int


KEYS = {
    "IRK": Key(0x00, 3, 0x67, 0x08),
    "RKSSSE": Key(0x0A, 2, 0x47, 0x0A),
    "UK4DF01": Key(0x86, 2, 0x47, 0x25),
    "UK1DF03": Key(0x86, 2, 0x48, 0x47),
    "UK3DF03": Key(0x88, 2, 0x48, 0x48),
    "UK4DF03": Key(0x89, 2, 0x48, 0x37),
    "UK5DF03": Key(0x8A, 2, 0x48, 0x38),
    "UK1DF04": Key(0x85, 2, 0x48, 0x49),
}
"""By the names that the card's specification has for them."""


@dataclass(frozen=True)
class Target:
    """The card that is computed for: algorithm, the six digits of its region, the last 8 bytes of its ATR."""

    algorithm: int
    region: str
    chip: bytes

    @property
    def factors(self) -> list[bytes]:
        """Province, city, card, as roots are diversified."""
        return [self.region[:2].encode() + b"0000sh", self.region.encode() + b"sx", self.chip]


class Cryptograms(Protocol):
    """Makes the cryptograms of authentications."""

    def begin(self, identification: bytes) -> None:
        """Turns to the card with this identification code. Failed."""

    def cryptogram(self, target: Target, name: str, factor: bytes, data: bytes) -> bytes:
        """8 bytes over 8 bytes of data, under the card's key of this name and a process factor. Failed."""


def _ecb(algorithm: int, key: bytes, blocks: bytes) -> bytes:
    if algorithm == SM4_SUITE:
        return Cipher(SM4(key), modes.ECB()).encryptor().update(blocks)
    return Cipher(TripleDES(key * 3 if len(key) == 8 else key + key[:8]), modes.ECB()).encryptor().update(blocks)


def _folded(block: bytes) -> bytes:
    """8 bytes as they are; of 16 the left half XOR the right."""
    return block if len(block) == 8 else bytes(one ^ other for one, other in zip(block[:8], block[8:], strict=True))


class RootKeys:
    """Root keys in a file: fit for test keys alone, as whoever has them can make every card's."""

    def __init__(self, path: Path) -> None:
        """Failed where the file is not one of keys."""
        try:
            table = tomllib.loads(path.read_text("utf-8"))["roots"]
            self._roots = {name: bytes.fromhex(table[name]) for name in KEYS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Failed(f"{path}: not a file of test keys: {error}") from None

    def begin(self, identification: bytes) -> None:
        """Nothing: roots are for every card."""

    def cryptogram(self, target: Target, name: str, factor: bytes, data: bytes) -> bytes:
        """See ``Cryptograms``."""
        key = self._roots[name]
        for one in target.factors[3 - KEYS[name].levels :]:
            key = _ecb(target.algorithm, key, one + bytes(byte ^ 0xFF for byte in one))
        block = 16 if target.algorithm == SM4_SUITE else 8
        process = _ecb(target.algorithm, key, factor.ljust(block, b"\0"))
        return _folded(_ecb(target.algorithm, process, data.ljust(block, b"\0")))


class Psam:
    """The terminal's own card: it makes the card's key (DELIVERY KEY), and computes under it (CIPHER DATA)."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def begin(self, identification: bytes) -> None:
        """Turns it to the environment that goes with the card. Refused."""
        self._ask(Command("BFEC0000", identification[:1]), "PSAM, environment")
        fci = self._ask(Command("00A40400", bytes.fromhex("D15600000590")), "PSAM, application")
        if fci[:1] != b"\x6f":
            raise Broken("PSAM, application: no FCI")

    def cryptogram(self, target: Target, name: str, factor: bytes, data: bytes) -> bytes:
        """See ``Cryptograms``."""
        key = KEYS[name]
        block = 16 if target.algorithm == SM4_SUITE else 8
        chain = b"".join(target.factors[::-1][: key.levels]) + factor.ljust(block, b"\0")
        self._ask(Command(f"BFDE{key.usage:02X}{key.psam:02X}", chain), f"PSAM, key {name}")
        made = self._ask(Command("80FA0000", data.ljust(block, b"\0")), f"PSAM, cryptogram under {name}")
        if len(made) != block:
            raise Broken(f"PSAM, cryptogram under {name}: {len(made)} bytes")
        return _folded(made)
