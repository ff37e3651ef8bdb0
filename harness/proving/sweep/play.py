"""The runs of a sweep: the sound ones that all is held against, and each cell's two, with its fault and without."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.faults.plan import FaultError
from harness.proving import judging, one_run, output
from harness.proving.run_folder import run_folder
from harness.proving.runs import Ending, Expectation, RunRequest, RunResult
from harness.proving.sweep import grid, outcome
from harness.proving.sweep.grid import Cell, Recorded
from harness.proving.sweep.outcome import Judged, Outcome, Ran, Sound
from harness.proving.sweep.store import Kept
from harness.trace.read import Event
from harness.verdicts.verdict import Verdict

FOLDER = "SSCARD_RUN_FOLDER"
"""Names a folder to the program that both runs of a cell share, and no others; ``{folder}`` in an argument is it."""
PLACE = "{folder}"
BETWEEN = 60.0
"""Seconds that are taken to pass between the two runs of a cell: a clerk begins anew."""
UNFORESEEN = re.compile(
    r"^(Traceback \(most recent call last\):|Exception in thread |panic: |fatal error: |Unhandled exception|"
    r"terminate called |.*AddressSanitizer:|.*runtime error: |Segmentation fault)",
    re.MULTILINE,
)
"""What programs print when an error ends them that they did not foresee."""
KIND = re.compile(r"^([A-Za-z_][A-Za-z0-9_.]*)(?::|$)")
"""How the last line of such a text begins, where it names the kind of the error."""
SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""


class SoundError(SscardError, RuntimeError):
    """The program without a fault is nothing that a sweep can be held against: why, and what to do."""

    kind = ErrorKind.REFUSED
    exit_code = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """The sound run: what all cells are held against, its commands, its exit code, how long it took, and what of it
    is to be told; ``steady``: a second one took the same way.
    """

    sound: Sound
    commands: tuple[Recorded, ...]
    exit_code: int | None
    seconds: float
    steady: bool
    again_wrong: bool = False


@dataclass(frozen=True, slots=True)
class CellRequest:
    """A cell to be played. ``request``: the program in its situation, without faults."""

    request: RunRequest
    baseline: Baseline
    cell: Cell
    seed: int = 0


def record(request: RunRequest) -> Baseline | str:
    """Plays the program without a fault: once on a fresh card, once more on that card, and on another fresh one, which
    shows what differs by itself. Where it does not do its work: why, as another process cannot raise it here.
    """
    try:
        return _recorded(request)
    except SoundError as error:
        return str(error)


def _recorded(request: RunRequest) -> Baseline:
    request = replace(request, faults=None, personal_data=True)
    first, second = _pair(request, request)
    _sound(first, request)
    other = _alone(request)
    if first.before is None or first.after is None or second.after is None or other.after is None:
        raise SoundError(_("the program could not be run: {reason}").format(reason="; ".join(second.reasons)))
    commands = tuple(grid.recorded(_events(first.trace), one_run.USER))
    ways = [[(one.instruction, one.sw) for one in run.sent] for run in (first, other)]
    sound = Sound(
        before=first.before,
        after=first.after,
        again=second.after,
        again_succeeds=second.exit_code == first.exit_code,
        varying=outcome.differing(other.after, first.after),
        broken=_broken(request, first, second),
        output=bool(request.expectation.prints),
    )
    again_wrong = bool(_wrong(second, request.expectation, succeeded=True))
    return Baseline(sound, commands, first.exit_code, first.seconds, ways[0] == ways[1], again_wrong)


def _sound(run: RunResult, request: RunRequest) -> None:
    """SoundError for a first run that is none to be held against. Broken rules are told, and do not hinder."""
    rules = {one.subject.id for one in run.rules}
    wrong = [one.reason for one in run.checks if one.verdict is Verdict.FAILED and one.what not in rules]
    if run.ending in (Ending.NOT_RUN, Ending.NOT_STARTED):
        wrong = list(run.reasons)
    if wrong:
        # A reason may quote what was printed, and that the card.
        reasons = output.hidden("; ".join(wrong), request.situation.card())
        raise SoundError(
            _("without a fault the program does not do its work: {reasons}; prove that first, without --sweep").format(
                reasons=reasons
            )
        )
    if not run.sent:
        raise SoundError(_("without a fault the program sent no command to the card: there is nothing to sweep"))


def play_cell(asked: CellRequest) -> Kept:
    """Plays one cell: the program with the fault, then without on the card as it was left."""
    request = replace(asked.request, personal_data=True)
    try:
        faulty = replace(request, faults=asked.cell.plan(asked.seed))
    except FaultError as error:
        return Kept(asked.cell, Judged(Outcome.UNDEFINED, (str(error),), False), 0.0)
    first, second = _pair(faulty, request)
    seconds = sum(one.seconds + one.overhead for one in (first, second))
    ended = "; ".join(map(_ended, (first, second)))
    for run in (first, second):
        if run.ending in (Ending.NOT_RUN, Ending.NOT_STARTED) or run.after is None:
            return Kept(asked.cell, Judged(Outcome.UNDEFINED, run.reasons, False), seconds, ended)
    broken = _broken(request, first, second)
    baseline = asked.baseline
    expected = request.expectation
    rans = _ran(first, baseline, expected), _ran(second, baseline, expected, again=True)
    judged = outcome.judge(baseline.sound, *rans, reached=bool(first.injected), broken=broken)
    return Kept(asked.cell, judged, seconds, ended)


def _pair(first: RunRequest, second: RunRequest) -> tuple[RunResult, RunResult]:
    """Two runs on one card, with one folder."""
    with run_folder() as folder:
        one = one_run.play(_placed(first, str(folder)))
        if not one.image:
            return one, one
        # Not the same challenges once more: no card gives them, and the rules would see a replay.
        seed = None if second.seed is None else second.seed + 1
        return one, one_run.play(_placed(replace(second, image=one.image, seed=seed), str(folder)))


def _alone(request: RunRequest) -> RunResult:
    with run_folder() as folder:
        return one_run.play(_placed(request, str(folder)))


def _placed(request: RunRequest, folder: str) -> RunRequest:
    return replace(
        request,
        argv=tuple(one.replace(PLACE, folder) for one in request.argv),
        environment={**request.environment, FOLDER: folder},
    )


def _ran(run: RunResult, baseline: Baseline, expected: Expectation, *, again: bool = False) -> Ran:
    assert run.after is not None
    succeeded = run.ending is Ending.EXITED and run.exit_code == baseline.exit_code
    return Ran(
        card=run.after,
        succeeded=succeeded,
        crashed="" if succeeded else _crashed(run),
        hung=run.ending is Ending.HUNG,
        wrong=() if again and baseline.again_wrong else _wrong(run, expected, succeeded=succeeded),
        printed=bool(run.printed),
        unread=run.cut,
    )


def _crashed(run: RunResult) -> str:
    """How an error ended the program that it did not foresee; empty if none did."""
    number = run.signal if run.ending is Ending.KILLED else (run.exit_code or 0) - SIGNALLED
    if number is not None and number > 0 and (run.ending is Ending.KILLED or number in list(signal.Signals)):
        return _("it was ended by {signal}").format(signal=_name(number))
    if run.ending is Ending.EXITED and (found := UNFORESEEN.search(run.output)):
        # The kind of the error alone: its words may quote the card.
        kind = KIND.search(run.output[found.start() :].strip().splitlines()[-1])
        return _("it ended with {error}").format(error=kind[1] if kind else found[1].strip(" :"))
    return ""


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _wrong(run: RunResult, expected: Expectation, *, succeeded: bool) -> tuple[str, ...]:
    """What was printed that must not be; of a run that claims success also what was not printed and must be."""
    due = expected if succeeded else replace(expected, prints=())
    checks = judging.of_output(run.output, run.printed, due, cut=run.cut)
    return tuple(one.reason for one in checks if one.verdict is Verdict.FAILED)


def _ended(run: RunResult) -> str:
    if run.ending is Ending.EXITED:
        return _("exit code {code}").format(code=run.exit_code)
    return _name(run.signal) if run.ending is Ending.KILLED and run.signal else str(run.ending)


def _broken(request: RunRequest, first: RunResult, second: RunResult) -> frozenset[str]:
    """The rules whose breach is an error that two runs on one card break, taken as one session: what the first left
    undone the second may do.
    """
    monitor = one_run.monitor_of(request.situation.card(), request.situation)
    for event in _joined(first.trace, second.trace):
        monitor.hear(event)
    monitor.end()
    return frozenset(
        one.subject.id
        for one in monitor.results()
        if one.verdict is Verdict.FAILED and one.subject.id not in request.forgiven
    )


def _events(trace: str) -> Iterator[Event]:
    for number, line in enumerate(trace.splitlines(), 1):
        yield Event.of(number, json.loads(line))


def _joined(first: str, second: str) -> Iterator[Event]:
    """Two traces of the same cards as one. PINs' marks are each trace's own: to the rules the cardholder may have typed
    another one meanwhile.
    """
    cards: dict[int, str] = {}
    number, now, base = 0, 0.0, None
    for trace in (first, second):
        for line in trace.splitlines():
            table: dict[str, Any] = json.loads(line)
            number += 1
            if trace is second:
                base = table["t"] if base is None else base
                table["t"] = now + BETWEEN + table["t"] - base
                if "card" in table:
                    table["card"] = cards.get(table["slot"], table["card"])
            else:
                now = table["t"]
                if "card" in table:
                    cards[table["slot"]] = table["card"]
            yield Event.of(number, table)
