"""The key pair of the certificate application: made on the card, its public half given out."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import ber
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import check_declared
from emulator.apdu.instructions.certificate import CertificateInstruction, fields, unavailable
from emulator.apdu.lengths import exact
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import sm2
from emulator.filesystem.layouts.specs import ApplicationSpec, CertificateSpec, Layout
from emulator.filesystem.memory.cells import file_cell
from emulator.messages import because
from emulator.security import Condition

PUBLIC, PRIVATE = 0xC0, 0xC2
"""Tags of the file ids that name a key pair."""
NAMED = 8
"""Bytes of the two objects that name it."""
NAMES, FETCHES = 0x8200, 0x8280
"""P1 P2 of EXPORT PUBLIC KEY."""


def named(public: int, private: int) -> bytes:
    """The two objects, of these file ids."""
    return b"".join(ber.build(tag, fid.to_bytes(2, "big")) for tag, fid in ((PUBLIC, public), (PRIVATE, private)))


def check_files(card: CardState, spec: CertificateSpec, data: bytes) -> None:
    """That the data name the files of the card's key pair; 6A80 for other data, 6A82 for other files."""
    for path, fid in zip((spec.public, spec.private), fields(data, PUBLIC, PRIVATE), strict=True):
        if fid != card.layout.files[path].fid.to_bytes(2, "big"):
            raise CardError(SW.FILE_NOT_FOUND, f"{fid.hex().upper()} is no file of a key pair, expected {path}'s")


@dataclass(slots=True)
class GenerateKeyPair(CertificateInstruction):
    """Makes a key pair of SM2 on the card, in place of the one that was there. The private key never leaves."""

    name = "GENERATE KEY PAIR"
    name_zh = "生成密钥对"
    cla = 0x80
    ins = 0x40
    source = "two public programs [S: prog-z390, prog-t10-certificates]; status words [D]"
    p1p2 = {0x0000: "SM2"}
    lengths = frozenset({NAMED})
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A80, 0x6A81, 0x6A82, 0x6A86, 0x9303)
    writes = True

    data: bytes

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What a new key pair asks for: the user's PIN."""
        return layout.certificate.generate if layout.certificate is not None else None

    @classmethod
    def command(cls, public: int, private: int) -> CommandAPDU:
        """The ids of the public and the private key's file."""
        return cls.apdu(named(public, private))

    @classmethod
    def parse(cls, command: CommandAPDU) -> GenerateKeyPair:
        """Objects C0 and C2: the ids of the public and the private key's file."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. Raises CardError 6982 without the user's PIN, 6985 elsewhere, 6A80 and 6A82 for data that
        name no key pair, 6A81 without a library for SM2.
        """
        spec = self.home(card)
        self.permit(card)
        check_files(card, spec, self.data)
        try:
            private, public = sm2.key_pair(card.random)
        except sm2.Unavailable as error:
            raise unavailable(error) from None
        for path, content in ((spec.public, spec.header + public), (spec.private, private)):
            size = card.layout.files[path].size
            card.memory.put(file_cell(path), (content.ljust(size, b"\0"),))
        return b""


@dataclass(slots=True)
class ExportPublicKey(CertificateInstruction):
    """Gives the public key as its file holds it: one command names the pair, the next one fetches."""

    name = "EXPORT PUBLIC KEY"
    name_zh = "导出公钥"
    cla = 0x80
    ins = 0xC9
    source = "two public programs [S: prog-z390, prog-t10-certificates]; status words, and that it needs no right [D]"
    p1p2 = {NAMES: "names the key pair", FETCHES: "fetches the public key"}
    lengths = frozenset({0, NAMED})
    answers = "public key as in its file, 66 bytes"
    fresh_answer = True
    status = (0x6700, 0x6985, 0x6A80, 0x6A81, 0x6A82, 0x6A86, 0x6C00, 0x9303)

    fetches: bool
    data: bytes
    le: int | None

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """The two file ids to name the pair, no data to fetch."""
        check_declared(cls, command)
        fetches = bool(command.p2 & 0x80)
        if fetches == bool(command.data):
            expected = because("none to fetch the key" if fetches else f"{NAMED} to name the key pair")
            raise CardError(SW.WRONG_LENGTH, f"{len(command.data)} bytes of data came, expected {expected}")

    @classmethod
    def command(cls, public: int, private: int) -> CommandAPDU:
        """Names the key pair by the ids of its files; ``fetch`` comes next."""
        return cls.apdu(named(public, private), NAMES)

    @classmethod
    def fetch(cls, le: int = 0) -> CommandAPDU:
        """Fetches the key of the pair that was named."""
        return cls.apdu(p1p2=FETCHES, le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ExportPublicKey:
        """From P2, the data and Le."""
        return cls(bool(command.p2 & 0x80), command.data, command.le)

    def execute(self, card: CardState) -> bytes:
        """Returns the key when it is fetched. Raises CardError 6985 elsewhere and for a fetch with no pair named
        before, 6A80 and 6A82 for data that name none, 6Cxx.
        """
        spec = self.home(card)
        if not self.fetches:
            check_files(card, spec, self.data)
            card.session.exporting = True
            return b""
        if not card.session.exporting:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "no key pair was named: the form with P2 00 comes first")
        key = card.memory.records(spec.public)[0][: len(spec.header) + 2 * sm2.SIZE]
        exact(self.le, key)
        card.session.exporting = False
        return key
