"""What the card in a slot was after each of the last 100,000 commands: its memory and what its session had come to.

Kept in chapters of a thousand: the memory as it was at the beginning (a key frame), then what each command changed in
it, and the session where it became another. The oldest chapter goes when there are a hundred. Cells are immutable and
shared, so that a command that writes nothing costs eight bytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.chip import Chip
from emulator.errors import NotFound
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import Cell, CellKey
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.session import Session
from harness.serving import standing
from harness.serving.options import Origin
from harness.serving.standing import SessionSeen

CHAPTER = 1000
CHAPTERS = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A card as it was once the event of this number had happened."""

    number: int
    layout: Layout
    algorithm: str
    atr: bytes
    interface: Interface
    origin: Origin
    cells: Mapping[CellKey, Cell]
    session: SessionSeen

    @classmethod
    def now(cls, number: int, chip: Chip, origin: Origin) -> Moment:
        """A card as it is. Between two of its commands."""
        image = chip.image
        seen = SessionSeen.of(chip.session)
        cells = image.memory.snapshot()
        return cls(number, image.layout, image.algorithm, image.atr, chip.interface, origin, cells, seen)

    def image(self) -> Image:
        """A card with that memory, tied to no file."""
        return Image(self.layout, self.algorithm, self.atr, self.cells)

    def as_table(self) -> dict[str, Any]:
        """What is told of it besides its memory: as of a card in a slot."""
        return {
            "n": self.number,
            "interface": str(self.interface),
            **self.origin.as_table(),
            "card": str(self.layout.card),
            "layout": self.layout.name,
            "algorithm": self.algorithm,
            **self.session.as_table(),
            **standing.of_memory(self.layout, self.cells),
        }


class _Chapter:
    """A card from one key frame on."""

    __slots__ = ("at", "cells", "changed", "chip", "numbers", "origin", "sessions")

    def __init__(self, chip: Chip, origin: Origin, cells: Mapping[CellKey, Cell], seen: SessionSeen) -> None:
        self.chip, self.origin, self.cells = chip, origin, cells
        self.changed: list[tuple[int, dict[CellKey, Cell | None]]] = []
        """After which number which cells were otherwise; None: gone."""
        self.sessions = [seen]
        self.at = array("Q", [0])
        """From which number on each session held."""
        self.numbers = array("Q")

    def moment(self, number: int) -> Moment:
        """The card as it was once this number, which is one of the chapter's or of another slot's, had happened."""
        cells = dict(self.cells)
        for after, changes in self.changed:
            if after > number:
                break
            for name, cell in changes.items():
                if cell is None:
                    cells.pop(name, None)
                else:
                    cells[name] = cell
        image, seen = self.chip.image, self.sessions[bisect_right(self.at, number) - 1]
        return Moment(
            number, image.layout, image.algorithm, image.atr, self.chip.interface, self.origin, cells, seen
        )  # fmt: skip


class Moments:
    """The moments of one slot, whichever cards were in it. ``note`` is called between two commands of the card; what is
    asked of it may be asked from any thread meanwhile.
    """

    def __init__(self) -> None:
        self._chapters: deque[_Chapter] = deque(maxlen=CHAPTERS)
        self._cells: dict[CellKey, Cell] = {}
        self._written = 0
        self._rights: frozenset[str] = frozenset()
        self._stood: tuple[object, ...] = ()

    @property
    def kept(self) -> tuple[int, int] | None:
        """The first and the last number of which the card is known; None before the first."""
        chapters = list(self._chapters)
        return (chapters[0].numbers[0], chapters[-1].numbers[-1]) if chapters else None

    def begin(self, number: int, chip: Chip, origin: Origin) -> None:
        """Another card is in the slot. Between two of its commands."""
        self._cells, self._written = chip.image.memory.snapshot(), chip.image.memory.written
        self._open(number, chip, origin)

    def _open(self, number: int, chip: Chip, origin: Origin) -> None:
        session = chip.session
        chapter = _Chapter(chip, origin, dict(self._cells), SessionSeen.of(session))
        self._rights, self._stood = frozenset(session.rights), _stands(session)
        chapter.numbers.append(number)  # before anybody looks
        self._chapters.append(chapter)

    def note(self, number: int) -> None:
        """The event of this number has happened to the card. Nothing before the first card."""
        if not self._chapters:
            return
        chapter = self._chapters[-1]
        chip = chapter.chip
        memory, session = chip.image.memory, chip.session
        if memory.written != self._written:
            found = memory.differing(self._written, self._cells)
            self._written = memory.written
            if found:
                chapter.changed.append((number, {name: cell for name, __, cell in found}))
        if session.rights != self._rights or _stands(session) != self._stood:
            self._rights, self._stood = frozenset(session.rights), _stands(session)
            chapter.sessions.append(SessionSeen.of(session))
            chapter.at.append(number)
        chapter.numbers.append(number)
        if len(chapter.numbers) >= CHAPTER:
            self._open(number, chip, chapter.origin)

    def at(self, number: int) -> Moment:
        """The card as it was once this number had happened, to it or to a card in another slot. NotFound, which says
        what is kept.
        """
        chapters = list(self._chapters)
        meant = [one for one in chapters if one.numbers[0] <= number]
        if not meant or number < 0:
            oldest = chapters[0].numbers[0] if chapters else None
            raise NotFound(
                _("no card is known at number {number}: the oldest that is kept is {oldest}").format(
                    number=number, oldest=oldest
                )
                if oldest is not None
                else _("no card was in this slot yet")
            )
        return meant[-1].moment(number)


def _stands(session: Session) -> tuple[object, ...]:
    """What of a session is told besides its rights: quick to make, and to compare."""
    return (
        session.directory,
        session.file,
        session.record,
        session.challenge is None,
        session.transaction is None,
        session.session_key is None,
        len(session.pending),
    )
