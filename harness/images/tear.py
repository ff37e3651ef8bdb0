"""Tearing (防拔): power cut after every single non-volatile write of every command, and what the card then is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from emulator.chip import Chip
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from harness.images import compare

Step: TypeAlias = Callable[[Chip], object]
"""Something done to a powered chip: one command, or a few that belong together."""


class Outcome(StrEnum):
    """What a card was after power came back. ``COUNTER``: only try counters changed, as they must, which fall before
    the comparison; ``MIXED``: neither old nor new, which must never be.
    """

    OLD = "old"
    NEW = "new"
    COUNTER = "counter"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Cut:
    """A card after power came back. ``after``: writes that were done."""

    step: int
    after: int
    outcome: Outcome
    changes: tuple[str, ...]


def cuts(image: Image, steps: Sequence[Step], number: int) -> Iterator[Cut]:
    """Every cut of step ``number`` (from 0), from the one before its first write to the one after its last.

    The image is not touched. Steps must do the same each time they run on the same card.
    """
    _, whole = _ready(image, steps[:number])
    steps[number](whole)
    new = whole.image.memory.snapshot()
    after = 0
    while True:
        old, chip = _ready(image, steps[:number])
        chip.image.memory.nvm.cut_after = after
        done = False
        try:
            steps[number](chip)
            done = True  # power goes after the last write, or there was none
        except PowerCut:
            pass
        chip.power_off()
        chip.power_on()
        now = chip.image.memory.snapshot()
        if after or not done:
            yield Cut(number, after, _outcome(old, new, now), tuple(compare.cells(image.layout, old, now)))
        if done:
            return
        after += 1


def in_session(chip: Chip, step: Callable[[], object]) -> Iterator[Cut]:
    """Every cut of one step in the middle of a session: the chip's memory and session are put back before each try, and
    after the last. The step may be sent to this chip only.
    """
    memory, session = chip.image.memory, chip.session
    old, after = memory.snapshot(), 0
    chip.session = replace(session, rights=set(session.rights))
    step()
    new = memory.snapshot()
    done = False
    while not done:
        memory.restore(old)
        chip.session = replace(session, rights=set(session.rights))
        memory.nvm.cut_after = after
        try:
            step()
            done = True
        except PowerCut:
            chip.power_on()
        memory.nvm.cut_after = None
        if not done:
            now = memory.snapshot()
            yield Cut(0, after, _outcome(old, new, now), tuple(compare.cells(chip.image.layout, old, now)))
        after += 1


def _ready(image: Image, steps: Sequence[Step]) -> tuple[dict[CellKey, Cell], Chip]:
    """A chip of its own after these steps, and its content."""
    chip = Chip(image.fork())
    chip.power_on()
    for step in steps:
        step(chip)
    return chip.image.memory.snapshot(), chip


def _outcome(old: dict[CellKey, Cell], new: dict[CellKey, Cell], now: dict[CellKey, Cell]) -> Outcome:
    if now == old:
        return Outcome.OLD
    if now == new:
        return Outcome.NEW
    return Outcome.COUNTER if _content(now) in (_content(old), _content(new)) else Outcome.MIXED


def _content(cells: dict[CellKey, Cell]) -> dict[CellKey, Cell]:
    return {name: cell for name, cell in cells.items() if name.kind is not CellKind.TRIES}
