"""What one command changed in a card, for observers: rights, selection, challenge, counters, life cycle, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind
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
    """Looks at a card before and after each command; ``changes`` says what is otherwise."""

    __slots__ = ("_cells", "_challenge", "_directory", "_file", "_memory", "_rights", "_written")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._cells, self._written = memory.snapshot(), memory.written

    def before(self, session: Session) -> None:
        """Keeps what a command is about to find."""
        self._directory, self._file = session.directory, session.file
        self._rights = frozenset(session.rights)
        self._challenge = session.challenge
        if self._memory.written != self._written:
            self._look()

    def _look(self) -> list[tuple[CellKey, Cell | None, Cell]]:
        """The cells that are other than they were seen last, in the memory's order: name, before, now. Keys and data
        objects that are gone are not told.
        """
        memory, seen = self._memory, self._cells
        touched, self._written = memory.written_since(self._written), memory.written
        if touched is None:
            self._cells = now = memory.snapshot()
            return [
                (name, old, cell) for name, cell in now.items() if (old := seen.get(name)) is not cell and old != cell
            ]
        order = [name for name in memory.snapshot() if name in touched] if len(touched) > 1 else list(touched)
        found = []
        for name in order:
            old, cell = seen.get(name), memory.peek(name)
            if cell is not None and old is not cell:
                seen[name] = cell
                if old != cell:
                    found.append((name, old, cell))
        return found

    def changes(self, session: Session) -> tuple[Change, ...]:
        """In a fixed order: selection, rights, challenge, then memory."""
        if (
            session.directory is self._directory
            and session.file is self._file
            and session.rights == self._rights
            and session.challenge == self._challenge
        ):
            told: tuple[Change, ...] = ()
        else:
            told = tuple(self._of_session(session))
        if self._memory.written == self._written:
            return told
        return (*told, *(_of_cell(*one) for one in self._look()))

    def _of_session(self, session: Session) -> Iterator[Change]:
        if session.directory is not self._directory:
            yield Change(ChangeKind.DIRECTORY, "", self._directory.spec.id, session.directory.spec.id)
        if session.file is not self._file:
            yield Change(ChangeKind.FILE, "", _path(self._file), _path(session.file))
        if session.rights != self._rights:
            for right in sorted(session.rights ^ self._rights):
                lost = right in self._rights
                yield Change(ChangeKind.RIGHT, right, "held" if lost else "", "" if lost else "held")
        if session.challenge != self._challenge:
            given = session.challenge is not None
            held = "given" if self._challenge is not None else ""
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
