"""CREATE KEY and CHANGE KEY: how a PSAM's roots come into its key files and are replaced there (part 9).
[T: part9:9.5, part9:9.6]"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.crypto import SUITES, Suite
from emulator.filesystem.layouts.paths import PsamKey
from emulator.filesystem.layouts.specs import KeySpec, Layout
from emulator.filesystem.layouts.terms import CardKind, KeyUse
from emulator.filesystem.memory.cells import KEY_SIZE, key_cell
from emulator.messages import because

FILES = {
    0x11: (range(0x00, 0x10), range(0x20, 0x40)),
    0x12: (range(0x10, 0x18), range(0x40, 0x80)),
    0x13: (range(0x18, 0x20), range(0x80, 0xC0)),
}
"""The national, provincial and city key file, and the ids of the keys in each. [T: part9:table A1]"""
TRIPLE_DES, SM4 = 0x00, 0x03
"""Algorithms of a key record: 00 Triple DES [T: part9:6.1]; SM4 by its number in the FCI [D]. Not here: 01 DES, 02
SSF33."""
REPLACES = 0x01
"""P1 of CHANGE KEY, which shares CLA and INS with CREATE KEY."""
ALGORITHMS = {TRIPLE_DES: "3des", SM4: "sm4"}


class _KeyFile(Instruction):
    """What both share: a key file in P2, its update right, cipher and MAC under the application's main control key."""

    cla = 0x84
    ins = 0xD4
    by_p1 = True
    cards = (CardKind.PSAM,)
    protected = True
    secret = True
    writes = True
    status = (
        0x6581, 0x6700, 0x6982, 0x6983, 0x6984, 0x6985, 0x6988, 0x6A80, 0x6A81, 0x6A82, 0x6A83, 0x6A84, 0x6A86, 0x6A88,
    )  # fmt: skip
    head: ClassVar[int]
    """Bytes of the key information before the key."""

    __slots__ = ()

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where the layout says who may write key files."""
        return layout.card in cls.cards and bool(layout.key_files)

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The main control key, once the key file's own right was won; 6A82, 6982, 6A88."""
        here = card.session.directory
        condition = card.layout.key_files.get(f"{here.spec.id}/00{command.p2:02X}")
        if condition is None:
            raise CardError(SW.FILE_NOT_FOUND, f"{here.spec.id} has no key file 00{command.p2:02X}")
        card.need(condition, because(f"{cls.name} in key file 00{command.p2:02X}"))
        return card.messaging_key()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:  # noqa: ARG003
        """True: key information never comes in the clear."""
        return True

    @classmethod
    def split(cls, file: int, information: bytes) -> tuple[int, int, bytes, bytes]:
        """Usage, id, the rest of the head, the key; 6A80 for an id of another file or no key of 16 bytes."""
        head, value = information[: cls.head], information[cls.head :]
        if len(value) != KEY_SIZE:
            raise CardError(
                SW.WRONG_DATA, f"expected {cls.head} bytes and a key of {KEY_SIZE}, {len(information)} came"
            )
        usage, identifier = head[:2]
        if not any(identifier in ids for ids in FILES.get(file, ())):
            raise CardError(SW.WRONG_DATA, f"key {identifier:02X} does not belong into key file 00{file:02X}")
        return usage, identifier, head[2:], value

    @staticmethod
    def place(card: CardState, usage: int, identifier: int, missing: SW) -> KeySpec:
        """The root that has this usage and id, from the current DF up."""
        wanted = PsamKey(usage, identifier)
        for directory in card.session.directory.line():
            for spec in directory.keys:
                if spec.use is KeyUse.DELIVERY and spec.psam == wanted:
                    return spec
        raise CardError(missing, f"this layout has no room for a key {wanted}")


@dataclass(slots=True)
class CreateKey(_KeyFile):
    """Writes a root that is not there yet: usage, id (a purchase key's version), 00, algorithm, 00000000, key."""

    name = "CREATE KEY"
    name_zh = "创建密钥"
    source = "[T: part9:9.5]"
    p1p2 = {number: f"key file 00{number:02X}" for number in FILES}
    lengths = frozenset({28, 36})
    head = 8

    file: int
    information: bytes

    @classmethod
    def command(cls, file: int, usage: int, identifier: int, algorithm: int, key: bytes) -> CommandAPDU:
        """To be sealed with cipher and MAC. ``file``: the last byte of the key file's id; ``algorithm``: as in
        ``ALGORITHMS``.
        """
        return cls.apdu(bytes((usage, identifier, 0, algorithm)) + bytes(4) + key, file)

    @classmethod
    def parse(cls, command: CommandAPDU) -> CreateKey:
        """The key file from P2, and the deciphered key information."""
        return cls(command.p2, command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80, 6A81 for an algorithm that is not here, 6A84 without room, 6985
        for a key that is there.
        """
        if len(self.information) == self.head + KEY_SIZE // 2:
            raise CardError(SW.FUNCTION_NOT_SUPPORTED, "this PSAM keeps no keys of 8 bytes")
        usage, identifier, rest, value = self.split(self.file, self.information)
        if rest[0] or any(rest[2:]):
            raise CardError(SW.WRONG_DATA, "expected 00 after the id, and 00000000 after the algorithm")
        suite = self._suite(card, rest[1])
        spec = self.place(card, usage, identifier, SW.NO_SPACE)
        cell = key_cell(spec.name, suite.code)
        if card.memory.get(cell) is not None:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{spec.name} is there: CHANGE KEY replaces it")
        card.memory.put(cell, value)
        return b""

    @staticmethod
    def _suite(card: CardState, algorithm: int) -> Suite:
        name = ALGORITHMS.get(algorithm, "")
        if name not in card.layout.algorithms:
            raise CardError(SW.FUNCTION_NOT_SUPPORTED, f"this PSAM has no algorithm {algorithm:02X}")
        return SUITES[name]


@dataclass(slots=True)
class ChangeKey(_KeyFile):
    """Replaces a root of the environment's algorithm [D]: usage, id (a purchase key's version), 00, key."""

    name = "CHANGE KEY"
    name_zh = "修改密钥"
    source = "[T: part9:9.6]"
    p1p2 = {REPLACES << 8 | number: f"key file 00{number:02X}" for number in FILES}
    lengths = frozenset({20, 28, 36})
    head = 3

    file: int
    information: bytes

    @classmethod
    def command(cls, file: int, usage: int, identifier: int, key: bytes) -> CommandAPDU:
        """To be sealed with cipher and MAC. ``file``: the last byte of the key file's id."""
        return cls.apdu(bytes((usage, identifier, 0)) + key, REPLACES << 8 | file)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ChangeKey:
        """The key file from P2, and the deciphered key information."""
        return cls(command.p2, command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A80, 6A83 for a key that is not there, 6A81 for one of 8 bytes."""
        if len(self.information) == self.head + KEY_SIZE // 2:
            raise CardError(SW.FUNCTION_NOT_SUPPORTED, "this PSAM keeps no keys of 8 bytes")
        usage, identifier, rest, value = self.split(self.file, self.information)
        if any(rest):
            raise CardError(SW.WRONG_DATA, "expected 00 after the id")
        spec = self.place(card, usage, identifier, SW.RECORD_NOT_FOUND)
        cell = key_cell(spec.name, card.suite.code)
        if card.memory.get(cell) is None:
            raise CardError(SW.RECORD_NOT_FOUND, f"{spec.name} is not there: CREATE KEY writes it")
        card.memory.put(cell, value)
        return b""


KEY_COMMANDS = (CreateKey, ChangeKey)
