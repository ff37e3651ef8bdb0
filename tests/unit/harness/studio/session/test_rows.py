from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from emulator import catalogue
from emulator.chip import Chip
from harness.studio.session.rows import Lane, Level, Row, Rows
from harness.studio.session.sessions import Sessions, recorded
from harness.trace.read import EventKind, TraceError, events_of
from harness.trace.record import Trace
from tests.kit.cards import new_card
from tests.unit.harness.studio.session.sessions import HOSTILE, SCHEMA_1, as_trace, every_kind, session, tables


@pytest.fixture(scope="module")
def told() -> list[Row]:
    return session(tables()).rows()


def named(rows: list[Row], instruction: str, label: str = "") -> list[Row]:
    return [row for row in rows if row.said.instruction == instruction and row.said.label.startswith(label)]


def test_a_row_says_what_a_command_is_about_in_both_languages(told: list[Row]) -> None:
    name = named(told, "READ RECORD", "SSSE/EF06/09")[-1]
    assert (name.said.instruction_zh, name.said.about_zh, name.said.about) == ("读记录", "姓名", "name")
    assert (name.said.sw, name.said.meaning, name.said.meaning_zh) == ("9000", "done", "执行成功")
    assert name.said.parameters == "SFI 06, first with tag 09"
    assert name.said.level is Level.GOOD


COUNTER = {
    "00B2010012": "identification code", "00B2050006": "issue", "00B2060006": "validity", "00B207000B": "card number",
    "00B2080014": "social security number", "00B2090020": "name", "00B20A0003": "sex", "00B20B0003": "ethnic group",
    "00B20C0005": "place of birth", "00B20D0006": "date of birth",
}  # fmt: skip
"""What a public counter program sends, EF05 and EF06 selected by their ids with P1 02, and what it takes from each."""


def test_rows_call_what_a_program_of_others_reads_as_that_program_calls_it() -> None:
    events: list[dict[str, Any]] = []
    image = new_card("2.00", "3des").chip.image
    chip = Chip(image, observer=Trace(events.append).slot(0, image))
    chip.power_on()
    chip.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
    for file, sent in (("05", list(COUNTER)[:4]), ("06", list(COUNTER)[4:])):
        for command in (f"00A4020002EF{file}", *sent):
            chip.transmit(bytes.fromhex(command))
    rows = {row.command: row.said for row in session(events).rows()}
    for command, meant in COUNTER.items():
        assert meant in rows[command].about, command
        assert rows[command].label.endswith(f"/{command[4:6]}")
        assert rows[command].hidden == (meant != "validity"), "the one item that says nothing of a person"


def test_values_are_hidden_as_the_trace_hides_them_and_shown_where_it_has_them(told: list[Row]) -> None:
    masked = named(told, "READ RECORD", "SSSE/EF06/09")[-1]
    assert masked.said.hidden
    assert not masked.said.values
    shown = named(session(tables(personal_data=True)).rows(), "READ RECORD", "SSSE/EF06/09")[-1]
    assert [one.value for one in shown.said.values] == ["测试甲"]
    assert not any("测试甲" in text for row in told for text in row.said.texts())


def test_a_secured_command_is_told_plain_beside_its_own_bytes(told: list[Row]) -> None:
    secured = next(row for row in told if row.plain)
    assert secured.command[:2] in ("04", "84")
    assert len(secured.plain) < len(secured.command), "its MAC is taken off"
    assert secured.plain[2:8] == secured.command[2:8]


def test_a_finding_stands_on_the_row_that_it_is_about(told: list[Row]) -> None:
    found = {noted.rule: row for row in told for noted in row.findings}
    assert found["PIN-INITIAL"].said.instruction == "UPDATE RECORD"
    assert found["PIN-ASKED"].said.instruction == "VERIFY"
    noted = next(one for one in found["PIN-ASKED"].findings if one.rule == "PIN-ASKED")
    assert noted.title_zh == "验证密码前先以Lc=00的VERIFY查询密码状态"
    assert noted.source.endswith("[T]")


def test_what_the_trace_tells_of_the_card_is_as_it_was_at_each_row(told: list[Row]) -> None:
    before, after = named(told, "VERIFY")[0].number - 2, named(told, "VERIFY")[0].number - 1
    assert "PIN" not in told[before].stood.rights
    assert "PIN" in told[after].stood.rights
    assert told[after].stood.directory == "SSSE"
    written = told[-2].stood.written
    assert "DF03/EF05" in " ".join(written)
    assert not any("DF03/EF05" in one for one in told[after].stood.written)
    assert told[-1].said.kind is EventKind.OFF
    assert (told[-1].stood.powered, told[-1].stood.rights) == (False, ())


def test_a_reset_takes_rights_and_another_card_takes_all(told: list[Row]) -> None:
    events = tables()
    again = {**events[0], "t": events[-1]["t"] + 1}
    other = {**again, "card": "ffffffff"}
    rows = session([*events, again, other]).rows()
    assert rows[-2].stood.rights == ()
    assert rows[-2].stood.written == told[-2].stood.written
    assert rows[-1].stood.written == ()


def test_each_kind_of_event_has_its_lane_and_level() -> None:
    rows = session(every_kind()).rows()
    assert [(row.said.kind, row.said.level) for row in rows[1:8]] == [
        ("apdu", "good"), ("apdu", "warning"), ("apdu", "refused"), ("fault", "warning"), ("apdu", "silent"),
        ("reader", "good"), ("call", "refused"),
    ]  # fmt: skip
    assert rows[7].said.lane is Lane.TERMINAL
    assert [row.said.lane for row in rows[8:]] == [Lane.PSAM, Lane.PSAM]
    assert rows[4].answer == "9000"
    assert rows[2].stood.counters == ((HOSTILE, "4"),)


def test_a_psam_slot_that_an_old_trace_does_not_tell_can_be_named() -> None:
    content = SCHEMA_1.read_bytes()
    assert {row.said.lane for row in recorded("old", content).rows() if row.said.slot == 0} == {Lane.CARD}
    assert {row.said.lane for row in recorded("old", content, psam=(0,)).rows()} >= {Lane.PSAM}


def test_an_old_trace_has_rows_without_times() -> None:
    rows = recorded("old", SCHEMA_1.read_bytes()).rows()
    assert rows
    assert {row.time for row in rows} == {""}
    assert {row.latency for row in rows} == {None}


def test_rows_share_what_they_have_in_common() -> None:
    maker = Rows(catalogue.layout("3.00"), date(2026, 1, 1))
    events = list(events_of(as_trace(tables() * 2), "t"))
    rows = [maker.hear(event)[0] for event in events]
    half = len(rows) // 2
    same = [one.said is other.said for one, other in zip(rows[:half], rows[half:], strict=True)]
    assert sum(same) > half * 0.9


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the trace is empty"),
        (b"\n\n", "the trace is empty"),
        (b'{"v": 3, "event": "off"}\n', "x.jsonl: line 1: expected 't'"),
        (b'{"v": 9}\n', "x.jsonl: line 1: expected a version of 1, 2, 3"),
        ("ß".encode("utf-16"), "expected a trace in UTF-8"),
        (b"\x1f\x8bgarbage", "this gzip is broken"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(content: bytes, said: str) -> None:
    with pytest.raises(TraceError, match=said.replace("[", r"\[")):
        Sessions().open("x.jsonl", content)


def test_a_live_session_numbers_its_rows_and_knows_their_moments() -> None:
    sessions, events = Sessions(), tables()
    for number, table in enumerate(events, 100):
        sessions.hear({**table, "n": number})
    live = sessions.live
    assert [row.line for row in live.rows()] == list(range(1, len(events) + 1))
    assert [row.moment for row in live.rows()] == list(range(100, 100 + len(events)))
    assert "".join(live.lines()).encode() == as_trace(events), "a download is the trace itself"
