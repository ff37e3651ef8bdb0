"""Runs scenarios, each on a fresh register and fresh cards, as the conformance runner runs vectors: six verdicts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import starmap
from pathlib import Path

from emulator.errors import SscardError
from emulator.messages import _
from harness.conformance.runner import AROUND
from harness.conformance.steps import StepFailed
from harness.office.register import audit
from harness.scenarios import outcome
from harness.scenarios.model import Scenario, as_subject
from harness.scenarios.play import Play
from harness.scenarios.stage import Stage
from harness.verdicts import workers
from harness.verdicts.log import Log
from harness.verdicts.verdict import Result, Verdict

WORTH_PROCESSES = 12
"""Fewer are done before other processes have started."""


def play_to(scenario: Scenario, play: Play, end: int) -> None:
    """Plays and checks the first ``end`` steps; StepFailed, naming the step."""
    for number, step in enumerate(scenario.steps[:end], 1):
        name = ", ".join(filter(None, (": ".join(filter(None, (step.action, step.operation))), step.name)))
        before = play.stage.pocket.snapshot()
        try:
            outcome.check(play, step, play.step(step), before)
        except SscardError as failure:
            told = _("step {number} ({name}): {failure}")
            raise StepFailed(told.format(number=number, name=name, failure=failure)) from None


def run_one(scenario: Scenario, profile: str) -> Result:
    """One scenario on one kind of card: its verdict, never an exception of its own."""
    began = time.perf_counter()
    log = Log()
    if profile in scenario.cards:
        with (
            tempfile.TemporaryDirectory(prefix="sscard-office-") as folder,
            Stage(Path(folder), scenario.start, profile, scenario.id) as stage,
        ):
            verdict, reason = _judged(scenario, stage)
            log = stage.log
    else:
        verdict, reason = (
            Verdict.NOT_APPLICABLE,
            _("it is for {cards}, not for {profile}").format(cards=", ".join(scenario.cards), profile=profile),
        )
    seconds = time.perf_counter() - began
    return Result(as_subject(scenario), profile, verdict, reason, seconds, tuple(log.lines[-AROUND:]), log.heard)


def _judged(scenario: Scenario, stage: Stage) -> tuple[Verdict, str]:
    try:
        play_to(scenario, Play(scenario, stage), len(scenario.steps))
        with stage.register.transaction() as session:
            broken = audit.broken(session)
    except StepFailed as failure:
        return Verdict.FAILED, str(failure)
    except Exception as error:  # a run goes on, whatever one scenario does
        return Verdict.UNDEFINED, _("a fault of this program's own: {name}: {error}").format(
            name=type(error).__name__, error=error
        )
    if broken is not None:
        return Verdict.FAILED, _("the audit trail's seal is broken at line {broken}").format(broken=broken)
    return Verdict.PASSED, ""


def run(scenarios: Sequence[Scenario], profiles: Sequence[str] = ()) -> Iterator[Result]:
    """All of them, in order, on these kinds of card, each on its own kinds where none is named; on all processors."""
    cases = [(one, profile) for one in scenarios for profile in profiles or one.cards]
    if len(cases) < WORTH_PROCESSES or workers.processors() == 1:
        yield from starmap(run_one, cases)
        return
    with workers.pool() as pool:
        yield from pool.map(run_one, *zip(*cases, strict=True))
