"""The six verdicts, and the result that carries one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emulator.messages import both
from harness.verdicts.log import Heard, Line
from harness.verdicts.steps import Change, StepResult
from harness.verdicts.subject import Subject

UNCERTAIN = 4
"""The exit code where nothing was wrong, but something could not be judged or read."""


class Verdict(StrEnum):
    """How a vector, a rule or a scenario ended."""

    PASSED = "passed"
    WARNING = "warning"
    """Another answer than we wish, where nothing but our own decision asks for it."""
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    UNDEFINED = "undefined"
    """It could not be judged: the reader or this program failed."""
    MISSING = "requirement missing"
    """A key, the PIN or a recording is not at hand, or running it could harm the card."""


JUDGED = frozenset({Verdict.PASSED, Verdict.WARNING, Verdict.FAILED, Verdict.UNDEFINED})
"""Verdicts on what was run; with the others nothing was found out about the card."""

CHINESE = {
    Verdict.PASSED: "通过",
    Verdict.WARNING: "警告",
    Verdict.FAILED: "未通过",
    Verdict.NOT_APPLICABLE: "不适用",
    Verdict.UNDEFINED: "无法判定",
    Verdict.MISSING: "缺少条件",
}


def in_words(verdict: Verdict) -> str:
    """A verdict for people: ``passed 通过``, or in one language where one is asked for."""
    return both(verdict, CHINESE[verdict])


@dataclass(frozen=True, slots=True)
class Result:
    """One subject on one profile. ``reason`` says why for every verdict but passed; ``trace``: its last exchanges;
    ``heard``: what names them all, None where they are another session's; ``cause``: why it was not judged, a
    ``causes.Cause``, empty where it was or where it is not for this card. ``steps``: what its steps came to, where it
    has some; ``register`` and ``cards``: what all of them together left changed there.
    """

    subject: Subject
    profile: str
    verdict: Verdict
    reason: str
    seconds: float
    trace: tuple[Line, ...] = ()
    heard: Heard | None = None
    cause: str = ""
    steps: tuple[StepResult, ...] = ()
    register: tuple[Change, ...] = ()
    cards: tuple[Change, ...] = ()
