"""What a run comes to as a whole: conforms, does not conform, or not judged; and what that rests on.

The one place where this is decided: reports, exit codes, merged reports and the page all have it from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from emulator.messages import chinese_first
from harness.verdicts.subject import PROOF_WORDS, Grade, Proof
from harness.verdicts.verdict import UNCERTAIN, Result, Verdict

NAMED = 5
"""Ids that a sentence names; the rest is counted."""
SAYING = frozenset({Verdict.PASSED, Verdict.WARNING, Verdict.FAILED})
"""Verdicts that say something of what was tested."""
OPEN = frozenset({Verdict.MISSING, Verdict.UNDEFINED})
"""Verdicts of what should have been judged and was not."""


class Conformity(StrEnum):
    """What a run comes to as a whole."""

    CONFORMS = "conforms"
    FAILS = "does not conform"
    NOT_JUDGED = "not judged"


CHINESE = {Conformity.CONFORMS: "符合", Conformity.FAILS: "不符合", Conformity.NOT_JUDGED: "未能判定"}


def in_words(conformity: Conformity) -> str:
    """What a run comes to, for people: ``符合 conforms``, or in one language where one is asked for."""
    return chinese_first(conformity, CHINESE[conformity])


EXIT_CODES = {Conformity.CONFORMS: 0, Conformity.FAILS: 1, Conformity.NOT_JUDGED: UNCERTAIN}
GRADE = {Grade.NORMATIVE: "规范性", Grade.INFERRED: "推断", Grade.OWN: "自定"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What must have been judged for a run to conform, besides at least one case.

    ``every``: all cases that are for what was tested. ``lacking``: names of what was demanded and is not judged, as
    the run found it. ``cut_short``: it was ended before all was run.
    """

    every: bool = True
    lacking: tuple[str, ...] = ()
    cut_short: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """What the ``conclusion`` of a report.json says was asked."""
        return cls(bool(table["every"]), tuple(table["lacking"]), bool(table["cut_short"]))


@dataclass(frozen=True, slots=True)
class Case:
    """What a conclusion looks at of one result."""

    id: str
    verdict: Verdict
    known: bool
    proof: Proof
    grade: Grade

    @classmethod
    def of_result(cls, one: Result, known: Collection[str]) -> Self:
        """``known``: ids in the baseline."""
        subject = one.subject
        return cls(subject.id, one.verdict, subject.id in known, subject.proof, subject.grade)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """A result as report.json has it. KeyError, ValueError for one that is none."""
        return cls(row["id"], Verdict(row["verdict"]), bool(row["known"]), Proof(row["proof"]), Grade(row["grade"]))


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a run comes to, and why: the first sentence decided it."""

    verdict: Conformity
    because: tuple[Sentence, ...]
    asked: Asked

    @property
    def exit_code(self) -> int:
        """Of a command that ends with this: 0 conforms, 1 does not, 4 not judged."""
        return EXIT_CODES[self.verdict]

    def as_table(self) -> dict[str, Any]:
        """As report.json has it under ``conclusion``."""
        return {
            "verdict": self.verdict.value,
            "zh": CHINESE[self.verdict],
            "because": [{"en": one.en, "zh": one.zh} for one in self.because],
            "every": self.asked.every,
            "lacking": list(self.asked.lacking),
            "cut_short": self.asked.cut_short,
        }


def of_results(results: Iterable[Result], known: Collection[str] = (), asked: Asked | None = None) -> Conclusion:
    """What results come to. ``known``: ids whose failure does not count."""
    return conclude([Case.of_result(one, known) for one in results], asked or Asked())


def of_rows(rows: Iterable[Mapping[str, Any]], asked: Asked | None = None) -> Conclusion:
    """What the ``results`` of a report.json come to. KeyError, ValueError for rows that are none."""
    return conclude([Case.of_row(one) for one in rows], asked or Asked())


def conclude(cases: Sequence[Case], asked: Asked) -> Conclusion:
    """Does not conform: a failure is in no baseline. Not judged: nothing was, or not all that was asked, or it was cut
    short. Conforms: all the rest.
    """
    failed = [one for one in cases if one.verdict is Verdict.FAILED and not one.known]
    judged = [one for one in cases if one.verdict in SAYING]
    opened = [one for one in cases if one.verdict in OPEN] if asked.every else []
    left_open = _counted(opened, "not judged that should have been", "应判定而未判定") if opened else None
    decided = Conformity.NOT_JUDGED
    if failed:
        decided, first = Conformity.FAILS, _counted(failed, "failed outside the baseline", "未通过，不在基线中")
    elif not judged:
        first = Sentence("Nothing was judged", "没有任何项目得到判定")
    elif asked.cut_short:
        first = Sentence("It was ended before all was run", "运行在完成之前被中断")
    elif asked.lacking:
        first = _named(asked.lacking, "required and not judged", "要求判定而未判定")
    elif left_open is not None:
        first = left_open
    else:
        decided = Conformity.CONFORMS
        first = Sentence(
            f"Of {_cases(len(judged))} that were judged none failed", f"已判定 {len(judged)}项，无一未通过"
        )
        if any(one.verdict is Verdict.FAILED for one in judged):
            first = Sentence(f"{first.en} that is not in the baseline", f"{first.zh}（基线中的除外）")
    more = _rests_on(cases, judged, () if first is left_open else [one for one in cases if one.verdict in OPEN])
    return Conclusion(decided, (first, *more), asked)


def _rests_on(cases: Sequence[Case], judged: Sequence[Case], opened: Sequence[Case]) -> Iterator[Sentence]:
    """What more there is to say: what the judged ones were held against, what was forgiven, warned of, left open."""
    if judged:
        proof = Counter(one.proof for one in judged)
        grade = Counter(one.grade for one in judged)
        yield Sentence(
            f"Judged: {', '.join(f'{proof[one]} by {words[0]}' for one, words in PROOF_WORDS.items() if proof[one])} "
            f"({', '.join(f'{grade[one]} {one}' for one in Grade if grade[one])})",
            f"判定{'，'.join(f'依据{words[1]}{proof[one]}项' for one, words in PROOF_WORDS.items() if proof[one])}"
            f"（{'、'.join(f'{GRADE[one]} {grade[one]}' for one in Grade if grade[one])}）",
        )
    if known := [one for one in cases if one.verdict is Verdict.FAILED and one.known]:
        yield _counted(known, "failed as the baseline says", "未通过，属基线已知")
    if warned := [one for one in cases if one.verdict is Verdict.WARNING]:
        yield _counted(warned, "gave a warning", "有警告")
    if opened:
        yield _counted(opened, "could not be judged", "未能判定")
    if count := sum(one.verdict is Verdict.NOT_APPLICABLE for one in cases):
        yield Sentence(f"{_cases(count)} not for what was tested", f"{count}项不适用于被测对象")


def _cases(count: int) -> str:
    return f"{count} {'case' if count == 1 else 'cases'}"


def _counted(cases: Sequence[Case], en: str, zh: str) -> Sentence:
    names = _shortened(list(dict.fromkeys(one.id for one in cases)))
    return Sentence(f"{_cases(len(cases))} {en}: {names.en}", f"{len(cases)}项{zh}：{names.zh}")


def _named(names: Sequence[str], en: str, zh: str) -> Sentence:
    told = _shortened(names)
    return Sentence(f"{len(names)} {en}: {told.en}", f"{len(names)}项{zh}：{told.zh}")


def _shortened(names: Sequence[str]) -> Sentence:
    told, more = names[:NAMED], len(names) - NAMED
    if more <= 0:
        return Sentence(", ".join(told), "、".join(told))
    return Sentence(f"{', '.join(told)} and {more} more", f"{'、'.join(told)}等{len(names)}项")
