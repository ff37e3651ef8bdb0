from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.office.measures.workdays import CalendarError, Workdays

YEAR_2027 = """
[2027]
holidays = [2026-12-31, 2027-01-01, 2027-10-01, 2027-10-04]
workdays = [2026-12-26, 2027-10-09]
"""


@pytest.fixture(scope="module")
def china() -> Workdays:
    return Workdays()


# As the State Council announced them: weekends worked, and days off that are no weekend.
WORKED = ["2024-02-04", "2024-02-18", "2024-09-29", "2024-10-12", "2025-01-26", "2025-02-08", "2025-09-28",
          "2025-10-11", "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
          "2018-12-29"]  # fmt: skip
OFF = ["2024-02-12", "2024-02-16", "2024-10-07", "2025-01-01", "2025-01-28", "2025-02-04", "2025-10-08", "2026-01-02",
       "2026-02-16", "2026-02-23", "2026-10-01", "2026-10-07", "2026-11-21", "2026-11-22"]  # fmt: skip
ORDINARY = ["2024-02-09", "2024-02-19", "2025-02-05", "2025-10-09", "2026-02-24", "2026-10-08", "2026-11-25"]


@pytest.mark.parametrize("day", WORKED + ORDINARY)
def test_offices_work(china: Workdays, day: str) -> None:
    assert china.is_workday(date.fromisoformat(day))


@pytest.mark.parametrize("day", OFF)
def test_offices_rest(china: Workdays, day: str) -> None:
    assert not china.is_workday(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-24", 1, "2026-11-25"),
        ("2026-11-20", 1, "2026-11-23"),  # Friday to Monday
        ("2026-11-21", 1, "2026-11-23"),  # taken on a Saturday
        ("2026-02-13", 1, "2026-02-14"),  # the Saturday before Spring Festival is worked
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-02-14", 5, "2026-02-28"),
        ("2026-09-18", 30, "2026-11-05"),  # over Mid-Autumn and National Day
        ("2025-12-15", 30, "2026-01-27"),  # over the end of the year, 4 January worked
    ],
)
def test_working_days_are_counted_from_the_day_after(china: Workdays, start: str, days: int, end: str) -> None:
    assert china.add(date.fromisoformat(start), days) == date.fromisoformat(end)


def test_no_year_is_guessed(china: Workdays) -> None:
    with pytest.raises(CalendarError, match=r"holidays of 2003 are not known \(known: 2004-\d{4}\)"):
        china.is_workday(date(2003, 12, 31))
    with pytest.raises(CalendarError, match=r"holidays of 2095 are not known \([^)]*\)$"):
        china.is_workday(date(2095, 1, 4))
    last = max(year for year in range(2026, 2095) if _known(china, year))
    with pytest.raises(CalendarError, match=f"holidays of {last + 1} "):
        china.add(date(last, 12, 20), 30)


def _known(calendar: Workdays, year: int) -> bool:
    try:
        calendar.is_workday(date(year, 6, 1))
    except CalendarError:
        return False
    return True


def test_a_file_adds_its_years(tmp_path: Path) -> None:
    file = tmp_path / "years.toml"
    file.write_text(YEAR_2027 + YEAR_2027.replace("2027", "2095").replace("2026", "2094"), "utf-8")
    calendar = Workdays([file])
    assert calendar.add(date(2026, 12, 30), 1) == date(2027, 1, 4), "its New Year holiday begins in December"
    assert calendar.is_workday(date(2026, 12, 26))
    assert not calendar.is_workday(date(2027, 10, 4))
    assert calendar.add(date(2027, 10, 8), 1) == date(2027, 10, 9)
    assert calendar.is_workday(date(2026, 2, 14)), "the other years stay"
    with pytest.raises(CalendarError, match=r"2004-20\d\d, 2095"):
        calendar.is_workday(date(2094, 12, 31))


def test_a_file_wins_over_the_library(tmp_path: Path) -> None:
    file = tmp_path / "years.toml"
    file.write_text("[2026]\nholidays = [2026-01-01, 2026-10-01]\nworkdays = []\n", "utf-8")
    calendar = Workdays([file])
    assert not calendar.is_workday(date(2026, 2, 14))
    assert calendar.is_workday(date(2026, 2, 16))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[2027", "not TOML"),
        ("[next]", "next: expected tables named by their year"),
        ("2027 = 1", "2027: expected a table with the two lists"),
        ("[2027]\nholidays = []", "2027: expected a table with the two lists"),
        ("[2027]\nholidays = 1\nworkdays = []", "2027.holidays: expected a list of days"),
        ('[2027]\nholidays = ["2027-01-01"]\nworkdays = []', "2027.holidays: expected a day"),
        ("[2027]\nholidays = [2027-01-01T00:00:00]\nworkdays = []", "2027.holidays: expected a day"),
        ("[2027]\nholidays = [2028-01-01]\nworkdays = []", "2028-01-01 is neither in 2027 nor"),
        ("[2027]\nholidays = [2027-01-01]\nworkdays = []", "not whole: 2027-10-01 missing"),
        ("[2027]\nholidays = [2027-01-01, 2027-10-01]\nworkdays = [2027-10-01]", "2027-10-01 is a holiday as well"),
        ("[2027]\nholidays = [2027-01-01, 2027-10-01]\nworkdays = [2027-10-08]", "2027-10-08 is no Saturday or Sunday"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "years.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(CalendarError, match=said) as error:
        Workdays([file])
    assert str(error.value).startswith(f"{file}: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"none\.toml: cannot be read: no such file"):
        Workdays([tmp_path / "none.toml"])
    (tmp_path / "gbk.toml").write_bytes("# 节假日".encode("gbk"))
    with pytest.raises(CalendarError, match=r"gbk\.toml, line 1: expected UTF-8"):
        Workdays([tmp_path / "gbk.toml"])


def test_a_count_begins_with_one(china: Workdays) -> None:
    with pytest.raises(ValueError, match="at least one"):
        china.add(date(2026, 11, 25), 0)
