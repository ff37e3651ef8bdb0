"""What a command is about: the DF, file and item that it means, found by following a session through a layout."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.authentication import ExternalAuthentication
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.certificate import VerifyCertificatePin
from emulator.apdu.instructions.records import FIRST, PREVIOUS, THIS, ReadRecord, UpdateRecord
from emulator.apdu.instructions.select import BY_NAME, CHILD, Select
from emulator.apdu.status import SW, CardError
from emulator.apdu.table import EVERYTHING, InstructionTable
from emulator.filesystem.layouts.specs import PIN_USE, FileSpec, ItemSpec, KeySpec, Layout
from emulator.filesystem.memory import files
from emulator.filesystem.memory.files import Directory

SFI_IN_P1 = 0x80
SELECTED_ALL_THE_SAME = (SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY)
"""Answers to SELECT of a DF that make it current although it refuses what comes next. [T: part7:13.2]"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command acts. ``tag`` is the one it names, whether the layout has such an item or not; by number it is
    that of the item which stands there on a card that has every item.
    """

    directory: Directory
    file: FileSpec | None = None
    item: ItemSpec | None = None
    tag: int = 0
    key: KeySpec | None = None

    @property
    def path(self) -> str:
        """Like ``SSSE/EF05/07``, ``SSSE/EF05`` or ``SSSE``."""
        if self.file is None:
            return self.directory.spec.id
        return f"{self.file.path}/{self.tag:02X}" if self.tag else self.file.path


class Context:
    """Follows one slot's session, as its terminal should know it: what is selected."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._root = files.build(layout, 0)
        self._directories = list(self._root.walk())
        self._table = InstructionTable.of(layout)
        self.directory = self._root
        self.file: FileSpec | None = None

    def reset(self) -> None:
        """Back to the MF."""
        self.directory, self.file = self._root, None

    def instruction(self, raw: bytes) -> type[Instruction] | None:
        """Of this layout, else of any."""
        return self._table.get(raw) or EVERYTHING.get(raw)

    def place(self, raw: bytes) -> Place:
        """What a command means, before it is carried out. ``raw`` is plain."""
        kind = self.instruction(raw)
        try:
            command = CommandAPDU.parse(raw)
        except CardError:
            return Place(self.directory)
        if kind is not None and issubclass(kind, Select):
            directory, file = self._selected(command)
            return Place(directory or self.directory, file)
        if kind in (ReadRecord, UpdateRecord):
            file = self.addressed(command.p2 >> 3)
            mode = command.p2 & 7
            tag = command.p1 if mode in range(FIRST, PREVIOUS + 1) else _standing(file, command.p1, mode)
            tagged = file is not None and file.structure != "cyclic" and command.data
            if kind is UpdateRecord and tagged and (mode == THIS or not tag):
                tag = command.data[0]  # what is written under a number, the record itself says
            return Place(self.directory, file, file.item(tag) if file and tag else None, tag)
        if kind in (ReadBinary, UpdateBinary):
            return Place(self.directory, self.addressed(command.p1 & 0x1F if command.p1 & SFI_IN_P1 else 0))
        if kind is ExternalAuthentication:
            return Place(self.directory, key=self._key(command.p2, "external-authentication"))
        if kind is VerifyCertificatePin:
            return Place(self.directory, key=self._key(command.p2, PIN_USE))
        return Place(self.directory)

    def follow(self, raw: bytes, sw: int) -> None:
        """Takes in that a command was answered so."""
        kind, place, done = self.instruction(raw), self.place(raw), sw >> 8 in (0x90, 0x61)
        if kind is not None and issubclass(kind, Select):
            if done or (place.file is None and sw in SELECTED_ALL_THE_SAME):
                self.directory, self.file = place.directory, place.file
        elif done and place.file is not None:
            self.file = place.file

    def addressed(self, sfi: int) -> FileSpec | None:
        """The file of this short id in the current DF; for 0 the current file."""
        return self.directory.files.get(sfi) if sfi else self.file

    def _key(self, identifier: int, use: str) -> KeySpec | None:
        for directory in (self.directory,) if identifier & 0x80 else self.directory.line():
            for key in directory.keys:
                if key.id == identifier and key.use == use:
                    return key
        return None

    def _selected(self, command: CommandAPDU) -> tuple[Directory | None, FileSpec | None]:
        if command.p1 == BY_NAME:
            after = self.directory if command.p2 & 2 else None
            return files.by_name(self._directories, command.data, after), None
        if command.p1 == CHILD:
            children = self.directory.children
            return next((one for one in children if one.spec.fid == int.from_bytes(command.data, "big")), None), None
        if not command.p1 and (found := files.by_id(self._root, self.directory, command.data)):
            return found, None
        return None, self.directory.ids.get(int.from_bytes(command.data, "big"))


def _standing(file: FileSpec | None, number: int, mode: int) -> int:
    if file is None or mode != THIS or file.structure == "cyclic":
        return 0
    tags = [item.tag or 0 for item in file.items for _ in range(item.count)]
    return tags[number - 1] if 0 < number <= len(tags) else 0
