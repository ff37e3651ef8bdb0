"""Working days of China: weekends, public holidays, and the weekends worked in exchange (调休).

The State Council announces them year by year, so a year without data is an error, never a guess. What was announced
is kept by the library chinesecalendar; later years come from TOML files of the user's:

    [2027]
    holidays = [2027-01-01, 2027-02-05, …]  # every day off, weekends within a holiday may be left out
    workdays = [2027-02-14, …]              # the weekends worked

A year's table may also name days of the December before, as its New Year holiday may begin there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from chinese_calendar import constants

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_toml
from emulator.textfiles.text import FormatError

SATURDAY = 5
ALWAYS_OFF = ((1, 1), (10, 1))
"""New Year and National Day, by law the same days every year: a year's list without them is not whole."""


class CalendarError(SscardError, ValueError):
    """A day of a year that nothing is known of, or a file of years that cannot be used."""

    kind = ErrorKind.INPUT


class UnknownYear(CalendarError):
    """The holidays of a year are not known; what to do about it is not for everybody, and stands in ``REMEDY``."""

    def __init__(self, year: int, known: str) -> None:
        super().__init__(_("the holidays of {year} are not known (known: {known})").format(year=year, known=known))
        self.year, self.known = year, known


REMEDY = deferred(
    "write the year to a TOML file, a table [YYYY] with holidays = [YYYY-01-01, …] and workdays = […] as the State "
    "Council announced them, and name it with --calendar"
)
"""For whoever gives the office its calendar."""


class Workdays:
    """The calendar: the library's years, and those of the files, which win where they name the same year."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._off = set(constants.holidays)
        self._worked = set(constants.workdays)
        self._added: dict[tuple[date, int], date | UnknownYear] = {}
        """What was counted before: a list asks for the same few days over and over."""
        self._between: dict[tuple[date, date], int] = {}
        self._years = {day.year for day in self._off if (day.month, day.day) == ALWAYS_OFF[-1]}
        for file in files:
            for year, (off, worked) in _years(file).items():
                self._take(year, off, worked)

    def _take(self, year: int, off: set[date], worked: set[date]) -> None:
        ours = {day for day in self._off | self._worked if day.year == year} | off | worked
        self._off = (self._off - ours) | off
        self._worked = (self._worked - ours) | worked
        self._years.add(year)

    def is_workday(self, day: date) -> bool:
        """Whether offices work on this day; CalendarError for a year without data."""
        if day.year not in self._years:
            raise UnknownYear(day.year, _spans(self._years))
        return day in self._worked or (day.weekday() < SATURDAY and day not in self._off)

    def add(self, start: date, days: int) -> date:
        """The working day on which ``days`` working days have passed, the day after ``start`` counted as the first.

        ``start`` need not be a working day itself. CalendarError if the count runs into a year without data.
        """
        if days < 1:
            raise ValueError(_("expected at least one working day, found {days}").format(days=days))
        if (start, days) not in self._added:
            self._added[start, days] = self._counted(start, days)
        found = self._added[start, days]
        if isinstance(found, UnknownYear):
            raise UnknownYear(found.year, found.known)
        return found

    def between(self, start: date, end: date) -> int:
        """How many working days come after ``start`` up to and with ``end``; where ``end`` is earlier, how many have
        passed since it, as a negative number. CalendarError for a year without data.
        """
        first, last = sorted((start, end))
        if (first, last) not in self._between:
            days = (first + timedelta(days=day) for day in range(1, (last - first).days + 1))
            self._between[first, last] = sum(map(self.is_workday, days))
        found = self._between[first, last]
        return found if start <= end else -found

    def _counted(self, start: date, days: int) -> date | UnknownYear:
        """The day, or why there is none."""
        day = start
        try:
            while days:
                day += timedelta(days=1)
                days -= self.is_workday(day)
        except UnknownYear as unknown:
            return unknown
        return day


def _years(file: Path) -> dict[int, tuple[set[date], set[date]]]:
    try:
        tables = as_toml.load(file)
    except OSError as error:
        raise CalendarError(
            _("{file}: cannot be read: {strerror}").format(file=file, strerror=strerror(error))
        ) from None
    except FormatError as error:
        raise CalendarError(str(error)) from None
    return {_year(file, name): _days(file, name, table) for name, table in tables.items()}


def _year(file: Path, name: str) -> int:
    if not (len(name) == 4 and name.isascii() and name.isdigit()):
        raise CalendarError(
            _("{file}: {name}: expected tables named by their year, as [2027]").format(file=file, name=name)
        )
    return int(name)


def _days(file: Path, name: str, table: object) -> tuple[set[date], set[date]]:
    if not isinstance(table, dict) or set(table) != {"holidays", "workdays"}:
        raise CalendarError(
            _("{file}: {name}: expected a table with the two lists holidays and workdays").format(file=file, name=name)
        )
    off, worked = (_list(f"{file}: {name}.{key}", int(name), table[key]) for key in ("holidays", "workdays"))
    missing = [f"{name}-{month:02}-{day:02}" for month, day in ALWAYS_OFF if date(int(name), month, day) not in off]
    if missing:
        raise CalendarError(
            _("{file}: {name}.holidays: not whole: {missing} missing").format(
                file=file, name=name, missing=" and ".join(missing)
            )
        )
    for day in sorted(worked):
        if day in off or day.weekday() < SATURDAY:
            kind = _("a holiday as well") if day in off else _("no Saturday or Sunday, a working day anyway")
            raise CalendarError(
                _("{file}: {name}.workdays: {day} is {kind}").format(file=file, name=name, day=day, kind=kind)
            )
    return off, worked


def _list(where: str, year: int, days: object) -> set[date]:
    if not isinstance(days, list):
        raise CalendarError(_("{where}: expected a list of days, as [{year}-01-01]").format(where=where, year=year))
    for day in days:
        # A TOML moment is a date to isinstance, and equals none.
        if type(day) is not date:
            raise CalendarError(
                _("{where}: expected a day, as {year}-01-01 without quotes, found {day!s}").format(
                    where=where, year=year, day=day
                )
            )
        if day.year != year and (day.year, day.month) != (year - 1, 12):
            raise CalendarError(
                _("{where}: {day} is neither in {year} nor in the December before").format(
                    where=where, day=day, year=year
                )
            )
    return set(days)


def _spans(years: Iterable[int]) -> str:
    """Years as a person writes them: 2004-2026, 2030."""
    spans: list[list[int]] = []
    for year in sorted(years):
        if spans and spans[-1][-1] == year - 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
