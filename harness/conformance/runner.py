"""Runs vectors on a target, one after another or, on virtual cards, on all processors at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from emulator import catalogue
from emulator.errors import CardFailure, NotFound
from emulator.filesystem.layouts.items import ItemError
from emulator.messages import _
from harness.conformance import names, step_words
from harness.conformance.applicability import applicable
from harness.conformance.models import Step
from harness.conformance.plan import ordered
from harness.conformance.play import Missing, Unsuitable
from harness.conformance.steps import StepFailed, Steps
from harness.conformance.targets.reader import CardInReader, has_left
from harness.conformance.targets.replay import RecordingEnds
from harness.conformance.targets.target import Target
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector
from harness.keys.roots import UnknownKey
from harness.verdicts import workers
from harness.verdicts.causes import Cause
from harness.verdicts.log import Log
from harness.verdicts.steps import StepResult
from harness.verdicts.subject import Grade
from harness.verdicts.verdict import Result, Verdict

__all__ = ["NextCard", "Stepper", "applicable", "run", "run_one"]
WORTH_PROCESSES = 60
"""Fewer vectors are done before other processes have started."""
AROUND = 24
"""Exchanges that a result keeps, the last ones."""
ON_ANOTHER_CARD = frozenset({Cause.SPOILED, Cause.LOCKED, Cause.FEW_TRIES})
"""Causes that another card has not."""

NextCard = Callable[[CardInReader, int], CardInReader | None]
"""Gives the next card, as the one at hand has so many vectors left that it cannot serve any more; None for none."""


class Stepper(Protocol):
    """Is told of each step before it is done, and lets it be done by returning."""

    def begins(self, vector: Vector, number: int, step: Step, log: Log) -> None:
        """The ``number``-th step of a vector, from 1; ``log``: what went over till then."""


@dataclass(slots=True)
class _Watch:
    """Numbers what is written down by its step, and tells the stepper."""

    vector: Vector
    log: Log
    stepper: Stepper | None
    reached: int = 0
    """The number of the last step that began, 0 where none did."""
    why: str = ""
    """What was wrong with it."""
    failed: bool = False

    def begins(self, number: int, step: Step) -> None:
        """Notes that a step begins, and waits where steps are done one at a time."""
        self.log.step = self.reached = number
        if self.stepper is not None:
            self.stepper.begins(self.vector, number, step, self.log)

    def steps(self, verdict: Verdict, reason: str) -> Iterator[StepResult]:
        """What each step came to, where any began; those after the last that did are not judged."""
        if not self.reached:
            return
        passed = verdict is Verdict.PASSED
        for number, step in enumerate(self.vector.steps, 1):
            en, zh = step_words.words(step)
            if number == self.reached and not passed:
                yield StepResult(number, en, zh, False if self.failed else None, self.why or reason)
            else:
                yield StepResult(number, en, zh, True if number < self.reached or passed else None)


def run_one(
    vector: Vector, target: Target, *, allow_destructive: bool = False, strict: bool = False,
    show_secrets: bool = False, stepper: Stepper | None = None,
) -> Result:  # fmt: skip
    """One vector: its verdict, never an exception of its own. ``strict``: what only we decided fails a card too. What a
    person's card gave is quoted with ``show_secrets`` only; virtual cards are nobody's.
    """
    began = time.perf_counter()
    log = Log(private=not isinstance(target, Virtual))
    quotes = isinstance(target, Virtual) or show_secrets
    watch = _Watch(vector, log, stepper)
    verdict, reason, cause = _judged(
        vector, target, watch, allow_destructive=allow_destructive, strict=strict, quotes=quotes
    )
    seconds = time.perf_counter() - began
    lines = tuple(log.lines[-AROUND:])
    steps = tuple(watch.steps(verdict, reason))
    return Result(vector, target.profile.name, verdict, reason, seconds, lines, log.heard, cause, steps)


def _judged(
    vector: Vector, target: Target, watch: _Watch, *, allow_destructive: bool, strict: bool, quotes: bool
) -> tuple[Verdict, str, str]:  # fmt: skip
    """Returns verdict, reason and cause."""
    try:
        refusal = applicable(vector, target, allow_destructive=allow_destructive)
        if refusal:
            return refusal.verdict, refusal.reason, refusal.cause or ""
        lacking = names.lacking(vector, catalogue.found_over(target.layout_for(vector), target.profile.interface))
        if lacking:
            return Verdict.NOT_APPLICABLE, lacking, ""
        _play(vector, target, watch, quotes=quotes)
        return Verdict.PASSED, "", ""
    except Unsuitable as error:
        return Verdict.NOT_APPLICABLE, str(error), ""
    except Missing as error:
        return Verdict.MISSING, str(error), error.cause
    except StepFailed as failure:
        watch.why, watch.failed = failure.why, True
        only_ours = failure.ours or vector.grade is Grade.OWN
        ours = target.physical and not strict and not vector.overlay and only_ours
        return Verdict.WARNING if ours else Verdict.FAILED, str(failure), ""
    except ItemError as error:
        return Verdict.UNDEFINED, str(error) if quotes else _("a value does not fit its item"), Cause.NO_ANSWER
    except NotFound as error:
        return Verdict.MISSING, str(error), Cause.NO_KEY if isinstance(error, UnknownKey) else Cause.OTHER
    except (CardFailure, OSError) as error:
        return Verdict.UNDEFINED, str(error), Cause.CARD_LEFT if has_left(error) else Cause.NO_ANSWER
    except Exception as error:  # a run goes on, whatever one vector does
        words = f"{type(error).__name__}: {error}" if isinstance(target, Virtual) else type(error).__name__
        return Verdict.UNDEFINED, _("a fault of this program's own: {words}").format(words=words), Cause.OUR_FAULT


def _play(vector: Vector, target: Target, watch: _Watch, *, quotes: bool) -> None:
    """In every way that it is for, or where it is first found in a recording. StepFailed, Missing, Unsuitable."""
    ways = 0
    for play in target.opened(vector, watch.log):
        watch.log.lines.clear()
        watch.reached = 0
        try:
            Steps(play, quotes=quotes).run(vector, watch)
        except RecordingEnds:
            continue  # it may begin at a later reset
        except StepFailed:
            # What a driver makes of a command that was not let through says nothing of the card.
            if (stopped := play.stopped()) is not None:
                raise stopped from None
            raise
        finally:
            watch.log.step = 0
        if (stopped := play.stopped()) is not None:
            raise stopped
        if target.searching:
            return
        ways += 1
    if not ways:
        raise Missing(_("nothing to run it on"), Cause.NOT_RECORDED if target.searching else Cause.OTHER)


def run(
    vectors: Sequence[Vector], target: Target, *, allow_destructive: bool = False, strict: bool = False,
    show_secrets: bool = False, stepper: Stepper | None = None, next_card: NextCard | None = None,
) -> Iterator[Result]:  # fmt: skip
    """All of them, as they are done: in order, but on a card in a reader, where those that harm it come last.

    ``next_card``: asked for another card where one is used up.
    """
    work = partial(
        run_one, allow_destructive=allow_destructive, strict=strict, show_secrets=show_secrets, stepper=stepper
    )  # fmt: skip
    if isinstance(target, CardInReader):
        yield from _on_cards(vectors, target, work, next_card)
        return
    processors = workers.processors()
    if not isinstance(target, Virtual) or len(vectors) < WORTH_PROCESSES or processors == 1 or stepper is not None:
        yield from (work(vector, target) for vector in vectors)
        return
    target.load(vectors)
    with workers.pool() as pool:
        chunk = max(1, len(vectors) // (8 * processors))
        yield from pool.map(partial(work, target=target), vectors, chunksize=chunk)


def _on_cards(
    vectors: Sequence[Vector], card: CardInReader, work: Callable[..., Result], next_card: NextCard | None
) -> Iterator[Result]:
    """On one card after another, as long as there is a next one and it serves at least one vector more."""
    left, at_hand = list(vectors), card
    while left:
        wanting: list[tuple[Vector, Result]] = []
        try:
            for vector in ordered(left, at_hand):
                result = work(vector, at_hand)
                if next_card is not None and result.cause in ON_ANOTHER_CARD:
                    wanting.append((vector, result))
                else:
                    yield result
        finally:
            at_hand.finish()
        served = len(wanting) < len(left)
        another = next_card(at_hand, len(wanting)) if next_card is not None and wanting and served else None
        if another is None:
            yield from (result for __, result in wanting)
            return
        left, at_hand = [vector for vector, __ in wanting], another
