"""What a report says of its sessions: each card by its own layout, and a name that covers all that went over."""

from __future__ import annotations

import copy
import json
import pickle
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from harness.conformance import runner
from harness.conformance import vector as vectors
from harness.conformance.targets.virtual import Virtual
from harness.monitor.watched import Watched
from harness.trace.read import Event, EventKind
from harness.verdicts.log import Line, Log
from harness.verdicts.report import trace_lines
from tests.kit.cards import SSSE
from tests.kit.judged import Judged
from tests.unit.harness.cli.test_cli import run

OLD = Path(__file__).parents[3] / "data" / "reports" / "before-running-hash"
ATR = bytes.fromhex("3B6D00000081544C908684510151010001")
OK = b"\x90\x00"
LAYOUT = """
extends = "3.00"
schema = 1
name = "district"
[file."SSSE/EF0B"]
name = "区文件"
name_en = "a district's own"
structure = "records"
read = "free"
update = "UKSSSE"
grade = "D"
items = [{ tag = "D1", format = "an", length = 20, name = "区内编号", name_en = "number in the district" }]
"""
READ = bytes.fromhex("00B2D15816")
HALF = bytes.fromhex("D114") + b"E75A0001" + b"\x61\x10"
"""The first part of a record: only who knows the file knows which of its bytes are tag and length."""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layouts") / "district.toml"
    path.write_text(LAYOUT, encoding="utf-8")
    return path


def selected(layout: Layout | None, card: int = 0) -> list[Line]:
    return [Line(b"", ATR, card=card, layout=layout), Line(bytes.fromhex(SSSE), OK, card=card, layout=layout)]


# --- whose layout --------------------------------------------------------------------------------------------------


def test_exchanges_are_told_by_their_own_cards_layout(district: Path) -> None:
    layout = catalogue.layout(str(district))
    told = trace_lines([*selected(layout), Line(READ, HALF, layout=layout)], show_secrets=False)
    assert told[-1]["answer"] == "D114" + "**" * 8 + "6110"
    other = trace_lines([*selected(None), Line(READ, HALF)], show_secrets=False)
    assert other[-1]["answer"] == "**" * 10 + "6110", "a card that nobody knows"


def test_two_cards_of_one_session_are_not_taken_for_one() -> None:
    """The PSAM's selection is none of the user card's: its version is still known to be that."""
    user, psam = catalogue.layout("3.00"), catalogue.layout("psam")
    version = Line(bytes.fromhex("00B2032806"), bytes.fromhex("0304332E30309000"), layout=user)
    other = [Line(b"", ATR, card=1, layout=psam), Line(bytes.fromhex("00A40000023F00"), OK, card=1, layout=psam)]
    told = trace_lines([*selected(user), *other, version], show_secrets=False)
    assert told[-1]["answer"] == "0304332E30309000"


VECTOR = """schema: 1
id: OWN-LAYOUT
title: one
title_zh: 一
grade: own
source: "[D]"
layout: {layout}
steps:
  - select: SSSE
{more}
  - {{apdu: 00B2D15816, expect: {{sw: "9000"}}}}
"""
COMMANDS = 33
"""SELECT and its answer, thirty challenges, a reading."""
ASK = '  - {apdu: "0084000008", expect: {sw: "9000"}}'


def of_vector(folder: Path, layout: str) -> vectors.Vector:
    path = folder / "own.yaml"
    more = "\n".join([ASK] * 30)
    path.write_text(VECTOR.format(layout=layout, more=more), encoding="utf-8")
    (one,) = vectors.load(path)
    return one


def test_a_vectors_exchanges_bear_the_layout_that_it_wants(tmp_path: Path, district: Path) -> None:
    result = runner.run_one(of_vector(tmp_path, str(district)), Virtual("3.00", "3des"))
    assert {line.layout.name for line in result.trace if line.layout} == {"district"}
    assert trace_lines(result.trace, show_secrets=False)[-1]["words"].startswith("READ RECORD")


def test_a_layout_of_this_package_goes_to_other_processes_by_its_name(district: Path) -> None:
    ours, own = catalogue.layout("3.00"), catalogue.layout(str(district))
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert len(pickle.dumps(ours)) < 100
    assert copy.deepcopy(ours) is ours
    assert pickle.loads(pickle.dumps(own)) == own


def test_a_findings_exchanges_bear_their_slots_layout() -> None:
    judged = Judged("2.00").send(SSSE, "00C000001E", "0020000003654321", "0020000003654321")
    found = next(one for one in judged.found if one.rule.id == "PIN-KNOWN-WRONG")
    assert {line.layout.name for line in found.trace if line.layout} == {"2.00"}


# --- what names a session ------------------------------------------------------------------------------------------


def logged(first: str, *, private: bool = False, answer: bytes = OK) -> Log:
    """Forty exchanges of which a report would keep the last ones."""
    log = Log(private=private)
    card = log.card(catalogue.layout("3.00"))
    card.powered("reset", ATR)
    card.sent(bytes.fromhex(SSSE), OK)
    card.sent(bytes.fromhex(first), answer)
    log.lines.clear()
    for _ in range(40):
        card.sent(bytes.fromhex("0084000008"), bytes(8) + OK)
    return log


def test_a_session_is_named_by_all_of_it() -> None:
    one, other = (logged(first).heard for first in ("0020000000", "0020000001"))
    assert one.sha256 != other.sha256, "their last forty exchanges are the same"
    assert one == logged("0020000000").heard
    assert (one.commands, one.cards) == (42, frozenset({"3B6D00000081544C908684510100000000"}))
    assert one.sha256 != logged("0020000000", answer=b"\x63\xc3").heard.sha256


def test_a_persons_card_is_named_without_what_may_be_found_out_by_trying() -> None:
    pins = {logged(f"0020000003{pin}", private=True).heard.sha256 for pin in ("123456", "246802")}
    assert len(pins) == 1
    names = {logged("00B2093020", private=True, answer=b"\x09\x02" + name + OK).heard.sha256 for name in (b"AB", b"CD")}
    assert len(names) == 1
    assert logged("0020000003123456", private=True).heard.sha256 != logged("0020000000", private=True).heard.sha256
    chips = {tuple(chip(number)) for number in (ATR, ATR[:-1] + b"\x02")}
    assert len(chips) == 1


def chip(atr: bytes) -> list[str]:
    log = Log(private=True)
    log.card().powered("reset", atr)
    return [log.heard.sha256, *log.heard.cards]


def test_a_report_names_the_whole_of_its_sessions(tmp_path: Path, district: Path) -> None:
    path, folder = Path(of_vector(tmp_path, str(district)).path), tmp_path / "report"
    run("vectors", "run", str(path), "--profile", "3.00-3des", "--profile", "3.00-sm4", "--report", str(folder))
    table = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert table["session"]["commands"] == 2 * COMMANDS
    assert all(len(result["trace"]) < COMMANDS for result in table["results"])
    heard = "".join(f"{result['session']}\n" for result in table["results"])
    assert table["session"]["sha256"] == sha256(heard.encode()).hexdigest(), "whoever has the report can add them up"


def test_a_session_that_is_watched_is_named_though_nothing_of_it_is_kept() -> None:
    judged = Judged()
    watched = Watched(catalogue.layout("3.00"))

    def put(table: dict[str, Any]) -> None:
        watched.hear(Event(1, EventKind(table["event"]), 0.0, 0, table))

    judged._trace._put = put
    judged.send(SSSE, "00C000001E", "reset", SSSE, "0020000003123456")
    assert watched.heard.commands == 4
    assert watched.heard.cards == {"3B6D00000081544C908684510100000000"}
    assert watched._log.lines == []


# --- reports of before ---------------------------------------------------------------------------------------------


def test_a_report_of_an_earlier_program_is_verified_as_before() -> None:
    """Its session was named by the exchanges that it kept; its files and their signature are what they were."""
    assert "every file of the report is whole" in run("report", "verify", str(OLD)).stdout
    table = json.loads((OLD / "report.json").read_text(encoding="utf-8"))
    assert "session" not in table["results"][0]
