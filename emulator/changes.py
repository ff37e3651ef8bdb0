"""What one command changed in a card, for observers: rights, selection, challenge, counters, life cycle, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulator.filesystem.memory import PIN_CELL, PURSE_CELL, Cell, Memory
from emulator.session import Session


@dataclass(frozen=True, slots=True)
class Change:
    """One change. Neither PINs, keys nor a file's content are ever in it.

    ``kind``: ``directory``, ``file``, ``right``, ``challenge``, ``tries``, ``state``, ``written`` (a file), ``key``,
    ``pin`` or ``purse``; ``name`` says which. ``before`` and ``after`` are in words or numbers, and empty where only
    the fact is told.
    """

    kind: str
    name: str = ""
    before: str = ""
    after: str = ""


class Before:
    """A card as it was before a command; ``changes`` says what is otherwise now."""

    __slots__ = ("_cells", "_challenge", "_directory", "_file", "_rights")

    def __init__(self, session: Session, memory: Memory) -> None:
        self._directory = session.directory.spec.id
        self._file = session.file.path if session.file else ""
        self._rights = frozenset(session.rights)
        self._challenge = session.challenge
        self._cells = memory.snapshot()

    def changes(self, session: Session, memory: Memory) -> tuple[Change, ...]:
        """In a fixed order: selection, rights, challenge, then memory."""
        return (*self._of_session(session), *_of_memory(self._cells, memory.snapshot()))

    def _of_session(self, session: Session) -> Iterator[Change]:
        directory, file = session.directory.spec.id, session.file.path if session.file else ""
        if directory != self._directory:
            yield Change("directory", "", self._directory, directory)
        if file != self._file:
            yield Change("file", "", self._file, file)
        for right in sorted(session.rights ^ self._rights):
            lost = right in self._rights
            yield Change("right", right, "held" if lost else "", "" if lost else "held")
        if session.challenge != self._challenge:
            given = session.challenge is not None
            yield Change("challenge", "", "given" if self._challenge is not None else "", "given" if given else "used")


def _of_memory(before: Mapping[str, Cell], now: Mapping[str, Cell]) -> Iterator[Change]:
    for name, cell in now.items():
        old = before.get(name)
        if old is cell or old == cell:
            continue
        kind, _, what = name.partition("/")
        if kind in ("tries", "state"):
            yield Change(kind, what, str(old), str(cell))
        elif kind == "file":
            yield Change("written", what)
        elif kind == "key":
            yield Change("key", what.replace("/", " version "))
        elif kind in (PIN_CELL, PURSE_CELL):
            yield Change(kind)


__all__ = ["Before", "Change"]
