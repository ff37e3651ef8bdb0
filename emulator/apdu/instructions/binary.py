"""READ BINARY and UPDATE BINARY, on transparent files."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction, check_declared, wrong_p1p2
from emulator.apdu.instructions.touched import FileNamed
from emulator.apdu.lengths import exact, most
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import FileSpec, KeySpec
from emulator.filesystem.layouts.terms import Addressing, CardKind, Messaging, Structure
from emulator.filesystem.memory.cells import file_cell
from emulator.messages import _

WITH_SFI = 0x80
"""Bit 8 of P1: its low five bits are an SFI."""


def check_address(command: CommandAPDU) -> None:
    """With bit 8 of P1 an SFI in its low five bits, 01 to 1E; 6A86."""
    if command.p1 & WITH_SFI and (command.p1 & 0x60 or command.p1 & 0x1F in (0, 31)):
        raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", "80 and an SFI from 01 to 1E, or an offset, in P1")


def address(command: CommandAPDU) -> tuple[int, int]:
    """SFI (0: the current EF) and offset."""
    if command.p1 & WITH_SFI:
        return command.p1 & 0x1F, command.p2
    return 0, command.p1 << 8 | command.p2


def addressed(sfi: int, offset: int) -> int:
    """P1 P2 of an offset in a file; ValueError for an offset that does not go with an SFI, or with none."""
    if not 0 <= offset < (0x100 if sfi else 0x8000):
        last = 0xFF if sfi else 0x7FFF
        raise ValueError(_("an offset goes to {last} here, found {offset}").format(last=last, offset=offset))
    return (WITH_SFI | sfi) << 8 | offset if sfi else offset


def describe(command: CommandAPDU) -> str:
    """P1 P2 of a binary command in words."""
    sfi, offset = address(command)
    where = f"SFI {sfi:02X}" if sfi else _("current EF")
    return _("{where}, offset {offset}").format(where=where, offset=offset)


def opened(card: CardState, sfi: int) -> FileSpec:
    """The addressed file, which must be transparent; 6981."""
    spec = card.file(sfi)
    if spec.structure is not Structure.TRANSPARENT:
        raise CardError(SW.COMMAND_INCOMPATIBLE, f"{spec.path} holds records")
    return spec


def check_offset(spec: FileSpec, offset: int) -> None:
    """Raises CardError 6B00 if the offset is beyond the end of the file."""
    if offset >= spec.size:
        raise CardError(SW.WRONG_OFFSET, f"offset {offset} in {spec.path}, which has {spec.size} bytes")


@dataclass(slots=True)
class ReadBinary(Instruction):
    """Gives bytes of a transparent file; Le 00 gives up to 256. [T: part5:6.9]"""

    name = "READ BINARY"
    name_zh = "读二进制"
    cla = 0x00
    ins = 0xB0
    source = "with a MAC [D]; [T: part5:6.9]"
    answers = "bytes of the file"
    status = (0x6981, 0x6982, 0x6986, 0x6987, 0x6988, 0x6A81, 0x6A82, 0x6A86, 0x6B00, 0x6C00, 0x9303)
    before_activation = True
    cards = (CardKind.USER, CardKind.PSAM)
    secured = (0x04, 0x84)

    sfi: int
    offset: int
    le: int | None
    messaging: Messaging = Messaging.NONE

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """An SFI or an offset, no data."""
        check_address(command)
        check_declared(cls, command)

    @classmethod
    def touches(cls, command: CommandAPDU) -> FileNamed:
        """Returns the file that P1 names by its SFI, or the current one."""
        return FileNamed(address(command)[0])

    @classmethod
    def way(cls, card: CardState, command: CommandAPDU) -> Addressing:  # noqa: ARG003
        """By SFI or in the current EF."""
        return Addressing.BINARY_SFI if command.p1 & WITH_SFI else Addressing.BINARY_CURRENT

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The DF's messaging key, for those who may read; 6982."""
        card.right_to_read(card.file(address(command)[0]))
        return card.messaging_key()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:
        """The answer is, where the file demands it."""
        return card.file(address(command)[0]).read_messaging is Messaging.CIPHER

    @classmethod
    def command(cls, sfi: int = 0, offset: int = 0, le: int = 0) -> CommandAPDU:
        """So many bytes from an offset, 0 for up to 256. SFI 0: the current EF; only there may an offset exceed 255."""
        return cls.apdu(p1p2=addressed(sfi, offset), le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ReadBinary:
        """Returns the instruction: file and offset from P1 P2, the number of bytes from Le."""
        return cls(*address(command), command.le, command.messaging)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """File and offset."""
        return describe(command)

    def execute(self, card: CardState) -> bytes:
        """The bytes; 6Cxx where fewer are left than asked for."""
        spec = opened(card, self.sfi)
        card.may_read(spec, self.messaging)
        check_offset(spec, self.offset)
        (content,) = card.memory.records(spec.path)
        data = content[self.offset : self.offset + most(self.le)]
        if self.le:
            exact(self.le, data)
        if self.sfi:
            card.session.open(spec)
        return data


@dataclass(slots=True)
class UpdateBinary(Instruction):
    """Writes bytes of a transparent file in place."""

    name = "UPDATE BINARY"
    name_zh = "修改二进制"
    cla = 0x00
    ins = 0xD6
    source = "[T: part5:6.12]"
    lengths = frozenset(range(1, 256))
    status = (0x6581, 0x6700, 0x6981, 0x6982, 0x6984, 0x6986, 0x6987, 0x6988, 0x6A81, 0x6A82, 0x6A86, 0x6B00, 0x9303)
    before_activation = True
    cards = (CardKind.USER, CardKind.PSAM)
    secured = (0x04, 0x84)
    writes = True

    sfi: int
    offset: int
    data: bytes
    messaging: Messaging = Messaging.NONE

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """An SFI or an offset, and data."""
        check_address(command)
        check_declared(cls, command)

    @classmethod
    def touches(cls, command: CommandAPDU) -> FileNamed:
        """Returns the file that P1 names by its SFI, or the current one."""
        return FileNamed(address(command)[0])

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The DF's messaging key, for those who may update; 6982."""
        card.right_to_update(card.file(address(command)[0]))
        return card.messaging_key()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:
        """The data are, where the file demands it."""
        return card.file(address(command)[0]).update_messaging is Messaging.CIPHER

    @classmethod
    def command(cls, data: bytes, sfi: int = 0, offset: int = 0) -> CommandAPDU:
        """Data for an offset. SFI 0: the current EF; only there may an offset exceed 255."""
        return cls.apdu(data, addressed(sfi, offset))

    @classmethod
    def parse(cls, command: CommandAPDU) -> UpdateBinary:
        """From P1, P2 and the data."""
        return cls(*address(command), command.data, command.messaging)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """File and offset."""
        return describe(command)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6B00 for an offset, 6700 for data beyond the end. [P]"""
        spec = opened(card, self.sfi)
        card.may_update(spec, self.messaging)
        check_offset(spec, self.offset)
        end = self.offset + len(self.data)
        if end > spec.size:
            raise CardError(SW.WRONG_LENGTH, f"{spec.path} ends {end - spec.size} bytes before the data do")
        (content,) = card.memory.records(spec.path)
        card.memory.put(file_cell(spec.path), (content[: self.offset] + self.data + content[end:],))
        if self.sfi:
            card.session.open(spec)
        return b""
