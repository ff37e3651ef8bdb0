"""What a subject's steps came to, one by one, and what each changed: a report tells them beside the exchanges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a step changed. ``path`` names it for programs, as ``card/1/life``; ``what`` for people.

    ``before`` is empty of what was not there, ``after`` of what is there no more; what may say something of a person
    stands in neither as it is.
    """

    path: str
    what: str
    what_zh: str
    before: str
    after: str

    def as_table(self) -> dict[str, str]:
        """As report.json has it."""
        return {
            "path": self.path, "what": self.what, "what_zh": self.what_zh, "before": self.before, "after": self.after,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step, by its number from 1. ``ok``: None where it was not judged, as an earlier one failed; ``why``: what was
    wrong with it, or in which words it was refused. ``clock``: the moments before and after it, where its subject has a
    clock of its own; ``register`` and ``cards``: what it changed there; ``line``: where it stands in the recording that
    was judged, 0 where there is none.
    """

    n: int
    words_en: str
    words_zh: str
    ok: bool | None = None
    why: str = ""
    clock: tuple[str, str] | None = None
    register: tuple[Change, ...] = ()
    cards: tuple[Change, ...] = ()
    line: int = 0

    def as_table(self, trace: Sequence[int], lines: Sequence[int] = ()) -> dict[str, Any]:
        """As report.json has it. ``trace``: the steps that the result's exchanges belong to, in their order, and
        ``lines`` the lines of a recording.
        """
        exchange = trace.index(self.n) if self.n in trace else None
        if self.line:
            exchange = lines.index(self.line) if self.line in lines else None
        told: dict[str, Any] = {
            "n": self.n,
            "words_en": self.words_en,
            "words_zh": self.words_zh,
            "ok": self.ok,
            "why": self.why,
            "exchange": exchange,
        }
        if self.clock is not None:
            told["clock"] = {"before": self.clock[0], "after": self.clock[1]}
        for name, changes in (("register", self.register), ("cards", self.cards)):
            if changes:
                told[name] = as_tables(changes)
        return told


def as_tables(changes: Iterable[Change]) -> list[dict[str, str]]:
    """Changes as report.json has them."""
    return [one.as_table() for one in changes]
