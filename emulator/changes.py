"""What one command changed in a card, for observers: rights, selection, challenge, counters, life cycle, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind
from emulator.filesystem.memory.files import Directory
from emulator.filesystem.memory.memory import Memory
from emulator.session import Session


class ChangeKind(StrEnum):
    """What changed: of the session the selection, a right, the challenge; of memory a cell of some kind."""

    DIRECTORY = "directory"
    FILE = "file"
    RIGHT = "right"
    CHALLENGE = "challenge"
    TRIES = "tries"
    STATE = "state"
    WRITTEN = "written"
    KEY = "key"
    PIN = "pin"
    PURSE = "purse"
    DATA = "data"


OF_CELLS = {
    CellKind.FILE: ChangeKind.WRITTEN,
    CellKind.KEY: ChangeKind.KEY,
    CellKind.PIN: ChangeKind.PIN,
    CellKind.PURSE: ChangeKind.PURSE,
    CellKind.STATE: ChangeKind.STATE,
    CellKind.TRIES: ChangeKind.TRIES,
    CellKind.DATA: ChangeKind.DATA,
}


Before: TypeAlias = tuple[Directory, FileSpec | None, bytes | None, Set[str]]
"""Of a session before a command: current DF and EF, challenge, rights."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. Neither PINs, keys nor a file's content are ever in it.

    ``name`` says which file, right, key, data object or application it is. ``before`` and ``after`` are in words or
    numbers, and empty where only the fact is told.
    """

    kind: ChangeKind
    name: str = ""
    before: str = ""
    after: str = ""


class Witness:
    """Looks at a card's memory after each command; ``changes`` says what is otherwise, in session and memory.
    ``written``: what ``Memory.written`` was when it looked last.
    """

    __slots__ = ("_cells", "_memory", "written")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._cells, self.written = memory.snapshot(), memory.written

    def catch_up(self) -> None:
        """Takes in what was written between two commands, without telling it."""
        count, self.written = self.written, self._memory.written
        self._memory.differing(count, self._cells)

    def changes(self, before: Before, session: Session) -> tuple[Change, ...]:
        """What is otherwise in a session since ``before``, and in memory since the last look; in a fixed order:
        selection, rights, challenge, then memory. Keys and data objects that are gone are not told.
        """
        directory, file, challenge, rights = before
        same = session.directory is directory and session.file is file and session.challenge is challenge
        told = () if same and session.rights == rights else tuple(_of_session(before, session))
        memory = self._memory
        if memory.written == self.written:
            return told
        count, self.written = self.written, memory.written
        found = memory.differing(count, self._cells)
        if not found:
            return told
        return (*told, *(_of_cell(name, old, cell) for name, old, cell in found if cell is not None))


def _of_session(before: Before, session: Session) -> Iterator[Change]:
    directory, file, challenge, rights = before
    if session.directory is not directory:
        yield Change(ChangeKind.DIRECTORY, "", directory.spec.id, session.directory.spec.id)
    if session.file is not file:
        yield Change(ChangeKind.FILE, "", _path(file), _path(session.file))
    if session.rights != rights:
        for right in sorted(session.rights ^ rights):
            lost = right in rights
            yield Change(ChangeKind.RIGHT, right, "held" if lost else "", "" if lost else "held")
    if session.challenge != challenge:
        given = session.challenge is not None
        held = "given" if challenge is not None else ""
        yield Change(ChangeKind.CHALLENGE, "", held, "given" if given else "used")


def _path(file: FileSpec | None) -> str:
    return file.path if file else ""


def of_memory(before: Mapping[CellKey, Cell], now: Mapping[CellKey, Cell]) -> Iterator[Change]:
    """What is otherwise in memory, from one snapshot of it to the next."""
    for name, cell in now.items():
        old = before.get(name)
        if old is not cell and old != cell:
            yield _of_cell(name, old, cell)


def _of_cell(name: CellKey, old: Cell | None, cell: Cell) -> Change:
    kind = OF_CELLS[name.kind]
    if name.kind.counts:
        return Change(kind, name.name, str(old), str(cell))
    if kind is ChangeKind.KEY:
        return Change(kind, f"{name.name} version {name.version}")
    return Change(kind, name.name if kind in (ChangeKind.WRITTEN, ChangeKind.DATA) else "")


__all__ = ["Change", "ChangeKind", "Witness", "of_memory"]
