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
from harness.scenarios.record import Record
from harness.scenarios.stage import Stage
from harness.verdicts import workers
from harness.verdicts.log import Log
from harness.verdicts.verdict import Result, Verdict

WORTH_PROCESSES = 12
"""Fewer are done before other processes have started."""


def play_to(scenario: Scenario, play: Play, end: int, record: Record | None = None) -> None:
    """Plays and checks the first ``end`` steps; StepFailed, naming the step. ``record`` is told of each."""
    record = record or Record(scenario, play.stage)
    for number, step in enumerate(scenario.steps[:end], 1):
        name = ", ".join(filter(None, (": ".join(filter(None, (step.action, step.operation))), step.name)))
        record.begins(number)
        try:
            ended = play.step(step)
            outcome.check(play, step, ended, record.cards)
        except SscardError as failure:
            record.ended(step, ok=False, why=str(failure))
            told = _("step {number} ({name}): {failure}")
            raise StepFailed(told.format(number=number, name=name, failure=failure)) from None
        except Exception as error:
            record.ended(step, ok=None, why=_fault(error))
            raise
        record.ended(step, ok=True, why=ended.why)


def run_one(scenario: Scenario, profile: str) -> Result:
    """One scenario on one kind of card: its verdict, never an exception of its own."""
    began = time.perf_counter()
    if profile not in scenario.cards:
        reason = _("it is for {cards}, not for {profile}").format(cards=", ".join(scenario.cards), profile=profile)
        return Result(as_subject(scenario), profile, Verdict.NOT_APPLICABLE, reason, 0.0, heard=Log().heard)
    with (
        tempfile.TemporaryDirectory(prefix="sscard-office-") as folder,
        Stage(Path(folder), scenario.start, profile, scenario.id) as stage,
    ):
        record = Record(scenario, stage)
        verdict, reason = _judged(scenario, stage, record)
        lines, heard = tuple(stage.log.lines[-AROUND:]), stage.log.heard
    return Result(
        as_subject(scenario), profile, verdict, reason, time.perf_counter() - began, lines, heard,
        steps=record.steps, register=record.register, cards=record.in_cards,
    )  # fmt: skip


def _judged(scenario: Scenario, stage: Stage, record: Record) -> tuple[Verdict, str]:
    try:
        play_to(scenario, Play(scenario, stage), len(scenario.steps), record)
        with stage.register.transaction() as session:
            broken = audit.broken(session)
    except StepFailed as failure:
        return Verdict.FAILED, str(failure)
    except Exception as error:  # a run goes on, whatever one scenario does
        return Verdict.UNDEFINED, _fault(error)
    if broken is not None:
        return Verdict.FAILED, _("the audit trail's seal is broken at line {broken}").format(broken=broken)
    return Verdict.PASSED, ""


def _fault(error: Exception) -> str:
    return _("a fault of this program's own: {name}: {error}").format(name=type(error).__name__, error=error)


def run(scenarios: Sequence[Scenario], profiles: Sequence[str] = ()) -> Iterator[Result]:
    """All of them, in order, on these kinds of card, each on its own kinds where none is named; on all processors."""
    cases = [(one, profile) for one in scenarios for profile in profiles or one.cards]
    if len(cases) < WORTH_PROCESSES or workers.processors() == 1:
        yield from starmap(run_one, cases)
        return
    with workers.pool() as pool:
        yield from pool.map(run_one, *zip(*cases, strict=True))
