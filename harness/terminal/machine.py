"""The encryption machine (加密机): holds the roots, addressed by key, region and card, and answers terminals' requests.

No key ever leaves it: not in an answer, not in an error's text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.crypto import SUITES, Suite
from emulator.crypto.keys import test_root
from emulator.filesystem import layout as layouts
from emulator.filesystem.files import messaging_of
from emulator.filesystem.specs import KeySpec
from harness.terminal.keeper import Roots, Use

LAYOUT = "3.00"
READ_KEY, INTERNAL_KEY = "RKSSSE", "IRK"
HISTORY, BLOCK = 13, 8
FIELDS = 9
RELOAD, UNBLOCK = "84240001", "84240000"
LONGEST_LINE = 512
LONGEST_TERMINAL = 32


class MachineError(ValueError):
    """A request that the machine refuses: ``kind`` for programs, the text for people."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Card:
    """The card that a request is for: region of six digits, historical bytes, algorithm."""

    region: str
    chip: bytes
    suite: Suite


class EncryptionMachine:
    """Holds a root for every key that has an address, and IRK. ``province``: the first two digits of its regions.

    ``root`` gives a root by name and version.
    """

    def __init__(self, root: Callable[[str, int], bytes] = test_root, *, province: str = "51") -> None:
        self._roots = Roots(root)
        self._layout = layouts.load(LAYOUT)
        self._province = province
        self._by_address = {key.hsm: key for key in self._layout.keys.values() if key.hsm}

    @property
    def addresses(self) -> dict[str, str]:
        """Address to the key's name."""
        return {address: key.name for address, key in sorted(self._by_address.items())}

    # --- requests --------------------------------------------------------------------------------------------------

    def basic(self, line: str) -> str:
        """Reading basic information: ``region|historical bytes|algorithm|identification code|internal factor|internal
        data|external factor|external data|terminal|`` gives ``cryptogram ‖ data|cryptogram ‖ data|``. [S] MachineError.
        """
        if len(line) > LONGEST_LINE or not line.endswith("|"):
            raise MachineError("input", f"expected a line of up to {LONGEST_LINE} characters, ended by |")
        parts = line.split("|")[:-1]
        if len(parts) != FIELDS:
            raise MachineError("input", f"expected {FIELDS} fields, found {len(parts)}")
        region, history, algorithm, identification, *randoms, terminal = parts
        card = self.card(region, history, algorithm)
        if len(terminal) > LONGEST_TERMINAL:
            raise MachineError(
                "input", f"terminal: expected up to {LONGEST_TERMINAL} characters, found {len(terminal)}"
            )
        if _bytes("identification code", identification, 16)[:3].hex() != region:
            raise MachineError("region", "the identification code is of another region than the request")
        names = ("internal factor", "internal data", "external factor", "external data")
        one, two, three, four = (_bytes(name, text, BLOCK) for name, text in zip(names, randoms, strict=True))
        told = (self._proof(self._layout.keys[INTERNAL_KEY], card, one, two),
                self._proof(self._layout.keys[READ_KEY], card, three, four))  # fmt: skip
        return "".join(f"{proof.hex().upper()}|" for proof in told)

    def external(self, address: str, card: Card, factor: str, data: str, *, levels: int | None = None) -> str:
        """What EXTERNAL AUTHENTICATION takes: cryptogram ‖ data, 32 hex digits. [S] MachineError."""
        key = self.key(address, levels)
        return self._proof(key, card, _bytes("factor", factor, BLOCK), _bytes("data", data, BLOCK)).hex().upper()

    def pin(self, address: str, card: Card, factor: str, header: str, pin: str = "", *, whole: bool = False) -> str:
        """What PIN CHANGE/UNBLOCK takes under a key: its data and MAC, or the ``whole`` command. [S] MachineError.

        ``header``: ``84240001`` and Lc for a new PIN, ``84240000`` and Lc to unblock.
        """
        key = self.key(address)
        if header[:8].upper() not in (RELOAD, UNBLOCK) or len(header) != 10:
            raise MachineError(
                "input", f"header: expected {RELOAD} or {UNBLOCK} and Lc, found {len(header)} characters"
            )
        new = header[:8].upper() == RELOAD
        if new != bool(pin) or not (pin.isascii() and (pin.isdigit() or not pin)) or (new and not 4 <= len(pin) <= 12):
            raise MachineError("input", "pin: expected 4 to 12 digits to reload, none to unblock")
        data = bytes.fromhex(pin + "F" * (len(pin) % 2))
        use = self._use(key, card, _bytes("factor", factor, BLOCK))
        cla, ins, p1, p2 = bytes.fromhex(header[:8])
        sealed = bytes(self._roots.seal(use, CommandAPDU(cla, ins, p1, p2, data), enciphered=new))
        if not whole and header[8:].upper() != f"{sealed[4]:02X}":
            raise MachineError("input", f"header: Lc is {header[8:]}, {sealed[4]:02X} is right for {card.suite.name}")
        return (sealed if whole else sealed[5:]).hex().upper()

    # --- what requests name ----------------------------------------------------------------------------------------

    def card(self, region: str, history: str, algorithm: str) -> Card:
        """The card of a request: region, 26 hex digits of historical bytes, algorithm 01 or 03. MachineError."""
        if not (len(region) == 6 and region.isascii() and region.isdigit()):
            raise MachineError("input", "region: expected six digits")
        if not region.startswith(self._province):
            raise MachineError("region", f"region {region} is unknown: this machine serves {self._province}0000")
        suite = next((one for one in SUITES.values() if f"{one.code:02d}" == algorithm), None)
        if suite is None:
            raise MachineError("algorithm", "algorithm: expected 01 (3DES) or 03 (SM4)")
        return Card(region, _bytes("historical bytes", history, HISTORY)[-BLOCK:], suite)

    def key(self, address: str, levels: int | None = None) -> KeySpec:
        """The key at an address; MachineError where there is none, or it has another number of levels."""
        key = self._by_address.get(address.upper())
        if key is None:
            raise MachineError("address", f"no key at address {address[:8]!r}")
        if levels is not None and levels != key.levels:
            raise MachineError("level", f"the key at {address} has {key.levels} levels, not {levels}")
        return key

    def _use(self, key: KeySpec, card: Card, factor: bytes) -> Use:
        scheme, _ = messaging_of(self._layout, key.application)
        return Use(key, card.suite, scheme, card.region, card.chip, factor)

    def _proof(self, key: KeySpec, card: Card, factor: bytes, data: bytes) -> bytes:
        return self._roots.cryptogram(self._use(key, card, factor), data) + data


def _bytes(name: str, text: str, size: int) -> bytes:
    """Hex of so many bytes; the text itself is never quoted."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != size:
        raise MachineError("input", f"{name}: expected {2 * size} hex digits, found {len(text)} characters")
    return value
