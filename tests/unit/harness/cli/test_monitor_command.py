"""sscard monitor on recorded sessions, and its reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.monitor.rules import RULES
from harness.readers.connection import InProcess
from harness.trace.record import TraceFile
from tests.kit.cards import SSSE, WRONG_PIN, new_card
from tests.kit.judged import ASK, READ_EXPIRY, READ_NUMBER, READ_VERSION
from tests.unit.harness.cli.test_cli import run

# --- the command ---------------------------------------------------------------------------------------------------


def recorded(path: Path, *commands: str, personal_data: bool = False) -> None:
    image = new_card().chip.image
    with TraceFile(path, personal_data=personal_data, force=True) as trace:
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
    failed = {one["id"] for one in table["results"] if one["verdict"] == "failed"}
    assert failed == {"PIN-KNOWN-WRONG", "PIN-UNCONFIRMED", "PIN-LAST-TRY", "PIN-REFUSAL-IGNORED"}
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


RESET = {"v": 2, "t": 1.0, "slot": 0, "event": "reset", "atr": "3B00", "layout": "3.00"}
OFF = {"v": 2, "t": 2.0, "slot": 0, "event": "off"}
SELECTED = {"v": 2, "t": 1.5, "slot": 0, "event": "apdu", "command": SSSE, "answer": "611E"}
PROBED = {**SELECTED, "command": "00A4040009A00000030800001000", "answer": "6A82"}
ANYBODYS = tuple(
    {**SELECTED, "command": command, "answer": answer}
    for command, answer in (
        ("00A40000023F00", "6112"),
        ("00C0000012", "00" * 18 + "9000"),
        ("00A4000000", "9000"),
        ("00A4040000", "6A82"),
        ("00A4020C022F00", "6A82"),
        ("00A40200022F01", "6A82"),
    )
)
"""With what programs of any field look at any card, a clean selection of the MF among them."""
NOTHING: dict[str, tuple[list[dict[str, object]], str]] = {
    "empty": ([], "nothing was judged: the trace is empty"),
    "no command": ([RESET, OFF], "nothing was judged: there is no command of a terminal's in it"),
    "no reset": ([SELECTED], "slot 0: 1 commands before its first reset are not judged"),
    "other programs, and the MF": (
        [RESET, PROBED, *ANYBODYS, OFF],
        "nothing was judged: there is no command of a terminal's in it",
    ),
    "other programs only": ([RESET, PROBED, OFF], "nothing was judged: there is no command of a terminal's in it"),
}


@pytest.mark.parametrize("kind", NOTHING)
@pytest.mark.parametrize("option", [(), ("--json",)], ids=["plain", "json"])
def test_where_nothing_was_judged_the_exit_code_is_4(tmp_path: Path, kind: str, option: tuple[str, ...]) -> None:
    events, words = NOTHING[kind]
    trace = tmp_path / "t.jsonl"
    trace.write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    assert words in run("monitor", str(trace), *option, expect=4).stderr


@pytest.mark.parametrize("kept", [True, False], ids=["a torn end", "a torn line and no more"])
def test_a_torn_trace_is_said_to_be_so(tmp_path: Path, kept: bool) -> None:
    trace = tmp_path / "t.jsonl"
    recorded(trace, SSSE, "00C000001E", READ_VERSION, READ_EXPIRY)
    text = trace.read_text(encoding="utf-8")
    trace.write_text(text[:-9] if kept else text[:9], encoding="utf-8")
    told = run("monitor", str(trace), expect=0 if kept else 4).stderr
    assert f"torn: line {6 if kept else 1} has no end, and is left out" in told
    assert ("nothing was judged: the trace is empty" in told) is not kept


def test_a_report_bears_the_lines_of_the_trace(tmp_path: Path) -> None:
    trace, folder = tmp_path / "t.jsonl", tmp_path / "report"
    recorded(trace, SSSE, "00C000001E", "00A4020002EF06", "00B2090020")
    out = run("monitor", str(trace), "--report", str(folder), expect=1).stdout
    assert "✗ RIGHTS-READ slot 0, line 5: reading SSSE/EF06/09" in out
    shown = run("trace", "show", str(trace)).stdout
    assert next(line for line in shown.splitlines() if "→ 00B2090020" in line).split()[0] == "5"
    result = next(
        one for one in json.loads((folder / "report.json").read_text())["results"] if one["id"] == "RIGHTS-READ"
    )
    assert [one["line"] for one in result["trace"]] == ["1", "2", "3", "4", "5"]
    assert "\n5 00B2090020 -&gt; 6982" in (folder / "junit.xml").read_text(encoding="utf-8")
    assert "5 → 00B2090020" in (folder / "report.html").read_text(encoding="utf-8")
