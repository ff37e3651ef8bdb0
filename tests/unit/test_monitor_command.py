"""sscard monitor on recorded sessions, and its reports."""

from __future__ import annotations

import json
from pathlib import Path

from harness.connection import InProcess
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.rules import RULES
from harness.trace.record import TraceFile
from tests.support import SSSE, WRONG_PIN, new_card
from tests.unit.judged import ASK, READ_EXPIRY, READ_NUMBER, READ_VERSION
from tests.unit.test_cli import run

# --- the command ---------------------------------------------------------------------------------------------------


def recorded(path: Path, *commands: str, personal_data: bool = False) -> None:
    image = new_card().chip.image
    with TraceFile(path, personal_data=personal_data) as trace:
        connection = InProcess(FaultyChip(image, Plan(()), observer=trace.slot(0, image)))
        for command in commands:
            connection.send(bytes.fromhex(command))
        connection.close()


def test_a_recorded_session_is_judged_and_reported(tmp_path: Path) -> None:
    trace, folder = tmp_path / "t.jsonl", tmp_path / "report"
    recorded(trace, SSSE, "00C000001E", ASK, WRONG_PIN, WRONG_PIN, READ_NUMBER)
    arguments = ("monitor", str(trace), "--report", str(folder), "--product", "terminal X 1.2")
    out = run(*arguments, expect=1).stdout
    assert "✗ PIN-KNOWN-WRONG slot 0, line 6: VERIFY with a PIN that was refused before (63C1)" in out
    assert "不把重试机会用在已被拒绝的密码上" in out
    assert "failed 未通过" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "terminal X 1.2" in page
    assert "PIN-KNOWN-WRONG" in page
    assert "the PIN is wrong; 1 tries left" in page
    assert "覆盖矩阵" not in page
    assert "999999" not in page + (folder / "report.json").read_text() + (folder / "junit.xml").read_text()
    assert 'message="failed: line 6: VERIFY with a PIN' in (folder / "junit.xml").read_text(encoding="utf-8")
    table = json.loads(run(*arguments, "--json", expect=1).stdout)
    assert table["counts"]["failed"] == 3
    assert {one["id"] for one in table["results"]} == {rule.id for rule in RULES}


def test_a_clean_session_passes(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    recorded(trace, SSSE, "00C000001E", READ_VERSION, READ_EXPIRY, READ_NUMBER)
    assert "failed" not in run("monitor", str(trace)).stdout


def test_lost_cards_and_dates_come_from_the_command_line(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    activity = (SSSE, "00C000001E", READ_VERSION, READ_EXPIRY, READ_NUMBER, ASK, "805E010007123456FF246802")
    for personal_data in (False, True):
        recorded(trace, *activity, personal_data=personal_data)
        out = run("monitor", str(trace), "--lost", "A00000011", expect=int(personal_data)).stdout
        assert ("STATE-LOST slot 0" in out) is personal_data
        assert ("? STATE-LOST: the trace hides which card it was" in out) is not personal_data
    assert "STATE-EXPIRED slot 0" in run("monitor", str(trace), "--date", "2030-09-15", expect=1).stdout
    assert "STATE-EXPIRED slot 0" not in run("monitor", str(trace), "--date", "2030-09-14").stdout


def test_wrong_usage(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    recorded(trace, SSSE)
    assert "expected a trace, or --reader" in run("monitor", expect=2).stderr
    assert "expected a trace, or --reader" in run("monitor", str(trace), "--reader", "X", expect=2).stderr
    assert "goes with --reader" in run("monitor", str(trace), "--psam-reader", "X", expect=2).stderr
    trace.write_text("{}\n")
    assert "line 1" in run("monitor", str(trace), expect=1).stderr
