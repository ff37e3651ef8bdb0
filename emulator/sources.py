"""How a fact names its grade and its sources: ``[T: part5:6.14]``, ``[S: v2:table 3, prog-z390]``.

The grade comes first: S settled (two independent sources), T the text of the standard's family (its clause), 1 one
source, P ISO/IEC 7816 or PBOC, D decided by this project. S, T and 1 name their sources: ids of the register
(docs/sources.toml), each with or without a locator behind a colon, separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emulator.messages import _

GRADES = ("S", "T", "P", "1", "D")
"""From the surest on."""
SOURCED = frozenset("ST1")
"""Grades that no fact may bear without a source."""
MARK = re.compile(r"(?<![\w\])}])\[([STP1D])(?::\s*([^\][]+))?\]")
JOINING = " ;,\n"
_CITATION = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)(?::\s*([^:,\s][^,]*))?")


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """A source by its id in the register, and where in it: a clause, table, page. ``locator`` may be empty."""

    source: str
    locator: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.locator}" if self.locator else self.source


@dataclass(frozen=True, slots=True)
class Mark:
    """A grade with its sources, as it stands in a text from ``start`` to ``end``."""

    grade: str
    citations: tuple[Citation, ...]
    start: int = 0
    end: int = 0


def citation(text: str) -> Citation:
    """A citation from its form ``id`` or ``id:locator``; ValueError."""
    found = _CITATION.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(
            _("expected a source like v2:table 9, part5:6.14 or iso7816-4, found {text!r}").format(text=text)
        )
    return Citation(found[1], found[2] or "")


def marks(text: str) -> Iterator[Mark]:
    """The marks in a text, in order; ValueError where a source is not written as one."""
    for found in MARK.finditer(text):
        named = found[2].split(",") if found[2] else ()
        yield Mark(found[1], tuple(map(citation, named)), found.start(), found.end())


def notes(text: str) -> Iterator[str]:
    """What a text says between its marks, without the punctuation that joins them."""
    for part in MARK.split(text)[:: MARK.groups + 1]:
        if said := part.strip(JOINING):
            yield said


def grades(text: str) -> tuple[str, ...]:
    """The grades of a text's marks, in order, whatever they cite."""
    return tuple(found[1] for found in MARK.finditer(text))


def mark(grade: str, sources: Iterable[str] = ()) -> str:
    """The mark of a grade and its sources, as texts carry it."""
    named = ", ".join(sources)
    return f"[{grade}: {named}]" if named else f"[{grade}]"


def weakest(text: str) -> str:
    """The least sure grade that a text bears; ValueError where it bears none."""
    found = [GRADES.index(one) for one in grades(text)]
    if not found:
        raise ValueError(_("expected a grade in brackets and its sources, found {text!r}").format(text=text))
    return GRADES[max(found)]
