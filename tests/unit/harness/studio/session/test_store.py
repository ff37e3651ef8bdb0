from __future__ import annotations

import threading
from datetime import date

import pytest

from emulator import catalogue
from harness.messages.spoken import SpokenError
from harness.studio.session.filters import Filter
from harness.studio.session.store import Session, Window
from harness.studio.session.timeline import SINGLE, timeline
from tests.unit.harness.studio.session.sessions import every_kind, session, tables


@pytest.fixture(scope="module")
def told() -> Session:
    return session(tables())


def numbers(window: Window) -> list[int]:
    return [row.number for row in window.rows]


def expected(one: Session, means: object) -> list[int]:
    assert callable(means)
    return [row.number for row in one.rows() if means(row)]


def long(most: int, count: int) -> Session:
    """Commands that alternate between 9000 and 6A82, in a session that keeps so many."""
    kept = Session("long", catalogue.layout("3.00"), date(2026, 1, 1), most=most)
    for number in range(count):
        kept.hear({
            "v": 3, "t": number / 10, "time": "2026-01-01T00:00:00.000000+08:00", "slot": 0, "event": "apdu",
            "command": "00A4000002EF05", "answer": "9000" if number % 2 else "6A82", "latency": 0.001,
            "instruction": "SELECT", "reason": "",
        })  # fmt: skip
    return kept


def test_a_window_shows_rows_from_either_end(told: Session) -> None:
    assert numbers(told.window(Filter(), 5, 3)) == [6, 7, 8]
    assert numbers(told.window(Filter(), -2, 10)) == [told.total - 1, told.total]
    beyond = told.window(Filter(), told.total + 5, 10)
    assert (beyond.rows, beyond.total) == ((), told.total)


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        (Filter(instruction="VERIFY"), lambda row: row.said.instruction == "VERIFY"),
        (Filter(sw="6Cxx"), lambda row: row.said.sw.startswith("6C")),
        (Filter(sw="9"), lambda row: row.said.sw.startswith("9")),
        (Filter(change="right"), lambda row: any(one.kind == "right" for one in row.said.changes)),
        (Filter(findings=True), lambda row: row.findings),
        (Filter(text="姓名"), lambda row: row.said.about_zh == "姓名"),
        (Filter(text="NAME", sw="9000"), lambda row: row.said.about == "name" and row.said.sw == "9000"),
        (Filter(text="00 b2 09 30"), lambda row: row.command.startswith("00B20930")),
        (Filter(text="pin-initial"), lambda row: any(one.rule == "PIN-INITIAL" for one in row.findings)),
        (Filter(kinds=frozenset({"reset", "off"})), lambda row: row.said.kind in ("reset", "off")),
        (Filter(levels=frozenset({"warning"})), lambda row: row.said.level == "warning"),
    ],
)
def test_a_filter_means_these_rows_and_no_others(told: Session, asked: Filter, means: object) -> None:
    wanted = expected(told, means)
    assert 0 < len(wanted) < told.total
    assert numbers(told.window(asked, 0, told.total)) == wanted


def test_lanes_and_slots_are_told_apart() -> None:
    kinds = session(every_kind())
    assert numbers(kinds.window(Filter(lanes=frozenset({"psam"})), 0, 9)) == [9, 10]
    assert numbers(kinds.window(Filter(lanes=frozenset({"terminal"})), 0, 9)) == [8]
    assert numbers(kinds.window(Filter(slots=frozenset({1})), 0, 9)) == [9, 10]


@pytest.mark.parametrize("asked", [{"sw": "9g"}, {"sw": "90000"}, {"sw": "x"}, {"text": "a" * 201}])
def test_a_filter_of_another_form_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(SpokenError, match="expected"):
        Filter(**asked)  # type: ignore[arg-type]


def test_a_search_goes_on_from_either_end(told: Session) -> None:
    where = [row.number - 1 for row in told.rows() if row.said.instruction == "UPDATE RECORD"]
    chinese = told.rows()[where[0]].said.instruction_zh
    first, second, last = where[0], where[1], where[-1]

    def found(start: int, *, back: bool = False) -> int | None:
        one = told.search(Filter(), chinese, start, back=back)
        return one.position if one else None

    assert (found(0), found(first), found(first + 1)) == (first, first, second)
    assert found(last + 1) == first
    assert (found(second, back=True), found(second - 1, back=True), found(first - 1, back=True)) == (
        second, next(one for one in reversed(where) if one < second), last,
    )  # fmt: skip
    assert told.search(Filter(), "nothing has this", 3) is None
    assert told.search(Filter(sw="6Cxx"), chinese, 0) is None


def test_old_rows_go_and_positions_stay() -> None:
    kept = long(1000, 2400)
    whole, good = kept.window(Filter(), 0, 1), kept.window(Filter(sw="9000"), 0, 1)
    assert whole.total == 2400
    assert 1000 <= 2400 - whole.first < 1100
    assert whole.start == whole.first
    assert kept.row(whole.first) is None
    number = good.rows[0].number
    for __ in range(200):
        kept.hear({"v": 3, "t": 999, "time": "2026-01-01T00:00:00.000000+08:00", "slot": 0, "event": "off"})
    later = kept.window(Filter(sw="9000"), good.start, 1)
    assert later.first > good.first
    assert later.start == later.first
    assert kept.window(Filter(sw="9000"), later.first, 1).rows[0].number == number + 2 * (later.first - good.first)
    lines = "".join(kept.lines()).splitlines()
    assert 1000 <= len(lines) <= 2000


def test_a_filter_goes_on_as_rows_come() -> None:
    kept = long(1000, 10)
    assert kept.window(Filter(sw="9000"), 0, 0).total == 5
    kept.hear({"v": 3, "t": 9, "slot": 0, "event": "apdu", "command": "00A40000", "answer": "9000"})
    assert kept.window(Filter(sw="9000"), 0, 0).total == 6


def test_a_late_finding_comes_to_its_row_in_a_filter_that_was_asked_before() -> None:
    live = Session("live", catalogue.layout("3.00"), date(2026, 1, 1))
    events = tables()
    for table in events:
        live.hear(table)
    before = live.window(Filter(findings=True), 0, 0).total
    live.hear({**events[0], "card": "ffffffff"})  # another card: what the first was left with is told now
    after = live.window(Filter(findings=True), 0, 99)
    assert after.total == before + 1
    assert any(one.rule == "STATE-EXPIRY-UNREAD" for one in after.rows[-1].findings)


def test_few_rows_are_single_on_the_time_line_and_many_are_counted() -> None:
    kept = long(5000, 3 * SINGLE)
    whole = timeline(kept, Filter(), None, None, 10)
    assert sum(one["count"] for one in whole["bins"]) == whole["count"] == 3 * SINGLE
    assert {one["level"] for one in whole["bins"]} == {"refused"}
    assert {one["level"] for one in timeline(kept, Filter(sw="9000"), None, None, 10)["bins"]} == {"good"}
    part = timeline(kept, Filter(), 10.0, 20.0, 10)
    assert [one["t"] for one in part["rows"]] == [one / 10 for one in range(100, 201)]
    assert part["rows"][0]["position"] == 100


def test_rows_are_asked_for_while_they_come() -> None:
    kept, ended, wrong = long(1000, 1), threading.Event(), []

    def ask() -> None:
        while not ended.is_set():
            window = kept.window(Filter(sw="9000"), -5, 5)
            if [row.said.sw for row in window.rows] != ["9000"] * len(window.rows):
                wrong.append(window)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for number in range(1500):
            answer = "9000" if number % 3 else "6A82"
            kept.hear({"v": 3, "t": number, "slot": 0, "event": "apdu", "command": "00A40000", "answer": answer})
    finally:
        ended.set()
        asking.join()
    assert not wrong
