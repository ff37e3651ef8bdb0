"""What the monitor says of public programs is what docs/field-findings.md says that it should."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.conformance import runner
from harness.conformance import vector as vectors
from harness.conformance.play import Play
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector, home
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import ERROR, Situation
from harness.monitor.rules import RULES
from harness.readers.connection import InProcess
from harness.trace.read import Event
from harness.trace.record import Trace
from harness.verdicts.log import Log
from harness.verdicts.verdict import Verdict
from tests.kit.judged import TODAY

TABLE = Path(__file__).parents[4] / "docs" / "field-findings.md"
CARDS = [("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")]
USER, PSAM = 0, 1


@dataclass(frozen=True, slots=True)
class Judging(Virtual):
    """A target whose cards' sessions are judged, each way of playing a vector by a monitor of its own."""

    found: list[Finding] = field(default_factory=list)

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """As on any target; what is found is known when the next way is asked for."""
        for play in Virtual.opened(self, vector, log):
            monitor = Monitor(self.layout_for(vector), Situation(TODAY), psam=(PSAM,))
            trace = Trace(Put(monitor, self.found), personal_data=True)
            cards = [one for one in (play.terminal.connection, play.psam) if one is not None]
            for slot, card in enumerate(cards):
                assert isinstance(card, InProcess)
                card.chip.observer = trace.slot(slot, card.chip.image)
                card.reset()
            yield play
            for card in cards:
                card.close()
            self.found.extend(monitor.end())


@dataclass
class Put:
    """Hands a trace's events to a monitor as they come."""

    monitor: Monitor
    found: list[Finding]
    line: int = 0

    def __call__(self, table: dict[str, Any]) -> None:
        self.line += 1
        self.found += self.monitor.hear(Event.of(self.line, table))


@cache
def programs() -> tuple[Vector, ...]:
    return tuple(vectors.find([home() / "field"]))


@cache
def findings() -> dict[str, dict[str, list[Finding]]]:
    """By rule and vector, on all cards; each vector must pass on those that it is for."""
    told: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for vector in programs():
        verdicts = set()
        for card in CARDS:
            target = Judging(*card)
            verdicts.add(runner.run_one(vector, target).verdict)
            for one in target.found:
                told[one.rule.id][vector.id].append(one)
        assert verdicts - {Verdict.NOT_APPLICABLE} == {Verdict.PASSED}, vector.id
    return told


def rows() -> dict[str, tuple[str, set[str]]]:
    """Severity and vectors of each rule in the first table."""
    text = TABLE.read_text(encoding="utf-8")
    found = re.findall(r"^\| `([A-Z0-9-]+)` \| (error|warning) \| ([^|]+) \| yes 是 \|", text, re.MULTILINE)
    return {rule: (severity, {f"FIELD-{one}" for one in re.findall(r"`(\w+)`", ids)}) for rule, severity, ids in found}


def test_what_is_found_of_public_programs_is_what_they_deserve() -> None:
    assert {rule: set(by_vector) for rule, by_vector in findings().items()} == {
        rule: ids for rule, (_, ids) in rows().items()
    }


def test_the_table_says_how_grave_each_breach_is() -> None:
    severity = {rule.id: rule.severity for rule in RULES}
    assert {rule: told for rule, (told, _) in rows().items()} == {rule: severity[rule] for rule in rows()}


def test_an_error_is_found_of_those_alone_who_spend_the_cardholders_tries() -> None:
    grave = [one for by in findings().values() for some in by.values() for one in some if one.rule.severity == ERROR]
    assert {one.rule.id for one in grave} == {"PIN-REFUSAL-IGNORED"}


def test_both_languages_have_the_same_rows() -> None:
    """Rules and vectors of both tables, which stand before the words."""
    english, chinese = (
        [
            re.findall(r"`([A-Z0-9_-]+)`", " ".join(row.split(" | ")[:3]))
            for row in re.findall(r"^\| `.*", text, re.MULTILINE)
        ]
        for text in (page.read_text(encoding="utf-8") for page in (TABLE, TABLE.with_name("field-findings.zh-CN.md")))
    )
    assert english == chinese
    assert len(english) == len(rows()) + 8


OLDER = [one.id for one in programs() if one.versions and "3.00" not in one.versions and not one.layout]


@pytest.mark.parametrize("id", OLDER)
def test_a_program_for_older_cards_is_found_to_read_what_a_newer_one_refuses(id: str) -> None:
    """EF06 of a 3.00 card needs RKSSSE: who reads it all the same is found, and nobody else, and nothing else."""
    vector = next(one for one in programs() if one.id == id)
    target = Judging("3.00", "3des")
    result = runner.run_one(replace(vector, versions=("3.00",)), target)
    assert result.verdict in (Verdict.PASSED, Verdict.FAILED), result.reason
    broken = {one.rule.id for one in target.found}
    refused = any(line.answer == b"\x69\x82" for line in result.trace) or "6982" in result.reason
    assert ("RIGHTS-READ" in broken) is (refused or "SSSE/EF06" in result.reason)
    assert broken - {"RIGHTS-READ"} <= {rule for rule, (_, ids) in rows().items() if id in ids}
