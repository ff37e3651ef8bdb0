"""``sscard prove --sweep``: its options, how far it is, and what it says in the end."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from emulator.errors import Misuse
from emulator.messages import _
from harness.cli import interrupt, outputs, usage
from harness.cli.lines import say
from harness.cli.progress import JSON, ForPrograms, over_the_last

if TYPE_CHECKING:
    from harness.proving.executor import Runs
    from harness.proving.plan import ProvingPlan
    from harness.proving.runs import RunRequest
    from harness.proving.sweep.grid import Cell
    from harness.proving.sweep.swept import Swept
    from harness.verdicts.environment import Environment
    from harness.verdicts.manifest import Goal

EVERY, SELDOM = 0.5, 15.0
"""Seconds between two words of how far it is: on a terminal, and elsewhere."""
ROOM = 100
"""Columns of a terminal's line that the words of before may have filled."""
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command line says of a sweep; None and empty: nothing."""

    sweep: bool = False
    cells: tuple[str, ...] = ()
    limit: int | None = None
    minutes: float | None = None
    seed: int | None = None
    results: Path | None = None
    prints: tuple[str, ...] = ()
    prints_not: tuple[str, ...] = ()
    deadline: float | None = None

    def is_sweep(self, situations: Sequence[str], *, keep: bool) -> bool:
        """True for a sweep. Misuse for what goes with a sweep alone, or with none."""
        if not self.sweep:
            mine = {
                "--cell": self.cells, "--limit": self.limit, "--minutes": self.minutes, "--results": self.results,
                "--prints": self.prints, "--prints-not": self.prints_not,
            }  # fmt: skip
            if said := [name for name, value in mine.items() if value not in (None, ())]:
                raise Misuse(_("{name} goes with --sweep").format(name=said[0]))
            return False
        if len(situations) > 1:
            raise Misuse(_("--sweep plays one situation, {count} are named").format(count=len(situations)))
        if keep:
            raise Misuse(
                _("--keep goes without --sweep: play the one cell again with `sscard run --fault` to look at it")
            )
        return True

    def options(self, more: Sequence[str]) -> list[str]:
        """The options by which one cell is judged as all were."""
        told = [*more, *([] if self.seed is None else ["--seed", str(self.seed)])]
        told += [] if self.deadline is None else ["--timeout", f"{self.deadline:g}"]
        for name, patterns in (("--prints", self.prints), ("--prints-not", self.prints_not)):
            told += [part for one in patterns for part in (name, one)]
        return told


FILE = click.Path(dir_okay=False, path_type=Path)
OPTIONS = (
    click.option("--sweep", is_flag=True, help="Every fault at every command, each in a run of its own."),
    click.option(
        "--cell", "cells", multiple=True, metavar="N:FAULT", help="With --sweep: this cell, as 17:power-cut,after=3."
    ),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="With --sweep: so many cells, by --seed. [all]"),
    click.option(
        "--minutes",
        type=usage.Amount(0, min_open=True),
        metavar="N",
        help="With --sweep: begin none after so long.",
    ),
    click.option("--results", type=FILE, metavar="FILE", help="With --sweep: keep them here; go on with what is here."),
    click.option("--prints", multiple=True, metavar="REGEX", help="With --sweep: a run that works prints this."),
    click.option("--prints-not", multiple=True, metavar="REGEX", help="With --sweep: no run may print this."),
)


def options(command: Command) -> Command:
    """Adds a sweep's options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def again(plan: ProvingPlan, program: Sequence[str], options: Sequence[str]) -> Callable[[Cell], str]:
    """Who says how a cell is played again."""
    from harness.proving import report

    situation = plan.cases[0].situation
    return lambda cell: report.again(plan, program, situation, [*options, "--sweep", "--cell", str(cell)])


def run(
    request: RunRequest,
    chosen: Chosen,
    runs: Runs,
    line: Callable[[Cell], str],
    to: Goal | None = None,
    *,
    product: str = "",
    environment: Environment | None = None,
    as_json: bool = False,
    progress: Progress | None = None,
) -> int:
    """Plays a sweep, tells it, and gives the exit code. See ``swept.sweep`` for what is raised."""
    from harness.proving.sweep import report as sweeps
    from harness.proving.sweep import store, swept
    from harness.proving.sweep.grid import Cell
    from harness.proving.sweep.swept import Bounds

    expected = request.expectation
    request = replace(
        request,
        expectation=replace(
            expected,
            prints=(*expected.prints, *map(_pattern, chosen.prints)),
            prints_not=(*expected.prints_not, *map(_pattern, chosen.prints_not)),
        ),
    )
    with usage.of("--cell"):
        cells = tuple(map(Cell.parse, chosen.cells))
    bounds = Bounds(cells, chosen.limit or 0, chosen.minutes or 0.0, chosen.seed or 0)
    last: list[Swept] = []
    shown = progress or _OnTerminal()

    def tell(so_far: Swept) -> None:
        last[:] = [so_far]
        shown.tell(so_far)

    cut_short = False
    with store.opened(chosen.results) as results:
        try:
            last[:] = [swept.sweep(request, bounds, runs, results, tell, deadline=chosen.deadline)]
        except KeyboardInterrupt:
            if not last:
                raise
            cut_short = True
        finally:
            shown.end()
    (found,) = last
    if to is not None or as_json:
        table = _table(found, line, product, environment, cut_short=cut_short)
        if to is not None:
            from harness.verdicts import report

            report.write(to, table)
        if as_json:
            click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    if not as_json:
        say(*sweeps.as_text(found, line))
    if cut_short:
        done = _("{count} cells were played").format(count=len(found.played))
        interrupt.tell(outputs.cut_short(done, to.folder if to else None))
        return interrupt.INTERRUPTED
    return sweeps.exit_code(found)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise Misuse(_("{text!r}: not a regular expression: {error}").format(text=text, error=error)) from None
    return text


def _table(
    found: Swept, line: Callable[[Cell], str], product: str, environment: Environment | None, *, cut_short: bool
) -> dict[str, Any]:
    from harness.proving.sweep import report as sweeps
    from harness.verdicts import environment as environments
    from harness.verdicts import report
    from harness.verdicts.report import Context

    target = _("sweep 故障扫描: {program}").format(program=Path(found.request.argv[0]).name)
    target += _("; interrupted") if cut_short else ""
    date = environments.now()
    session = report.named(sweeps.heard(found), date)
    context = Context(
        target, found.request.situation.name, date, product, frozenset(), session=session,
        asked=sweeps.asked(found, cut_short=cut_short), environment=environment,
    )  # fmt: skip
    return {**report.as_table(list(sweeps.results(found, line)), [], context), "sweep": sweeps.as_data(found, line)}


class Progress(Protocol):
    """Who is told how far a sweep is."""

    def tell(self, so_far: Swept) -> None:
        """One more cell was played."""

    def end(self) -> None:
        """No more is told: the next line is another's."""


def progress_as(how: str) -> Progress | None:
    """Who is told, by the value of ``--progress``; None for the usual."""
    return _ForPrograms() if how == JSON else None


class _ForPrograms:
    """How far a sweep is, for programs."""

    def __init__(self) -> None:
        self._lines = ForPrograms(0)

    def tell(self, so_far: Swept) -> None:
        """One more cell was played."""
        self._lines.tell(len(so_far.played), _bad(so_far), total=len(so_far.chosen))

    def end(self) -> None:
        """Says how far it came."""
        self._lines.end()


def _bad(so_far: Swept) -> int:
    from harness.proving.sweep.outcome import BAD

    return sum(count for outcome, count in so_far.counts.items() if outcome in BAD)


class _OnTerminal:
    """How far a sweep is, on stderr: on one line of a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = time.monotonic()
        self._open = False

    def tell(self, so_far: Swept) -> None:
        """One more cell was played."""
        now = time.monotonic()
        if now - self._last < (EVERY if self._shown else SELDOM) and so_far.left:
            return
        self._last = now
        words = _("sweep 扫描: {done} of {total} cells, {bad} bad, {minutes:.1f} min left").format(
            done=len(so_far.played), total=len(so_far.chosen), bad=_bad(so_far), minutes=so_far.seconds_left / 60
        )
        if self._shown:
            over_the_last(words, ROOM)
        else:
            click.echo(words, err=True)
        self._open = self._shown

    def end(self) -> None:
        """No more is told: the next line is another's."""
        if self._open:
            click.echo(err=True)
