"""Judges counter software by a scenario: what it did to a step's card is held against what the step expects, what the
register then says, and what the office's own terminal leaves.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.errors import NotFound
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from harness.conformance.play import Missing
from harness.conformance.runner import AROUND
from harness.conformance.steps import StepFailed
from harness.images import compare
from harness.office.register import queries
from harness.scenarios import facts, outcome, replay, values, words
from harness.scenarios.checking import USUAL
from harness.scenarios.model import Scenario, ScenarioError, as_subject
from harness.scenarios.models import Ending, Step
from harness.scenarios.play import Play
from harness.scenarios.runner import play_to
from harness.scenarios.stage import BLANK, Stage
from harness.trace.read import Event
from harness.verdicts.log import Log
from harness.verdicts.steps import StepResult
from harness.verdicts.verdict import Result, Verdict

OK = {Verdict.PASSED: True, Verdict.WARNING: True, Verdict.FAILED: False}
"""What a verdict makes of the step that was judged."""


def usual(scenario: Scenario) -> str:
    """The kind of card that is meant where none is named."""
    return USUAL if USUAL in scenario.cards else scenario.cards[0]


@contextmanager
def before(scenario: Scenario, name: str, profile: str = "") -> Iterator[tuple[Play, Step, str]]:
    """The scenario just before a step: the play, the step, the name of the card that is then in the reader.

    ``profile`` empty: the usual one. StepFailed where the scenario fails before; LookupError
    for a step that is not there, ScenarioError for one that no other software can do.
    """
    at = scenario.index(name)
    step = scenario.steps[at]
    if not step.for_software:
        raise ScenarioError(
            _(
                "{id}, step {name}: software under test can be given an operation with a card in the "
                "reader, and not torn out: this step is none such"
            ).format(id=scenario.id, name=name)
        )
    profile = profile or usual(scenario)
    if profile not in scenario.cards:
        raise ScenarioError(
            _("{id} is for {cards}, not for {profile}").format(
                id=scenario.id, cards=", ".join(scenario.cards), profile=profile
            )
        )
    with (
        tempfile.TemporaryDirectory(prefix="sscard-office-") as folder,
        Stage(Path(folder), scenario.start, profile, scenario.id) as stage,
    ):
        play = Play(scenario, stage)
        play_to(scenario, play, at)
        yield play, step, play.card_name(step)


def card_of(play: Play, card: str) -> Image:
    """That card as it is now, a copy. LookupError."""
    if card not in play.stage.pocket.chips:
        raise NotFound(_("no card {card} was made in this scenario").format(card=card))
    return play.stage.pocket.chips[card].image.fork()


def judge(scenario: Scenario, name: str, trace: Path, *, slot: int = 0, profile: str = "") -> Result:
    """What software under test did in place of a step, by its recording. TraceError, LookupError, ScenarioError."""
    began = time.perf_counter()
    log = Log(private=True)
    profile = profile or usual(scenario)
    try:
        with before(scenario, name, profile) as (play, step, card):
            verdict, reason = _judged(play, step, card, replay.events(trace, slot), log)
    except Missing as missing:
        verdict, reason = Verdict.MISSING, str(missing)
    except StepFailed as failure:
        verdict, reason = (
            Verdict.UNDEFINED,
            _("the scenario itself fails here, on our own office: {failure}").format(failure=failure),
        )
    if verdict is Verdict.FAILED and scenario.grade == "D":
        verdict = Verdict.WARNING
    seconds = time.perf_counter() - began
    return Result(
        as_subject(scenario), profile, verdict, reason, seconds, tuple(log.lines[-AROUND:]), log.heard,
        steps=tuple(_steps(scenario, scenario.index(name), verdict, reason)),
    )  # fmt: skip


def _steps(scenario: Scenario, at: int, verdict: Verdict, reason: str) -> Iterator[StepResult]:
    """The steps up to the one that was judged: those before it are our own office's, and lead there."""
    for number, step in enumerate(scenario.steps[: at + 1], 1):
        if number <= at:
            yield StepResult(number, *words.of(step), None, _("done by our own office: it leads to the judged step"))
        else:
            yield StepResult(number, *words.of(step), OK.get(verdict), reason)


def _judged(play: Play, step: Step, card: str, recorded: list[Event], log: Log) -> tuple[Verdict, str]:
    theirs = card_of(play, card)
    held = play.stage.pocket.snapshot()
    replay.replay(theirs, recorded, log)
    ended = play.step(step)
    outcome.check(play, step, ended, held)
    number = ended.card if card == BLANK else card
    ours = card_of(play, number)
    usual = set(_disagreements(play, number))
    play.stage.pocket.put(number, theirs)
    wrong = list(_unexpected(play, step, number, held))
    wrong += [one for one in _disagreements(play, number) if one not in usual]
    more = compare.cells(ours.layout, ours.memory.snapshot(), theirs.memory.snapshot())
    if more and step.expected is not Ending.DONE:
        wrong.append(
            _("不予办理的业务改动了卡 refused, and the card was changed all the same: {more}").format(
                more="; ".join(more)
            )
        )
    if wrong:
        return Verdict.FAILED, "; ".join(wrong)
    if more:
        changes = "; ".join(more)
        return (
            Verdict.WARNING,
            _("卡内另有改动 besides what the step asks, the card is not as our terminal leaves it: {changes}").format(
                changes=changes
            ),
        )
    return Verdict.PASSED, ""


def _unexpected(play: Play, step: Step, number: str, held: outcome.Snapshots) -> Iterator[str]:
    """What the step expects of the chip and is not so."""
    for look in step.looks:
        looked_at = number if look.card is None else str(values.referred(look.card, play.names))
        if look.chip is not None and looked_at == number:
            try:
                outcome.check_chip(play, number, look.chip, held)
            except StepFailed as failure:
                yield _("卡内状态不符 {failure}").format(failure=failure)


def _disagreements(play: Play, number: str) -> list[str]:
    """Where the register says otherwise than the card that is in the pocket."""
    with play.stage.register.transaction() as session:
        card = queries.card(session, number)
        return facts.disagreements(card, play.stage.pocket.chips[number].image) if card is not None else []
