"""Several reports as one: of shards, of profiles, of what was run again. Its parts stay named in it, with their hashes
and who signed them, and what it comes to is found anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from emulator.errors import Misuse
from emulator.messages import _
from emulator.sources import grades
from harness.sources.register import register
from harness.verdicts import conclusion, report_text
from harness.verdicts.causes import REMEDIES, Cause
from harness.verdicts.conclusion import Asked
from harness.verdicts.environment import now
from harness.verdicts.manifest import ReportError
from harness.verdicts.report_diff import Key, by_key
from harness.verdicts.report_file import FORMAT, ReportFile
from harness.verdicts.subject import Proof
from harness.verdicts.verdict import JUDGED, Verdict

Row = Mapping[str, Any]
FOUND = ("verdict", "known", "reason", "cause", "title", "title_zh", "source")
"""What makes two results of one case the same: how long it took and what went over may differ."""
SWEEP = "sweep"
RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Merged:
    """``table``: the report; ``notes``: what its parts do not agree on, a sentence each."""

    table: dict[str, Any]
    notes: tuple[str, ...]


class Counts(StrEnum):
    """Which of two results of one case counts, where they differ."""

    NEITHER = "neither"
    LATEST = "latest"
    WORST = "worst"


GRAVITY = (
    Verdict.NOT_APPLICABLE, Verdict.PASSED, Verdict.WARNING, Verdict.MISSING, Verdict.UNDEFINED, Verdict.FAILED,
)  # fmt: skip
"""From what says nothing to the gravest."""


def merge(parts: Sequence[ReportFile], counts: Counts = Counts.NEITHER) -> Merged:
    """One report of all. A case that stands in two of them must be the same in both, or be for what was tested in one
    alone; else ``counts`` says which. Misuse for parts that cannot stand in one report, ReportError for a case that
    differs.
    """
    _mergeable(parts)
    order = sorted(parts, key=_moment) if counts is Counts.LATEST else parts
    rows = _rows(order, counts)
    tables = [one.table for one in parts]
    known = sorted({name for table in tables for name in table["known_failures"]})
    environment = _environment(parts)
    table: dict[str, Any] = {
        "format": FORMAT,
        "program": _joined(table["program"] for table in tables),
        "date": now(),
        "product": _joined(table.get("product", "") for table in tables),
        "target": _joined(table["target"] for table in tables),
        "session": _session(tables),
        "environment": environment,
        "conclusion": conclusion.of_rows(rows, _asked(tables, rows)).as_table(),
        "profile": _joined(table["profile"] for table in tables),
        "not_judged": _not_judged(rows),
        "counts": {one.value: sum(row["verdict"] == one for row in rows) for one in Verdict},
        "known_failures": known,
        "rests_on": _rests_on(tables, rows),
        "vector_files": {name: each for table in tables for name, each in (table.get("vector_files") or {}).items()},
        "basis": tables[0]["basis"],
        "matrix": _matrix([table.get("matrix") or [] for table in tables]),
        "results": rows,
        "parts": [_part(one) for one in parts],
    }
    if any(RUNS in each for each in tables):
        table[RUNS] = [run for each in tables for run in each.get(RUNS, ())]
    table["stale_baseline"] = report_text.stale(table)
    return Merged(table, tuple(_notes(parts)))


def _mergeable(parts: Sequence[ReportFile]) -> None:
    """Misuse for reports of different things, of sweeps, and for one report that is named twice."""
    first = parts[0]
    for one in parts:
        if one.table["basis"] != first.table["basis"]:
            raise Misuse(
                _("{first} is of {basis}, {second} of {other}: they cannot stand in one report").format(
                    first=first.path, basis=first.table["basis"], second=one.path, other=one.table["basis"]
                )
            )
        if SWEEP in one.table:
            raise Misuse(
                _(
                    "{path}: a sweep's report has a map of its own: give `prove --sweep` the same --results instead"
                ).format(path=one.path)
            )
    by_hash: dict[str, ReportFile] = {}
    for one in parts:
        if one.sha256 in by_hash:
            raise Misuse(
                _("{first} and {second} are the same report").format(first=by_hash[one.sha256].path, second=one.path)
            )
        by_hash[one.sha256] = one


def _moment(part: ReportFile) -> datetime:
    """When a part ended. ReportError for a date that is none."""
    text = (part.table.get("environment") or {}).get("ended") or part.table["date"]
    try:
        return datetime.fromisoformat(str(text)).astimezone()
    except ValueError:
        raise ReportError(_("{path}: {text!r} is no date").format(path=part.path, text=str(text))) from None


def _rows(parts: Sequence[ReportFile], counts: Counts) -> list[dict[str, Any]]:
    """All results, of a case in several parts the one that counts. Each of a part's own repetitions stays."""
    found: dict[Key, tuple[ReportFile, dict[str, Any]]] = {}
    for part in parts:
        for key, row in by_key(part.results).items():
            before = found.get(key)
            if before is not None and _first_counts(before[1], row, counts):
                continue
            if before is not None and _differ(before[1], row, counts):
                raise ReportError(
                    _(
                        "{id} [{profile}] is {one} in {first} and {other} in {second}: name one of them alone, or say "
                        "which counts with --latest or --worst"
                    ).format(
                        id=row["id"], profile=row["profile"], one=before[1]["verdict"], first=before[0].path,
                        other=row["verdict"], second=part.path,
                    )
                )  # fmt: skip
            found[key] = (part, dict(row))
    return [row for __, row in found.values()]


def _first_counts(one: Row, other: Row, counts: Counts) -> bool:
    """True where the result that is there already stays."""
    if counts is Counts.WORST:
        return _gravity(one) >= _gravity(other)
    return bool(other["verdict"] == Verdict.NOT_APPLICABLE)


def _differ(one: Row, other: Row, counts: Counts) -> bool:
    """True for two results of which neither may be dropped."""
    if counts is not Counts.NEITHER or one["verdict"] == Verdict.NOT_APPLICABLE:
        return False
    return any(one[name] != other[name] for name in FOUND)


def _gravity(row: Row) -> tuple[int, bool]:
    return GRAVITY.index(Verdict(row["verdict"])), not row["known"]


def _joined(texts: Iterable[str]) -> str:
    """Each once, in order."""
    return "; ".join(dict.fromkeys(one for one in texts if one))


def _environment(parts: Sequence[ReportFile]) -> dict[str, Any]:
    tables = [part.table.get("environment") or {} for part in parts]
    versions: dict[str, list[str]] = {}
    for each in tables:
        for name, version in (each.get("versions") or {}).items():
            versions.setdefault(name, []).append(str(version))
    seeds = {each.get("seed") for each in tables}
    return {
        "tester": _joined(str(each.get("tester", "")) for each in tables),
        "product": _joined(str(part.table.get("product", "")) for part in parts),
        "reader": _joined(str(each.get("reader", "")) for each in tables),
        "versions": {name: _joined(found) for name, found in versions.items()},
        "options": [],
        "seed": seeds.pop() if len(seeds) == 1 else None,
        "trace_sha256": _joined(str(each.get("trace_sha256", "")) for each in tables),
        "cards": sorted({str(card) for part in parts for card in part.table["session"].get("cards", ())}),
        "began": min((str(each["began"]) for each in tables if each.get("began")), key=_sortable, default=""),
        "ended": max((str(each["ended"]) for each in tables if each.get("ended")), key=_sortable, default=""),
    }


def _sortable(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def _session(tables: Sequence[Row]) -> dict[str, Any]:
    """What names all sessions: the SHA-256 is over those of the parts in their order."""
    sessions = [table["session"] for table in tables]
    digest = sha256("".join(f"{one.get('sha256', '')}\n" for one in sessions).encode()).hexdigest()
    return {
        "sha256": digest,
        "date": max(str(one.get("date", "")) for one in sessions),
        "cards": sorted({str(card) for one in sessions for card in one.get("cards", ())}),
        "commands": sum(int(one.get("commands", 0)) for one in sessions),
    }


def _asked(tables: Sequence[Row], rows: Sequence[Row]) -> Asked:
    """What had to be judged: what any part had to; what one lacked and another judged is not lacking."""
    asked = [Asked.of(table["conclusion"]) if "conclusion" in table else Asked() for table in tables]
    judged = [row for row in rows if row["verdict"] in JUDGED and row["verdict"] != Verdict.UNDEFINED]
    lacking = [
        name
        for name in dict.fromkeys(name for one in asked for name in one.lacking)
        if not any(fnmatchcase(row["id"], name) or row["standard"] == name for row in judged)
    ]
    return Asked(
        every=any(one.every for one in asked),
        lacking=tuple(lacking),
        cut_short=any(one.cut_short for one in asked),
    )


def _not_judged(rows: Sequence[Row]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["cause"]:
            found.setdefault(row["cause"], {})[row["id"]] = None
    told = []
    for name, ids in sorted(found.items(), key=lambda one: -len(one[1])):
        cause = Cause(name) if name in set(Cause) else Cause.OTHER
        remedy = REMEDIES[cause]
        told.append(
            {
                "cause": name, "cause_zh": remedy.cause_zh, "count": len(ids), "remedy": remedy.en,
                "remedy_zh": remedy.zh, "ids": list(ids),
            }
        )  # fmt: skip
    return told


def _rests_on(tables: Sequence[Row], rows: Sequence[Row]) -> dict[str, Any]:
    first = tables[0].get("rests_on") or {}
    rests = Counter(grade for row in rows for grade in set(grades(row["source"])) if grade != "S")
    return {
        "note": first.get("note", ""),
        "explanation": first.get("explanation", ""),
        "vectors": dict(rests),
        "proof": {
            kind.value: {
                "judged": sum(row["proof"] == kind and row["verdict"] in JUDGED for row in rows),
                "passed": sum(row["proof"] == kind and row["verdict"] == Verdict.PASSED for row in rows),
            }
            for kind in Proof
        },
        "flows": _flows(rows),
        "sources": {
            grade: sorted({row["source"] for row in rows if grade in grades(row["source"])}) for grade in "D1T"
        },
        "named": _named(tables),
    }


def _flows(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    sources = register().sources
    by_origin: dict[str, dict[str, list[bool]]] = {}
    for row in rows:
        if row["origin"] and row["verdict"] in JUDGED:
            origin = sources[row["origin"]].origin if row["origin"] in sources else row["origin"]
            by_origin.setdefault(origin, {}).setdefault(row["id"], []).append(row["verdict"] == Verdict.PASSED)
    return {
        origin: {"judged": len(flows), "passed": sum(map(all, flows.values()))} for origin, flows in by_origin.items()
    }


def _named(tables: Sequence[Row]) -> list[dict[str, Any]]:
    """The sources that the parts name; of each how many results cite it in all parts together."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        for one in (table.get("rests_on") or {}).get("named", ()):
            there = found.setdefault(one["id"], {**one, "results": 0})
            there["results"] += one["results"]
    return list(found.values())


def _matrix(matrices: Sequence[Sequence[Row]]) -> list[dict[str, Any]]:
    """The coverage of all: where parts tell the same, that; else their numbers together."""
    first = matrices[0]
    if all(one == first for one in matrices):
        return [dict(row) for row in first]
    found: dict[str, dict[str, Any]] = {}
    for row in (row for one in matrices for row in one):
        there = found.setdefault(row["id"], {**row, "cells": {}, "proof": {}})
        for name in ("cells", "proof"):
            there[name] = dict(Counter(there[name]) + Counter(row[name])) | {
                key: there[name].get(key, 0) + value for key, value in row[name].items()
            }
        there["gap"] = there["gap"] if row["gap"] else ""
    return list(found.values())


def _part(one: ReportFile) -> dict[str, Any]:
    table = one.table
    return {
        "name": one.name,
        "sha256": one.sha256,
        "program": table["program"],
        "date": table["date"],
        "target": table["target"],
        "profile": table["profile"],
        "conclusion": one.conclusion.verdict.value,
        "counts": table["counts"],
        "options": list((table.get("environment") or {}).get("options") or ()),
        "session": table["session"].get("sha256", ""),
        "seal": one.sealed.seal.value,
        "fingerprint": one.sealed.fingerprint,
    }


def _notes(parts: Sequence[ReportFile]) -> Iterator[str]:
    """What the parts do not agree on."""
    programs = {one.table["program"] for one in parts}
    if len(programs) > 1:
        yield _("made by different versions: {programs}").format(programs=", ".join(sorted(programs)))
    products = {one.table.get("product", "") for one in parts}
    if len(products) > 1:
        told = ", ".join(sorted(repr(one) for one in products))
        yield _("of different products: {products}").format(products=told)
    sums: dict[str, set[str]] = {}
    for one in parts:
        for name, each in (one.table.get("vector_files") or {}).items():
            sums.setdefault(name, set()).add(str(each))
    for name in sorted(name for name, found in sums.items() if len(found) > 1):
        yield _("{name} is not the same file in all parts").format(name=name)
    unsigned = [one.name for one in parts if not one.sealed.fingerprint]
    if unsigned and len(unsigned) < len(parts):
        yield _("not signed: {names}").format(names=", ".join(unsigned))
