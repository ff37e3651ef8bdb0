"""Runs vectors on a bench, one after another or, on virtual cards, on all processors at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial

from harness.conformance import names
from harness.conformance.bench import Bench, Log, Virtual
from harness.conformance.play import Missing, Unsuitable
from harness.conformance.steps import StepFailed, Steps
from harness.conformance.vector import Vector
from harness.keys.access import TerminalError
from harness.readers.pcsc import PcscError
from harness.verdicts import workers
from harness.verdicts.verdict import Result, Verdict

WORTH_PROCESSES = 60
"""Fewer vectors are done before other processes have started."""
AROUND = 24
"""Exchanges that a result keeps, the last ones."""


def applicable(vector: Vector, bench: Bench, *, allow_destructive: bool) -> tuple[Verdict, str] | None:
    """Why a vector is not run on this bench; None if it is."""
    profile = bench.profile
    if not vector.applies(profile.version, profile.algorithm):
        return Verdict.NOT_APPLICABLE, f"it is for {_words(vector)}, not for {profile.name}"
    lacking = sorted(vector.features - profile.features)
    if lacking:
        why = "only a virtual card can be torn from power or put into any state" if "virtual" in lacking else "lacking"
        return Verdict.NOT_APPLICABLE, f"{why}: {', '.join(lacking)}"
    if bench.physical and not allow_destructive and (vector.destructive or vector.costs_tries):
        what = "it changes the card for ever" if vector.destructive else "it spends tries"
        return Verdict.MISSING, f"{what}: --allow-destructive"
    return None


def _words(vector: Vector) -> str:
    return " and ".join(", ".join(part) for part in (vector.versions, vector.algorithms) if part)


def run_one(
    vector: Vector, bench: Bench, *, allow_destructive: bool = False, strict: bool = False, show_secrets: bool = False
) -> Result:
    """One vector: its verdict, never an exception of its own. ``strict``: what only we decided fails a card too. What a
    person's card gave is quoted with ``show_secrets`` only; virtual cards are nobody's.
    """
    began = time.perf_counter()
    log = Log()
    quotes = isinstance(bench, Virtual) or show_secrets
    verdict, reason = _judged(vector, bench, log, allow_destructive=allow_destructive, strict=strict, quotes=quotes)
    return Result(vector, bench.profile.name, verdict, reason, time.perf_counter() - began, tuple(log.lines[-AROUND:]))


def _judged(
    vector: Vector, bench: Bench, log: Log, *, allow_destructive: bool, strict: bool, quotes: bool
) -> tuple[Verdict, str]:  # fmt: skip
    refusal = applicable(vector, bench, allow_destructive=allow_destructive)
    if refusal:
        return refusal
    try:
        lacking = names.lacking(vector, bench.layout_for(vector))
        if lacking:
            return Verdict.NOT_APPLICABLE, lacking
        return _played(vector, bench, log, quotes=quotes)
    except Unsuitable as error:
        return Verdict.NOT_APPLICABLE, str(error)
    except Missing as error:
        return Verdict.MISSING, str(error)
    except StepFailed as failure:
        ours = bench.physical and not strict and not vector.overlay and (failure.ours or vector.grade == "own")
        return Verdict.WARNING if ours else Verdict.FAILED, str(failure)
    except (PcscError, TerminalError, OSError) as error:
        return Verdict.UNDEFINED, str(error)
    except Exception as error:  # a run goes on, whatever one vector does
        words = f"{type(error).__name__}: {error}" if isinstance(bench, Virtual) else type(error).__name__
        return Verdict.UNDEFINED, f"a fault of this program's own: {words}"


def _played(vector: Vector, bench: Bench, log: Log, *, quotes: bool) -> tuple[Verdict, str]:
    """In every way that it is for, or where it is first found in a recording. StepFailed, Missing, Unsuitable."""
    ways = 0
    for play in bench.opened(vector, log):
        log.lines.clear()
        try:
            Steps(play, quotes=quotes).run(vector)
        except LookupError as error:
            if bench.searching and "recording" in str(error):
                continue  # it may begin at a later reset
            return Verdict.MISSING, f"the key {error.args[0]}"
        if bench.searching:
            return Verdict.PASSED, ""
        ways += 1
    return (Verdict.PASSED, "") if ways else (Verdict.MISSING, "nothing to run it on")


def run(
    vectors: Sequence[Vector],
    bench: Bench,
    *,
    allow_destructive: bool = False,
    strict: bool = False,
    show_secrets: bool = False,
) -> Iterator[Result]:
    """All of them, in order, as they are done."""
    work = partial(
        run_one, bench=bench, allow_destructive=allow_destructive, strict=strict, show_secrets=show_secrets
    )  # fmt: skip
    processors = workers.processors()
    if not isinstance(bench, Virtual) or len(vectors) < WORTH_PROCESSES or processors == 1:
        yield from map(work, vectors)
        return
    with workers.pool() as pool:
        yield from pool.map(work, vectors, chunksize=max(1, len(vectors) // (8 * processors)))
