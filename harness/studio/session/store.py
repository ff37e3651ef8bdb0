"""The rows of one session, the newest so many, with windows on those that a filter means."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from emulator.filesystem.layouts.specs import Layout
from harness.studio.session.filters import Filter, Matcher, Text
from harness.studio.session.lines import Lines
from harness.studio.session.rows import Noted, Row, Rows
from harness.trace.read import Event

MOST = 200_000
"""Rows that are kept. [D]"""
CUTS = 20
"""Places where events are missing that are told, the newest. [D]"""
VIEWS = 8
"""Filters whose rows are remembered. [D]"""


@dataclass(slots=True)
class _View:
    """The numbers of the rows that a filter means, among the first ``seen``; ``gone`` of them are not kept any more."""

    matcher: Matcher
    numbers: list[int] = field(default_factory=list)
    seen: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a filter. Positions count what the filter means, from 0 at the first row that was there when it was
    asked for first; ``first`` is the first that is still kept, ``total`` one behind the last.
    """

    first: int
    total: int
    start: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and its position among those that the filter means."""

    position: int
    row: Row


class Session:
    """One session: heard from one thread, asked from any.

    ``layout``: of cards whose reset names none. ``day``: the session's, for the monitor. ``most``: rows that are kept.
    """

    def __init__(self, name: str, layout: Layout, day: date, *, psam: tuple[int, ...] = (), most: int = MOST) -> None:
        self.name = name
        self.torn = 0
        """The line of a recording that has no end, and is left out; 0 in a whole one."""
        self._cuts: list[int] = []
        self._most = most
        self._maker = Rows(layout, day, psam=psam)
        self._lines = Lines(most)
        self._lock = threading.RLock()
        self._rows: list[Row] = []
        self._gone = 0
        self._found: list[tuple[int, Noted]] = []
        self._views: OrderedDict[Filter, _View] = OrderedDict()
        self._instructions: dict[str, str] = {}
        self._slots: set[int] = set()

    # --- taking in -----------------------------------------------------------------------------------------------

    def hear(self, table: dict[str, Any], moment: int | None = None) -> Row:
        """The next event, a line of a trace as its schema has it. KeyError, ValueError, TypeError for one that is none.

        ``moment``: by which number the run knows it, if it is of a card in a run.
        """
        with self._lock:
            return self.take(Event.of(self._gone + len(self._rows) + 1, table), moment)

    def take(self, event: Event, moment: int | None = None) -> Row:
        """The same of an event that has its line already; lines rise."""
        with self._lock:
            row, found = self._maker.hear(event, moment)
            self._rows.append(row)
            self._lines.put(event.table)
            self._instructions.setdefault(row.said.instruction, row.said.instruction_zh)
            self._slots.add(row.said.slot)
            self._note(found)
            if len(self._rows) >= self._most + max(1, self._most // 20):
                self._forget(len(self._rows) - self._most)
            return row

    def end(self) -> None:
        """No more events come: what the monitor finds in that stands on its rows."""
        with self._lock:
            self._note(self._maker.end())

    def cut(self) -> None:
        """Events are missing after the newest row: who told them did not wait for us."""
        with self._lock:
            self._cuts = [*self._cuts[1 - CUTS :], self._gone + len(self._rows)]

    def _note(self, found: list[tuple[int, Noted]]) -> None:
        for line, noted in found:
            at = bisect_left(self._rows, line, key=lambda row: row.line)
            if at < len(self._rows) and self._rows[at].line == line:
                row = self._rows[at]
                row.findings = (*row.findings, noted)
                self._found.append((row.number, noted))
                if at < len(self._rows) - 1:  # of a row that views have looked at
                    self._views.clear()

    def _forget(self, count: int) -> None:
        del self._rows[:count]
        self._gone += count
        self._found = [one for one in self._found if one[0] > self._gone]
        for view in self._views.values():
            old = bisect_left(view.numbers, self._gone + 1)
            view.gone += old
            del view.numbers[:old]
            view.matcher.forget()

    # --- looking up ----------------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """Rows since the session began, those that are not kept any more among them."""
        with self._lock:
            return self._gone + len(self._rows)

    def summary(self) -> dict[str, Any]:
        """What a page shows of the whole, for JSON."""
        with self._lock:
            return {
                "name": self.name,
                "total": self.total,
                "gone": self._gone,
                "findings": len(self._found),
                "judged": self._maker.judged,
                "unbegun": [{"slot": slot, "count": count} for slot, count in sorted(self._maker.unbegun.items())],
                "torn": self.torn,
                "cuts": self._cuts,
                "slots": sorted(self._slots),
                "instructions": [
                    {"en": name, "zh": chinese} for name, chinese in sorted(self._instructions.items()) if name
                ],
            }

    def latest(self, count: int) -> list[Row]:
        """The newest rows, the last one last."""
        with self._lock:
            return self._rows[-count:]

    def rows(self) -> list[Row]:
        """All that are kept."""
        with self._lock:
            return list(self._rows)

    def row(self, number: int) -> Row | None:
        """The row of this number; None where it is not kept any more, or did not come yet."""
        with self._lock:
            at = number - self._gone - 1
            return self._rows[at] if 0 <= at < len(self._rows) else None

    def window(self, asked: Filter, start: int, count: int) -> Window:
        """Rows from this position of the filter on; a negative one counts from the end."""
        with self._lock:
            numbers, gone = self._meant(asked)
            total = gone + len(numbers)
            begin = max(total + start if start < 0 else start, gone)
            chosen = numbers[begin - gone : begin - gone + count]
            return Window(gone, total, begin, tuple(self._rows[one - self._gone - 1] for one in chosen))

    def position(self, asked: Filter, number: int) -> int:
        """Where in the filter a row stands, or the next one that it means."""
        with self._lock:
            numbers, gone = self._meant(asked)
            return gone + bisect_left(numbers, number)

    def search(self, asked: Filter, text: str, start: int, *, back: bool = False) -> Found | None:
        """The next row from this position on, itself included, that has a text; the one before it with ``back``; from
        the other end where there is none. None if no row has it.
        """
        with self._lock:
            numbers, gone = self._meant(asked)
            has, at = Text(text), start - gone
            order = (
                (*range(min(at, len(numbers) - 1), -1, -1), *range(len(numbers) - 1, max(at, -1), -1))
                if back
                else (*range(max(at, 0), len(numbers)), *range(min(max(at, 0), len(numbers))))
            )
            for one in order:
                row = self._rows[numbers[one] - self._gone - 1]
                if has(row):
                    return Found(gone + one, row)
            return None

    def findings(self) -> list[tuple[Row, Noted]]:
        """What the monitor found on rows that are kept, in the order of coming."""
        with self._lock:
            return [(self._rows[number - self._gone - 1], noted) for number, noted in self._found]

    def meant(self, asked: Filter) -> list[tuple[int, Row]]:
        """All rows of a filter with their positions."""
        with self._lock:
            numbers, gone = self._meant(asked)
            rows = self._rows if asked.everything else [self._rows[one - self._gone - 1] for one in numbers]
            return list(enumerate(rows, gone))

    def lines(self) -> Iterator[str]:
        """The session as a trace, some lines at once. It may begin a little before the first row that is kept."""
        with self._lock:
            return self._lines.parts()

    def _meant(self, asked: Filter) -> tuple[Sequence[int], int]:
        """The numbers of the kept rows that a filter means, and how many of it are not kept any more."""
        end = self._gone + len(self._rows)
        if asked.everything:
            return range(self._gone + 1, end + 1), self._gone
        view = self._views.get(asked)
        if view is None:
            view = self._views[asked] = _View(Matcher(asked), seen=self._gone)
            if len(self._views) > VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(asked)
        view.numbers += (row.number for row in self._rows[max(view.seen - self._gone, 0) :] if view.matcher(row))
        view.seen = end
        return view.numbers, view.gone
