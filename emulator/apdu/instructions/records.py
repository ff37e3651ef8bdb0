"""READ RECORD and UPDATE RECORD, in all the ways a record can be addressed."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction, check_declared, wrong_p1p2
from emulator.apdu.instructions.touched import Content, FileNamed
from emulator.apdu.lengths import WHOLE, WHOLE_SECURED, exact
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import FileSpec, KeySpec
from emulator.filesystem.layouts.terms import Addressing, CardKind, Messaging, Structure
from emulator.filesystem.memory.cells import file_cell
from emulator.messages import _, deferred

FIRST, LAST, NEXT, PREVIOUS, THIS, TO_LAST, FROM_LAST = range(7)
MODES = {
    FIRST: deferred("first with tag"),
    LAST: deferred("last with tag"),
    NEXT: deferred("next with tag"),
    PREVIOUS: deferred("previous with tag"),
    THIS: deferred("number"),
    TO_LAST: deferred("from number to the last"),
    FROM_LAST: deferred("from the last to number"),
}
OTHER_WAYS = {
    LAST: Addressing.LAST,
    NEXT: Addressing.NEXT,
    PREVIOUS: Addressing.PREVIOUS,
    TO_LAST: Addressing.TO_LAST,
    FROM_LAST: Addressing.FROM_LAST,
}
RESERVED = deferred("reserved")
READ_MODES, UPDATE_MODES = range(FROM_LAST + 1), range(THIS + 1)
TRANSPARENT = Structure.TRANSPARENT
"""Every command asks for it, and an enum finds its member slowly."""
Records = tuple[bytes, ...]


def describe(command: CommandAPDU) -> str:
    """P1 P2 of a record command in words."""
    sfi, mode = command.p2 >> 3, command.p2 & 7
    where = f"SFI {sfi:02X}" if sfi else _("current EF")
    return f"{where}, {_(MODES.get(mode, RESERVED))} {command.p1:02X}"


def addressed(sfi: int, number: int | None, tag: int, mode: int | None) -> int:
    """P1 P2 of a record by its number, or by its tag; ValueError for both, and for a mode that does not go with it."""
    if mode is None:
        mode = FIRST if number is None else THIS
    if (mode < THIS) != (number is None) or (tag and number is not None):
        raise ValueError(
            _("a record is named by its number or by its tag, not by both; mode {mode} is {meaning}").format(
                mode=mode, meaning=_(MODES[mode])
            )
        )
    return (tag if number is None else number) << 8 | sfi << 3 | mode


def named(command: CommandAPDU, written: bytes = b"") -> FileNamed:
    """The file, and of its records the one with a tag or of a number."""
    sfi, mode = command.p2 >> 3, command.p2 & 7
    return FileNamed(sfi, command.p1 if mode < THIS else 0, command.p1 if mode == THIS else 0, written)


def check_address(command: CommandAPDU, modes: range) -> None:
    """P2's mode and SFI, P1's number; 6A86."""
    mode = command.p2 & 7
    if mode not in modes or command.p2 >> 3 == 31:
        least, most = modes[0], modes[-1]
        raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", f"SFI 0 to 30 and mode {least} to {most} in P2")
    if mode >= THIS and command.p1 == 0xFF:
        raise wrong_p1p2(f"{command.p1:02X}{command.p2:02X}", "a record number 01 to FE, or 00")


def locate(records: Records, current: int, mode: int, tag: int, *, tagged: bool) -> int:
    """The number of the record that a tag mode means, 0 for none. Tag 00 means any. [P]

    Next and previous count from the current record; without one, next is the first and previous the last. [P]
    """
    numbers = range(1, len(records) + 1)
    if mode == NEXT:
        numbers = range(current + 1, len(records) + 1)
    elif mode == PREVIOUS:
        numbers = range((current or len(records) + 1) - 1, 0, -1)
    elif mode == LAST:
        numbers = range(len(records), 0, -1)
    for number in numbers:
        if not tag or (tagged and records[number - 1][0] == tag):
            return number
    return 0


def opened(card: CardState, sfi: int) -> FileSpec:
    """The addressed file, which must hold records; 6981."""
    spec = card.file(sfi)
    if spec.structure is TRANSPARENT:
        raise no_records(spec)
    return spec


def no_records(spec: FileSpec) -> CardError:
    """6981 for a file without records."""
    return CardError(SW.COMMAND_INCOMPATIBLE, f"{spec.path} is transparent, it has no records")


def current(card: CardState, sfi: int) -> int:
    """The number of the current record; 0 for none, as in a file that was not the current one."""
    return 0 if sfi else card.session.record


def stay(card: CardState, spec: FileSpec, sfi: int, record: int) -> None:
    """After success: a file named by SFI is the current one; a record found by its tag the current record. [P]"""
    if sfi:
        card.session.open(spec)
    if record:
        card.session.record = record


@dataclass(slots=True)
class ReadRecord(Instruction):
    """Gives one item with tag and length, or several in one answer. Le 00 is answered by 6Cxx. [T: part5:6.10]"""

    name = "READ RECORD"
    name_zh = "读记录"
    cla = 0x00
    ins = 0xB2
    source = "with a MAC [D]; [T: part5:6.10]"
    answers = "one or more records"
    answer_holds = Content.RECORDS
    cards = (CardKind.USER, CardKind.PSAM)
    status = (0x6981, 0x6982, 0x6986, 0x6987, 0x6988, 0x6A81, 0x6A82, 0x6A83, 0x6A86, 0x6C00, 0x9303)
    before_activation = True
    secured = (0x04, 0x84)

    p1: int
    sfi: int
    mode: int
    le: int | None
    messaging: Messaging = Messaging.NONE

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """Raises CardError unless P2 is one of the seven ways to read a record and no data came."""
        check_address(command, READ_MODES)
        check_declared(cls, command)

    @classmethod
    def touches(cls, command: CommandAPDU) -> FileNamed:
        """The file, and the record by its tag or number."""
        return named(command)

    @classmethod
    def way(cls, card: CardState, command: CommandAPDU) -> Addressing | None:  # noqa: ARG003
        """By number, by tag, or in another mode; of the first two, by SFI or in the current EF."""
        mode, sfi = command.p2 & 7, command.p2 >> 3
        if mode == THIS:
            return Addressing.NUMBER_SFI if sfi else Addressing.NUMBER_CURRENT
        if mode == FIRST:
            return Addressing.TAG_SFI if sfi else Addressing.TAG_CURRENT
        return OTHER_WAYS.get(mode)

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The DF's messaging key, for those who may read; 6982."""
        card.right_to_read(card.file(command.p2 >> 3))
        return card.messaging_key()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:
        """The answer is, where the file demands it."""
        return card.file(command.p2 >> 3).read_messaging is Messaging.CIPHER

    @classmethod
    def command(
        cls, sfi: int = 0, *, number: int | None = None, tag: int = 0, mode: int | None = None, le: int = 0
    ) -> CommandAPDU:
        """The record of a number, or the first with a tag (00: any), or by another mode. SFI 0: the current EF."""
        return cls.apdu(p1p2=addressed(sfi, number, tag, mode), le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ReadRecord:
        """From P1 (number or tag), P2 (SFI and mode) and Le."""
        return cls(command.p1, command.p2 >> 3, command.p2 & 7, command.le, command.messaging)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """File, mode and record."""
        return describe(command)

    def execute(self, card: CardState) -> bytes:
        """The record, or whole records up to 256 bytes. [D]"""
        # The command that terminals send most: what its usual form does not need is not called.
        spec = card.file(self.sfi)
        if spec.structure is TRANSPARENT:
            raise no_records(spec)
        if not spec.free:
            card.may_read(spec, self.messaging)
        records = card.memory.records(spec.path)
        mode, number, found = self.mode, self.p1, 0
        if mode < THIS:
            tagged = spec.structure is Structure.RECORDS
            number = found = locate(records, current(card, self.sfi), mode, number, tagged=tagged)
        elif not number:
            number = current(card, self.sfi)
        if not 1 <= number <= len(records):
            raise CardError(SW.RECORD_NOT_FOUND, f"{spec.path} has no record {MODES[mode]} {self.p1:02X}")
        data = records[number - 1] if mode <= THIS else self._several(records, number)
        if self.le != len(data):
            exact(self.le, data)
        if self.sfi:
            card.session.open(spec)
        if found:
            card.session.record = found
        return data

    def _several(self, records: Records, number: int) -> bytes:
        room = WHOLE_SECURED if self.le is None else WHOLE
        chosen = records[number - 1 :] if self.mode == TO_LAST else records[: number - 2 if number > 1 else None : -1]
        data = chosen[0]
        for record in chosen[1:]:
            if len(data) + len(record) > room:
                break
            data += record
        return data


@dataclass(slots=True)
class UpdateRecord(Instruction):
    """Writes an item, adds one under the next number or an unknown tag, or the newest record of a cyclic file.
    [T: part5:6.13]
    """

    name = "UPDATE RECORD"
    name_zh = "修改记录"
    cla = 0x00
    ins = 0xDC
    source = "[T: part5:6.13]"
    data_hold = Content.RECORDS
    lengths = frozenset(range(1, 256))
    status = (0x6581, 0x6700, 0x6981, 0x6982, 0x6984, 0x6986, 0x6987, 0x6988, 0x6A81, 0x6A82, 0x6A83, 0x6A84, 0x6A85,
              0x6A86, 0x9303)  # fmt: skip
    writes = True
    before_activation = True
    secured = (0x04, 0x84)

    p1: int
    sfi: int
    mode: int
    data: bytes
    messaging: Messaging = Messaging.NONE

    @classmethod
    def check(cls, command: CommandAPDU) -> None:
        """Raises CardError unless P2 says a record by number, or by tag in one of four ways."""
        check_address(command, UPDATE_MODES)
        check_declared(cls, command)

    @classmethod
    def touches(cls, command: CommandAPDU) -> FileNamed:
        """The file, and the record by its tag or number."""
        return named(command, command.data)

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The DF's messaging key, for those who may update; 6982."""
        card.right_to_update(card.file(command.p2 >> 3))
        return card.messaging_key()

    @classmethod
    def enciphered(cls, card: CardState, command: CommandAPDU) -> bool:
        """The data are, where the file demands it."""
        return card.file(command.p2 >> 3).update_messaging is Messaging.CIPHER

    @classmethod
    def command(
        cls, record: bytes, sfi: int = 0, *, number: int | None = None, tag: int = 0, mode: int | None = None
    ) -> CommandAPDU:
        """A record for a number, or for the first with a tag, or by another mode. SFI 0: the current EF."""
        return cls.apdu(record, addressed(sfi, number, tag, mode))

    @classmethod
    def newest(cls, record: bytes, sfi: int = 0) -> CommandAPDU:
        """Adds the newest record of a cyclic file."""
        return cls.command(record, sfi, mode=PREVIOUS)

    @classmethod
    def parse(cls, command: CommandAPDU) -> UpdateRecord:
        """From P1 (number or tag), P2 (SFI and mode) and the record."""
        return cls(command.p1, command.p2 >> 3, command.p2 & 7, command.data, command.messaging)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """File, mode and record."""
        return describe(command)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6A83, 6A84, and 6A85 where the record does not fit. [T: part5:table 45]"""
        spec = opened(card, self.sfi)
        card.may_update(spec, self.messaging)
        records = card.memory.records(spec.path)
        if spec.structure is Structure.CYCLIC:
            self._add_newest(card, spec, records)
            stay(card, spec, self.sfi, 1)
        else:
            number = self._number(card, spec, records)
            self._write(card, spec, records, number)
            stay(card, spec, self.sfi, number if self.mode < THIS else 0)
        return b""

    def _add_newest(self, card: CardState, spec: FileSpec, records: Records) -> None:
        if self.mode != PREVIOUS or self.p1:
            raise CardError(SW.COMMAND_INCOMPATIBLE, f"{spec.path} is cyclic: only P1 00, mode 3 (previous) writes it")
        if len(self.data) != spec.record_length:
            raise CardError(
                SW.TLV_INCONSISTENT, f"a record of {spec.path} has {spec.record_length} bytes, {len(self.data)} came"
            )
        card.memory.put(file_cell(spec.path), (self.data, *records)[: spec.records])

    def _number(self, card: CardState, spec: FileSpec, records: Records) -> int:
        """Which record is written; one beyond the last where one is added."""
        data = self.data
        if len(data) < 2 or data[1] != len(data) - 2:
            raise CardError(SW.TLV_INCONSISTENT, f"expected tag, length and value, {len(data)} bytes came")
        here = current(card, self.sfi)
        if self.mode == THIS:
            number = self.p1 or here
            if not 1 <= number <= len(records) + 1:
                raise CardError(
                    SW.RECORD_NOT_FOUND, f"{spec.path} has {len(records)} records, number {number} was named"
                )
            return number
        if self.p1 and self.p1 != data[0]:
            raise CardError(SW.TLV_INCONSISTENT, f"P1 names tag {self.p1:02X}, the data tag {data[0]:02X}")
        number = locate(records, here, self.mode, self.p1, tagged=True)
        if number:
            return number
        if self.mode != FIRST or not self.p1:
            raise CardError(SW.RECORD_NOT_FOUND, f"{spec.path} has no record {MODES[self.mode]} {self.p1:02X}")
        return len(records) + 1

    def _write(self, card: CardState, spec: FileSpec, records: Records, number: int) -> None:
        tag, length = self.data[0], len(self.data) - 2
        adding = number > len(records)
        if not spec.rewrite:
            if not adding and records[number - 1][0] != tag:
                found = records[number - 1][0]
                raise CardError(SW.TLV_INCONSISTENT, f"record {number} has tag {found:02X}, not {tag:02X}")
            item = spec.item(tag)
            if item is not None and length != item.length and not (item.variable and length < item.length):
                raise CardError(
                    SW.TLV_INCONSISTENT, f"item {tag:02X} of {spec.path} has {item.length} bytes, {length} came"
                )
        new = (*records, self.data) if adding else (*records[: number - 1], self.data, *records[number:])
        if adding and self._beyond(card, spec, records, tag):
            raise CardError(SW.RECORD_NOT_FOUND, f"{spec.path} may not be extended by another item {tag:02X}")
        if sum(map(len, new)) > card.session.directory.capacity[spec.path] or len(new) > 254:
            raise CardError(SW.NO_SPACE, f"{spec.path} has no room for {len(self.data)} bytes more")
        card.memory.put(file_cell(spec.path), new)

    @staticmethod
    def _beyond(card: CardState, spec: FileSpec, records: Records, tag: int) -> bool:
        """An item that the layout does not foresee, in an application that leaves no room for such."""
        item = spec.item(tag)
        present = sum(record[0] == tag for record in records)
        return not card.session.directory.spec.spare and (item is None or present >= item.count)
