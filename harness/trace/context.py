"""What a command is about: the DF, file and item that it means, found by following a session through a layout."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import catalogue
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.select import Select
from emulator.apdu.instructions.touched import FileNamed, KeyNamed
from emulator.apdu.status import SW, CardError
from emulator.apdu.table import EVERYTHING, InstructionTable
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, KeySpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory import files
from emulator.filesystem.memory.files import Directory
from emulator.interface import Interface, interface_of

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
        """Returns the place's path, like ``SSSE/EF05/07``, ``SSSE/EF05`` or ``SSSE``."""
        if self.file is None:
            return self.directory.spec.id
        return f"{self.file.path}/{self.tag:02X}" if self.tag else self.file.path


class Context:
    """Follows one slot's session, as its terminal should know it: what is selected, and over which interface."""

    def __init__(self, layout: Layout, interface: Interface = Interface.CONTACT) -> None:
        self.card = layout
        """The layout of the card, over whatever interface; ``layout`` is as it is found over this one."""
        self._found_over(interface)

    def _found_over(self, interface: Interface) -> None:
        self.interface = interface
        self.layout = layout = catalogue.found_over(self.card, interface)
        self._root = files.tree(layout, 0)
        self._directories = list(self._root.walk())
        self._table = InstructionTable.of(layout)
        self.directory = self._root
        self.file: FileSpec | None = None

    def reset(self, atr: bytes = b"") -> None:
        """Goes back to the MF. ``atr``: what the card answered, where that is known; else it is as before."""
        interface = interface_of(atr) if atr else self.interface
        if interface is not self.interface:
            self._found_over(interface)
        self.directory, self.file = self._root, None

    def stands(self, directory: str, file: str) -> None:
        """What is selected in a card that somebody has worked with already: a DF by its id, an EF by its path or none.
        As after a reset where the layout has no such DF.
        """
        found = next((one for one in self._directories if one.spec.id == directory), None)
        self.directory = found or self._root
        self.file = self.layout.files.get(file) if found else None

    def is_root(self, name: bytes) -> bool:
        """True for the MF's file id."""
        return name == self._root.spec.fid.to_bytes(2, "big")

    def instruction(self, raw: bytes) -> type[Instruction] | None:
        """Of this layout, else of any."""
        return self._table.get(raw) or EVERYTHING.get(raw)

    def place(self, raw: bytes) -> Place:
        """What a command means, before it is carried out. ``raw`` is plain."""
        kind = self.instruction(raw)
        try:
            named = kind.touches(CommandAPDU.parse(raw)) if kind is not None else None
        except CardError:
            named = None
        if named is None:
            return Place(self.directory)
        if isinstance(named, KeyNamed):
            return Place(self.directory, key=self.directory.key(named.id, named.use))
        if isinstance(named, FileNamed):
            return self._in_file(named)
        found = named.meant(self._directories, self.directory)
        return Place(found) if isinstance(found, Directory) else Place(self.directory, found)

    def _in_file(self, named: FileNamed) -> Place:
        file, tag = self.addressed(named.sfi), named.tag
        if file is not None and file.structure is not Structure.CYCLIC and not tag:
            standing = file.standing(named.number)
            # What is written under a number, or under any tag, the record itself says.
            tag = named.written[0] if named.written else (standing.tag or 0) if standing else 0
        return Place(self.directory, file, file.item(tag) if file and tag else None, tag)

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
