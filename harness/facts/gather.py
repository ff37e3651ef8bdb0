"""All facts: of layouts, code, vectors and the office; which of them were asked for; how many bear which grade."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.messages import _
from emulator.sources import GRADES, Citation
from harness.conformance import vector as vectors
from harness.facts import code
from harness.facts.fact import Fact
from harness.facts.layouts import of_code_tables, of_layouts
from harness.office.desk.lookup import rules
from harness.scenarios import model as scenarios
from harness.sources.register import Register, SourceError
from harness.verdicts.subject import Subject


def every(home: Path, layouts: Iterable[str] = ()) -> list[Fact]:
    """Every fact: of these layouts (or all that come with us), of the code, and of the vectors under ``home``."""
    return [
        *of_layouts(layouts),
        *of_code_tables(),
        *code.of_packages(),
        *of_vectors(vectors.find([home])),
        *of_vectors(map(scenarios.as_subject, scenarios.find([home / vectors.OFFICE])), "office"),
        *of_office(),
    ]


def of_vectors(found: Iterable[Subject], kind: str = "vector") -> Iterator[Fact]:
    """What vectors and scenarios rest on."""
    for one in found:
        yield from code.of_text(one.source, one.id, one.title, kind)


def of_office() -> Iterator[Fact]:
    """The office's rules: an article's words, or our reading of them."""
    for one in rules():
        rule = one.rule
        cited = () if rule.grade == "D" else (Citation("measures", rule.citation.source.partition(":")[2]),)
        yield Fact("office", f"office rule {rule.id}", rule.en, rule.grade, cited)


def chosen(facts: Sequence[Fact], words: str, register: Register) -> list[Fact]:
    """The facts that are asked for: a grade, a source (``v2``, ``v2:table 9``), a kind, or text that occurs in one.

    SourceError, with the nearest names, where there are none.
    """
    low = words.lower()
    name, __, locator = words.partition(":")
    if words.upper() in GRADES:
        found = [one for one in facts if one.grade == words.upper()]
    elif low == "second-hand":
        found = [one for one in facts if register.second_hand(one.grade, one.citations)]
    elif name in register.sources:
        found = [one for one in facts if any(_cites(cited, name, locator.strip()) for cited in one.citations)]
    elif low in {one.kind for one in facts}:
        found = [one for one in facts if one.kind == low]
    else:
        found = [one for one in facts if low in one.where.lower() or low in one.statement.lower()]
    if not found:
        places = {part for one in facts for part in (one.where.rpartition(" ")[2], one.where.rpartition(".")[2])}
        near = difflib.get_close_matches(words, sorted({*register.sources, *places, *GRADES}), 3)
        meant = _("; did you mean {names}?").format(names=_(" or ").join(near)) if near else ""
        raise SourceError(
            _(
                "no fact matches {words!r}: give a grade ({grades}), a source's id, second-hand, or part "
                "of a place or statement{meant}"
            ).format(words=words, grades=", ".join(GRADES), meant=meant)
        )
    return found


def _cites(cited: Citation, source: str, locator: str) -> bool:
    """Whether a citation names this place in a source or one within it: ``6.1.5`` is in ``6.1``, ``6.14`` is not."""
    if cited.source != source or not cited.locator.startswith(locator):
        return False
    return not locator or not cited.locator[len(locator) :][:1].isalnum()


@dataclass(frozen=True, slots=True)
class Count:
    """How many facts bear a grade, and how many of them on our own reference's word alone."""

    grade: str
    facts: int
    second_hand: int


def counted(facts: Iterable[Fact], register: Register) -> list[Count]:
    """Facts by grade, from the surest on."""
    found = list(facts)
    return [
        Count(
            grade,
            sum(one.grade == grade for one in found),
            sum(one.grade == grade and register.second_hand(one.grade, one.citations) for one in found),
        )
        for grade in GRADES
    ]
