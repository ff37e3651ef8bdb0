"""Runs vectors on a target, one after another or, on virtual cards, on all processors at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

from emulator.errors import CardFailure, NotFound
from emulator.filesystem.layouts.items import ItemError
from harness.conformance import names
from harness.conformance.play import Missing, Unsuitable
from harness.conformance.steps import StepFailed, Steps
from harness.conformance.targets.replay import RecordingEnds
from harness.conformance.targets.target import Target
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector
from harness.verdicts import workers
from harness.verdicts.log import Log
from harness.verdicts.subject import Grade
from harness.verdicts.verdict import Result, Verdict

WORTH_PROCESSES = 60
"""Fewer vectors are done before other processes have started."""
AROUND = 24
"""Exchanges that a result keeps, the last ones."""


def applicable(vector: Vector, target: Target, *, allow_destructive: bool) -> tuple[Verdict, str] | None:
    """Why a vector is not run on this target; None if it is."""
    profile = target.profile
    if not vector.applies(profile.version, profile.algorithm):
        return Verdict.NOT_APPLICABLE, f"it is for {_words(vector)}, not for {profile.name}"
    lacking = sorted(vector.features - profile.features)
    if lacking:
        why = "only a virtual card can be torn from power or put into any state" if "virtual" in lacking else "lacking"
        return Verdict.NOT_APPLICABLE, f"{why}: {', '.join(lacking)}"
    if target.physical and not allow_destructive and (vector.destructive or vector.costs_tries):
        what = "it changes the card for ever" if vector.destructive else "it spends tries"
        return Verdict.MISSING, f"{what}: --allow-destructive"
    return None


def _words(vector: Vector) -> str:
    return " and ".join(", ".join(part) for part in (vector.versions, vector.algorithms) if part)


def run_one(
    vector: Vector, target: Target, *, allow_destructive: bool = False, strict: bool = False, show_secrets: bool = False
) -> Result:
    """One vector: its verdict, never an exception of its own. ``strict``: what only we decided fails a card too. What a
    person's card gave is quoted with ``show_secrets`` only; virtual cards are nobody's.
    """
    began = time.perf_counter()
    log = Log(private=not isinstance(target, Virtual))
    quotes = isinstance(target, Virtual) or show_secrets
    verdict, reason = _judged(vector, target, log, allow_destructive=allow_destructive, strict=strict, quotes=quotes)
    seconds = time.perf_counter() - began
    return Result(vector, target.profile.name, verdict, reason, seconds, tuple(log.lines[-AROUND:]), log.heard)


def _judged(
    vector: Vector, target: Target, log: Log, *, allow_destructive: bool, strict: bool, quotes: bool
) -> tuple[Verdict, str]:  # fmt: skip
    refusal = applicable(vector, target, allow_destructive=allow_destructive)
    if refusal:
        return refusal
    try:
        lacking = names.lacking(vector, target.layout_for(vector))
        if lacking:
            return Verdict.NOT_APPLICABLE, lacking
        return _played(vector, target, log, quotes=quotes)
    except Unsuitable as error:
        return Verdict.NOT_APPLICABLE, str(error)
    except Missing as error:
        return Verdict.MISSING, str(error)
    except StepFailed as failure:
        ours = target.physical and not strict and not vector.overlay and (failure.ours or vector.grade is Grade.OWN)
        return Verdict.WARNING if ours else Verdict.FAILED, str(failure)
    except ItemError as error:
        return Verdict.UNDEFINED, str(error) if quotes else "a value does not fit its item"
    except (CardFailure, OSError) as error:
        return Verdict.UNDEFINED, str(error)
    except Exception as error:  # a run goes on, whatever one vector does
        words = f"{type(error).__name__}: {error}" if isinstance(target, Virtual) else type(error).__name__
        return Verdict.UNDEFINED, f"a fault of this program's own: {words}"


def _played(vector: Vector, target: Target, log: Log, *, quotes: bool) -> tuple[Verdict, str]:
    """In every way that it is for, or where it is first found in a recording. StepFailed, Missing, Unsuitable."""
    ways = 0
    for play in target.opened(vector, log):
        log.lines.clear()
        try:
            Steps(play, quotes=quotes).run(vector)
        except RecordingEnds:
            continue  # it may begin at a later reset
        except NotFound as error:
            return Verdict.MISSING, str(error)
        if target.searching:
            return Verdict.PASSED, ""
        ways += 1
    return (Verdict.PASSED, "") if ways else (Verdict.MISSING, "nothing to run it on")


def run(
    vectors: Sequence[Vector],
    target: Target,
    *,
    allow_destructive: bool = False,
    strict: bool = False,
    show_secrets: bool = False,
) -> Iterator[Result]:
    """Yields every vector's result, in order, as soon as it is there."""
    work = partial(
        run_one, target=target, allow_destructive=allow_destructive, strict=strict, show_secrets=show_secrets
    )  # fmt: skip
    processors = workers.processors()
    if not isinstance(target, Virtual) or len(vectors) < WORTH_PROCESSES or processors == 1:
        yield from map(work, vectors)
        return
    target.load(vectors)
    with workers.pool() as pool:
        yield from pool.map(work, vectors, chunksize=max(1, len(vectors) // (8 * processors)))
