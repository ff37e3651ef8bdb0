"""What is wrong with a persona, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the file and its line from 1, the key or the item, what was expected and what is there.

    ``name`` and ``name_en`` are the item's, empty for a key that is none.
    """

    source: str
    line: int
    key: str
    problem: str
    name: str = ""
    name_en: str = ""

    def __str__(self) -> str:
        named = " ".join(part for part in (self.key, self.name, self.name_en) if part)
        return ": ".join(part for part in (self.place, named, self.problem) if part)

    @property
    def place(self) -> str:
        """File and line, as compilers write them."""
        return f"{self.source}:{self.line}" if self.line else self.source


class PersonaError(ValueError):
    """A persona that cannot be used. ``finding`` says where and what was expected."""

    def __init__(self, finding: Finding, more: int = 0) -> None:
        rest = f" (and {more} more: sscard persona check {finding.source})" if more else ""
        super().__init__(f"{finding}{rest}")
        self.finding = finding


class UnknownPersonaError(PersonaError, LookupError):
    """A name that is no persona's."""


def guess(word: str, known: Iterable[str]) -> str:
    """``, did you mean "x"?`` for a word that is like one of those known, else those known, if they are few."""
    choices = list(known)
    close = difflib.get_close_matches(word, choices, 1, 0.5)
    same = [one for one in choices if one.casefold() == word.casefold()]
    if same or close:
        return f'; did you mean "{(same or close)[0]}"?'
    return f"; there are {', '.join(choices)}" if 0 < len(choices) <= 30 else ""
