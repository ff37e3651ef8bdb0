"""A sweep: the sound run, then cell after cell, as many as were asked for, each kept as soon as it was played."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

from emulator.messages import _
from emulator.version import VERSION
from harness.proving.executor import Runs
from harness.proving.machine import Need
from harness.proving.runs import RunRequest
from harness.proving.sweep import grid, play
from harness.proving.sweep.grid import Cell, CellError
from harness.proving.sweep.outcome import Judged, Outcome
from harness.proving.sweep.play import Baseline, CellRequest, SoundError
from harness.proving.sweep.store import Kept, Results

PATIENCE, SLOWEST = 20.0, 5.0
"""Seconds that a run has for a fault, and how many times the sound run's besides, where nobody says how long. [D]"""
Telling: TypeAlias = Callable[["Swept"], object]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a sweep is played. ``cells``: these alone, none for all that there are; ``limit``: so many of them, 0
    for all; ``minutes``: none is begun after so many, 0 for as long as it takes; ``seed``: which come first, and what
    faults leave to chance.
    """

    cells: tuple[Cell, ...] = ()
    limit: int = 0
    minutes: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep so far. ``every``: all cells that there are; ``chosen``: those that were asked for; ``kept``: those that
    were played, now or before; ``seconds``: since this sweep began; ``fresh``: cells played since then.
    """

    request: RunRequest
    bounds: Bounds
    baseline: Baseline
    every: tuple[Cell, ...]
    chosen: tuple[Cell, ...]
    kept: Mapping[Cell, Kept]
    seconds: float = 0.0
    fresh: int = 0

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many of those that were asked for ended how."""
        counted = Counter(self.kept[cell].judged.outcome for cell in self.chosen if cell in self.kept)
        return {one: counted[one] for one in Outcome if counted[one]}

    @property
    def played(self) -> list[Kept]:
        """Those that were asked for and played, in the order of the map."""
        return [
            self.kept[cell]
            for cell in sorted(self.chosen, key=lambda one: (one.number, one.fault))
            if cell in self.kept
        ]

    @property
    def left(self) -> int:
        """Cells that were asked for and are not played."""
        return sum(cell not in self.kept for cell in self.chosen)

    @property
    def seconds_left(self) -> float:
        """How long the rest will take, by what the cells took that were played; no longer than it may."""
        rest = self.left * self.seconds / self.fresh if self.fresh else 0.0
        return min(rest, self.bounds.minutes * 60 - self.seconds) if self.bounds.minutes else rest


def needs(request: RunRequest) -> frozenset[Need]:
    """What the runs need of their machine."""
    return frozenset() if request.driver_only else frozenset({Need.PCSCD})


def sweep(
    request: RunRequest, bounds: Bounds, runs: Runs, results: Results, tell: Telling, *, deadline: float | None = None
) -> Swept:
    """Plays a sweep, and gives what it came to. ``deadline``: of each run, None for one that the sound run's own time
    gives; ``tell``: is told how far it is after each cell.

    SoundError where the program does not do its work without a fault; CellError for a cell that its runs do not have;
    ResultsError; CannotRun, ClusterLost.
    """
    began = time.monotonic()
    request = replace(request, seed=bounds.seed)
    baseline = _baseline(request, runs)
    request = replace(request, deadline=deadline or PATIENCE + SLOWEST * baseline.seconds)
    every = grid.cells(baseline.commands)
    chosen = grid.sampled(_named(bounds.cells, baseline) or every, bounds.limit, bounds.seed)
    kept = results.begin(_about(request, bounds, baseline))
    fresh = 0

    def so_far() -> Swept:
        took = time.monotonic() - began
        return Swept(request, bounds, baseline, tuple(every), tuple(chosen), kept, took, fresh)

    def asked() -> Iterator[CellRequest]:
        for cell in chosen:
            if bounds.minutes and time.monotonic() - began >= bounds.minutes * 60:
                return
            if cell not in kept:
                yield CellRequest(request, baseline, cell, bounds.seed)

    for done in runs.completed(play.play_cell, asked()):
        found = done.found or Kept(done.asked.cell, Judged(Outcome.UNDEFINED, (done.trouble,), False), 0.0)
        kept[found.cell] = found
        if found.judged.outcome is not Outcome.UNDEFINED:  # what could not be played is played again next time
            results.keep(found)
        fresh += 1
        tell(so_far())
    return so_far()


def _baseline(request: RunRequest, runs: Runs) -> Baseline:
    (done,) = runs.completed(play.record, [request])
    if isinstance(done.found, Baseline):
        return done.found
    raise SoundError(done.found or _("the program could not be run: {reason}").format(reason=done.trouble))


def _named(cells: Sequence[Cell], baseline: Baseline) -> list[Cell]:
    """The cells that were named. CellError for a command that the sound run has not."""
    for cell in cells:
        if cell.number > len(baseline.commands):
            raise CellError(
                _("cell {cell}: the sound run has {count} commands").format(cell=cell, count=len(baseline.commands))
            )
    return list(cells)


def _about(request: RunRequest, bounds: Bounds, baseline: Baseline) -> dict[str, Any]:
    """What names a sweep: results of another one are not to be mixed with it."""
    way = "".join(f"{one.instruction} {one.answer[-2:].hex()} {one.writes}\n" for one in baseline.commands)
    expected = request.expectation
    return {
        "program": _digest("\0".join(request.argv)),  # a PIN may stand in it
        "files": [sha256(Path(one).read_bytes()).hexdigest() for one in request.argv if _is_file(one)],
        "situation": repr(request.situation),
        "demands": _digest(repr((expected.prints, expected.prints_not, sorted(request.forgiven)))),
        "driver only": request.driver_only,
        "seed": bounds.seed,
        "version": VERSION,
        "commands": _digest(way),
    }


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:
        return False
