"""Two reports compared: what became worse, what was mended, what is judged no more; and first, what they are of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from emulator.errors import Misuse
from emulator.messages import _
from harness.messages.visible import visible_line
from harness.verdicts import conclusion
from harness.verdicts.report_file import ReportFile
from harness.verdicts.verdict import UNCERTAIN, Verdict, in_words

JUDGED = (Verdict.PASSED, Verdict.WARNING, Verdict.FAILED)
"""Verdicts that say something of what was tested, the best first."""
Row = Mapping[str, Any]
Key = tuple[str, str, int]
"""A case's id and profile, and which of several of these it is, from 0."""


class Kind(StrEnum):
    """What happened to a case from the first report to the second."""

    NEW_FAILURE = "new failure"
    WORSE = "worse"
    NOT_JUDGED = "no longer judged"
    GONE = "gone"
    MENDED = "mended"
    NOW_JUDGED = "now judged"
    CHANGED = "changed"
    NEW = "new"


ZH = {
    Kind.NEW_FAILURE: "新的未通过",
    Kind.WORSE: "变差",
    Kind.NOT_JUDGED: "不再判定",
    Kind.GONE: "不再包括",
    Kind.MENDED: "已修复",
    Kind.NOW_JUDGED: "现已判定",
    Kind.CHANGED: "结论变化",
    Kind.NEW: "新增",
}
BAD = frozenset({Kind.NEW_FAILURE, Kind.WORSE})
LOST = frozenset({Kind.NOT_JUDGED})


@dataclass(frozen=True, slots=True)
class Case:
    """One case whose verdict is not the same in both. ``before`` and ``after``: None where it stands in one alone;
    ``known``: its failure is in the second report's baseline.
    """

    kind: Kind
    id: str
    profile: str
    before: Verdict | None
    after: Verdict | None
    known: bool
    reason: str
    title: str
    title_zh: str

    def as_table(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind.value, "id": self.id, "profile": self.profile,
            "before": self.before, "after": self.after, "known": self.known, "reason": self.reason,
            "title": self.title, "title_zh": self.title_zh,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """How a second report differs from the first. ``made``: by name, what each was made with where that is not the
    same; ``same``: how many cases have one verdict in both.
    """

    first: ReportFile
    second: ReportFile
    made: dict[str, tuple[str, str]]
    cases: tuple[Case, ...]
    same: int

    @property
    def exit_code(self) -> int:
        """1 where something became worse; 4 where nothing did, and something is no longer judged; else 0."""
        kinds = {one.kind for one in self.cases}
        if kinds & BAD:
            return 1
        gone = any(one.kind is Kind.GONE and one.before in JUDGED for one in self.cases)
        return UNCERTAIN if kinds & LOST or gone else 0

    def as_table(self) -> dict[str, Any]:
        """For programs."""
        return {
            "conclusions": [one.conclusion.verdict.value for one in (self.first, self.second)],
            "made": {name: list(values) for name, values in self.made.items()},
            "cases": [one.as_table() for one in self.cases],
            "counts": {one.value: sum(case.kind is one for case in self.cases) for one in Kind},
            "same": self.same,
        }


def compare(first: ReportFile, second: ReportFile) -> Difference:
    """What the second says otherwise. Misuse where they are of different things: vectors and a terminal's session."""
    if first.table["basis"] != second.table["basis"]:
        raise Misuse(
            _("{first} is of {basis}, {second} of {other}: they have no case in common").format(
                first=first.path, basis=first.table["basis"], second=second.path, other=second.table["basis"]
            )
        )
    before, after = by_key(first.results), by_key(second.results)
    cases = [_case(before.get(key), after.get(key)) for key in {**before, **after}]
    found = [one for one in cases if one is not None]
    order = list(Kind)
    found.sort(key=lambda one: order.index(one.kind))
    return Difference(first, second, dict(_made(first.table, second.table)), tuple(found), len(cases) - len(found))


def by_key(rows: Iterable[Row]) -> dict[Key, Row]:
    """Results by what they are of: a rule that was broken twice in one situation stands there twice."""
    found: dict[Key, Row] = {}
    for row in rows:
        number = 0
        while (row["id"], row["profile"], number) in found:
            number += 1
        found[row["id"], row["profile"], number] = row
    return found


def _case(one: Row | None, other: Row | None) -> Case | None:
    before, after = (Verdict(row["verdict"]) if row is not None else None for row in (one, other))
    known = bool(other["known"]) if other is not None else False
    if before is after and (after is not Verdict.FAILED or known or not (one and one["known"])):
        return None
    row = other if other is not None else one
    assert row is not None, "a key stands in one of both"
    return Case(
        _kind(before, after, known=known), row["id"], row["profile"], before, after, known,
        other["reason"] if other is not None else "", row["title"], row["title_zh"],
    )  # fmt: skip


def _kind(before: Verdict | None, after: Verdict | None, *, known: bool) -> Kind:
    if after is None:
        return Kind.GONE
    if after is Verdict.FAILED and not known:
        return Kind.NEW_FAILURE
    if before is None:
        return Kind.NEW
    if before in JUDGED and after in JUDGED:
        if after is Verdict.FAILED:
            return Kind.CHANGED
        return Kind.MENDED if JUDGED.index(after) < JUDGED.index(before) else Kind.WORSE
    if before in JUDGED:
        return Kind.NOT_JUDGED
    return Kind.NOW_JUDGED if after in JUDGED else Kind.CHANGED


def _made(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """What each was made with, by its name in report.json, where that is not the same; the weightiest first."""
    tables = (one, other)
    for name in ("program", "product", "target", "profile"):
        yield from _differ(name, *(str(table.get(name, "")) for table in tables))
    environments = tuple(table.get("environment") or {} for table in tables)
    versions = tuple(each.get("versions") or {} for each in environments)
    for name in {**versions[0], **versions[1]}:
        if name != "sscard":
            yield from _differ(f"versions.{name}", *(str(each.get(name, "")) for each in versions))
    for name in ("reader", "tester", "seed"):
        yield from _differ(name, *("" if each.get(name) is None else str(each[name]) for each in environments))
    yield from _differ("options", *(" ".join(map(str, each.get("options") or ())) for each in environments))
    yield from _differ("cards", *(", ".join(map(str, table["session"].get("cards") or ())) for table in tables))
    yield from _differ("baseline", *(", ".join(map(str, table["known_failures"])) for table in tables))
    files = tuple(table.get("vector_files") or {} for table in tables)
    for name in sorted({**files[0], **files[1]}):
        if name in files[0] and name in files[1]:
            yield from _differ(f"vector_files.{name}", *(str(each[name])[:16] for each in files))


def _differ(name: str, one: str, other: str) -> Iterator[tuple[str, tuple[str, str]]]:
    if one != other:
        yield name, (one, other)


def lines(found: Difference) -> Iterator[str]:
    """The difference for a person, line by line: what they were made with first."""
    for name, (one, other) in found.made.items():
        yield visible_line(_("{name}: {one} → {other}").format(name=name, one=one or "–", other=other or "–"))
    first, second = (one.conclusion.verdict for one in (found.first, found.second))
    if first is not second:
        yield f"{conclusion.in_words(first)} → {conclusion.in_words(second)}"
    for case in found.cases:
        yield visible_line(
            f"{ZH[case.kind]} {case.kind}: {case.id} [{case.profile}]: {_word(case.before)} → {_word(case.after)}"
            + (_(" (known 已知)") if case.known else "")
            + (f": {case.reason}" if case.reason else "")
        )
    told = [f"{count} {kind} {ZH[kind]}" for kind in Kind if (count := sum(one.kind is kind for one in found.cases))]
    yield ", ".join([*told, _("{count} the same 不变").format(count=found.same)])


def _word(verdict: Verdict | None) -> str:
    return "–" if verdict is None else in_words(verdict)
