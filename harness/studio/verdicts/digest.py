"""A report as the page shows it: a map of verdicts, its cases some at a time, and one case with all that it has.

Vectors: item of the standard by kind of card. Scenarios: scenario by kind of card. A proving: what was checked by
situation. A sweep: command by fault. A session: rule by rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.proving.sweep.outcome import CHINESE as OUTCOMES
from harness.proving.sweep.outcome import Outcome
from harness.proving.sweep.report import NOT_PLAYED, SIGNS
from harness.verdicts.verdict import Verdict

Table: TypeAlias = Mapping[str, Any]
Place: TypeAlias = tuple[str, str]
WORST = (
    Verdict.FAILED, Verdict.UNDEFINED, Verdict.MISSING, Verdict.WARNING, Verdict.PASSED, Verdict.NOT_APPLICABLE,
)  # fmt: skip
"""The gravest first: a cell of many cases shows it."""
WHOLE = "run"
"""The row of a proving that stands for whole runs."""
OF_WHOLE = {"title": "the whole run", "title_zh": "整次运行"}
MOST = 200
"""Cases that are given at once."""
SHORT = 300
"""Letters of a reason in a list."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: of a verdict, of a place on the map, with a text; all that is empty asks for nothing. ``judged``:
    those that are for what was tested alone.
    """

    verdict: str = ""
    row: str = ""
    column: str = ""
    text: str = ""
    judged: bool = False

    def means(self, case: Table, place: Place) -> bool:
        """True for a case that is wanted."""
        if self.verdict and case["verdict"] != self.verdict:
            return False
        if self.judged and case["verdict"] == Verdict.NOT_APPLICABLE:
            return False
        if (self.row and place[0] != self.row) or (self.column and place[1] != self.column):
            return False
        searched = (case[name] for name in ("id", "title", "title_zh", "reason", "standard", "profile"))
        return not self.text or any(self.text.casefold() in one.casefold() for one in searched)


def place_of(kind: str) -> Callable[[Table], Place]:
    """Where on the map of such a run a result stands."""
    match kind:
        case "vectors":
            return lambda one: (one["standard"], one["profile"])
        case "scenarios":
            return lambda one: (one["id"], one["profile"])
        case "prove":
            return lambda one: (WHOLE, one["id"]) if one["standard"] == "sscard prove" else (one["id"], one["profile"])
        case "sweep":
            return _of_cell
    return lambda one: (one["id"], "session")


def _of_cell(result: Table) -> Place:
    number, __, fault = str(result["id"]).partition(":")
    return number, fault


def cases(table: Table, kind: str, wanted: Wanted, offset: int, limit: int) -> dict[str, Any]:
    """``total`` and ``cases``: so many of those that are wanted, the gravest first."""
    place = place_of(kind)
    rank = {str(one): at for at, one in enumerate(WORST)}
    found = [(number, one) for number, one in enumerate(table["results"]) if wanted.means(one, place(one))]
    found.sort(key=lambda each: rank.get(each[1]["verdict"], 0))
    again = _again(table)
    listed = [_in_list(number, one, place(one), again) for number, one in found[offset:][:limit]]
    return {"total": len(found), "cases": listed}


def _again(table: Table) -> dict[str, str]:
    """By case of a sweep the command line that plays it again, which stands in its reason too."""
    return {f"{one['number']}:{one['fault']}": one["again"] for one in table.get("sweep", {}).get("map", ())}


def _in_list(number: int, result: Table, place: Place, again: Mapping[str, str]) -> dict[str, Any]:
    row, column = place
    names = ("id", "title", "title_zh", "standard", "profile", "verdict", "known", "seconds")
    reason = _without(str(result["reason"]), again.get(result["id"], ""))
    short = reason if len(reason) <= SHORT else f"{reason[:SHORT]}…"
    return {"n": number, "row": row, "column": column, "reason": short, **{name: result[name] for name in names}}


def _without(reason: str, again: str) -> str:
    return reason.removesuffix(again).rstrip(" ·") if again else reason


def case(table: Table, kind: str, number: int) -> dict[str, Any] | None:
    """One result with its steps and exchanges, and what a proving or a sweep noted of its run; None for no such one."""
    results = table["results"]
    if not 0 <= number < len(results):
        return None
    result = results[number]
    row, column = place_of(kind)(result)
    told = {"n": number, "row": row, "column": column, "steps": [], **result}
    if kind == "prove":
        name = column
        told["run"] = next((one for one in table.get("runs", ()) if one["situation"] == name), None)
    if kind == "sweep":
        found = (one for one in table["sweep"]["map"] if (str(one["number"]), one["fault"]) == (row, column))
        told["cell"] = next(found, None)
        told["reason"] = _without(str(result["reason"]), _again(table).get(result["id"], ""))
    return told


# --- the map -------------------------------------------------------------------------------------------------------


def heat(table: Table, kind: str) -> dict[str, Any]:
    """The map: ``rows`` and ``columns`` with ``id`` and titles, and ``cells``, a list for each row, None where there is
    nothing: ``verdict`` (the gravest), ``counts``, ``sign`` and words of a sweep's outcome, ``case`` where it is one.
    """
    if kind == "sweep" and "sweep" in table:
        return _of_sweep(table)
    cells: dict[Place, Counter[str]] = {}
    first: dict[Place, int] = {}
    place = place_of(kind)
    rank = {str(one): at for at, one in enumerate(WORST)}
    results = table["results"]
    for number, one in enumerate(results):
        at = place(one)
        cells.setdefault(at, Counter())[one["verdict"]] += 1
        if at not in first or rank[one["verdict"]] < rank[results[first[at]]["verdict"]]:
            first[at] = number
    if kind == "prove":
        _add_checks(table, cells, first)
    rows = _ordered((row for row, __ in cells), table)
    columns = list(dict.fromkeys(column for __, column in cells))
    titles = _titles(table, kind)
    grid = [[_cell(cells.get((row, column)), first.get((row, column))) for column in columns] for row in rows]
    return {
        "rows": [{"id": one, **titles.get(one, {})} for one in rows],
        "columns": [{"id": one, **titles.get(one, {})} for one in columns],
        "cells": grid,
    }


def _cell(counts: Counter[str] | None, first: int | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    verdict = next(str(one) for one in WORST if counts[one])
    return {"verdict": verdict, "counts": dict(counts), "case": first}


def _add_checks(table: Table, cells: dict[Place, Counter[str]], first: dict[Place, int]) -> None:
    """What was checked of each run of a proving: its case is the run's."""
    for run in table.get("runs", ()):
        whole = first.get((WHOLE, run["situation"]))
        for check in run["checks"]:
            at = (check["check"], run["situation"])
            cells[at] = Counter({check["verdict"]: 1})
            if whole is not None:
                first.setdefault(at, whole)


def _ordered(names: Iterable[str], table: Table) -> list[str]:
    """Rows as the standard has them, else as they came."""
    there = dict.fromkeys(names)
    listed = [row["id"] for row in table.get("matrix", ()) if row["id"] in there]
    return list(dict.fromkeys((*listed, *there)))


def _titles(table: Table, kind: str) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {WHOLE: OF_WHOLE} if kind == "prove" else {}
    for one in table.get("matrix", ()) if kind == "vectors" else table["results"]:
        told.setdefault(one["id"], {"title": one["title"], "title_zh": one["title_zh"]})
    return told


def _of_sweep(table: Table) -> dict[str, Any]:
    sweep = table["sweep"]
    numbers = {one["id"]: at for at, one in enumerate(table["results"])}
    possible = {(number, fault) for number, fault in sweep["possible"]}
    played = {(one["number"], one["fault"]): one for one in sweep["map"]}

    def cell(number: int, fault: str) -> dict[str, Any] | None:
        found = played.get((number, fault))
        if found is None:
            return {"verdict": "", "sign": NOT_PLAYED} if (number, fault) in possible else None
        outcome = Outcome(found["outcome"])
        return {
            "verdict": found["verdict"], "sign": SIGNS[outcome], "outcome": str(outcome),
            "outcome_zh": OUTCOMES[outcome], "case": numbers.get(f"{number}:{fault}"),
        }  # fmt: skip

    faults = [one["fault"] for one in sweep["faults"]]
    return {
        "rows": list(map(_command_row, sweep["commands"])),
        "columns": [
            {"id": one["fault"], "title": one["title"], "title_zh": one["title_zh"]} for one in sweep["faults"]
        ],
        "cells": [[cell(one["number"], fault) for fault in faults] for one in sweep["commands"]],
        "legend": list(_legend()),
    }


def _command_row(command: Table) -> dict[str, Any]:
    words = f"{command['instruction'] or '–'} → {command['sw']}"
    return {"id": str(command["number"]), "title": words, "title_zh": words}


def _legend() -> Iterator[dict[str, str]]:
    for outcome, sign in SIGNS.items():
        yield {"sign": sign, "outcome": str(outcome), "outcome_zh": OUTCOMES[outcome]}
