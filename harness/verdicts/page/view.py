"""What a report's page shows, worked out of report.json: results by weight and profile, the drawn summary, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]
"""A result, as report.json has it."""


class State(StrEnum):
    """What a result is on the page: a verdict, failures of the baseline apart. Graver ones come first."""

    FAILED = "failed"
    KNOWN = "known"
    WARNING = "warning"
    UNDEFINED = "undefined"
    MISSING = "missing"
    PASSED = "passed"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: colour is never alone."""

    sign: str
    en: str
    zh: str


LOOKS = {
    State.FAILED: Look("✗", "failed", "未通过"),
    State.KNOWN: Look("✗", "failed (known)", "未通过（已知）"),
    State.WARNING: Look("!", "warning", "警告"),
    State.UNDEFINED: Look("?", "undefined", "无法判定"),
    State.MISSING: Look("–", "requirement missing", "缺少条件"),
    State.PASSED: Look("✓", "passed", "通过"),
    State.ELSEWHERE: Look("·", "not applicable", "不适用"),
}
OF_VERDICT = {
    "failed": State.FAILED,
    "warning": State.WARNING,
    "undefined": State.UNDEFINED,
    "requirement missing": State.MISSING,
    "passed": State.PASSED,
    "not applicable": State.ELSEWHERE,
}
TOLD = (State.FAILED, State.KNOWN, State.WARNING, State.UNDEFINED)
"""States whose results are told one by one, with their steps and exchanges."""
MOST_TOLD = 100
"""Results that are told so; the others stand among all cases."""
MOST_PROFILES = 12
"""Profiles that are told apart in the drawn summary and the coverage."""
NARROW = 2
"""Columns of the coverage that leave room for two halves of it beside each other."""
WIDTH = 600
"""Of the drawn summary, in its own units."""
OTHER = ("other", "其他")
FILLS = {
    State.PASSED: "#4f9d63",
    State.FAILED: "#c4122f",
    State.KNOWN: "#b58a91",
    State.WARNING: "#d99a1c",
    State.UNDEFINED: "#8e57c2",
    State.MISSING: "#9aa3ae",
}
"""Colours of the drawn summary: what sets a PDF takes none of them from a style sheet."""


def state(row: Row) -> State:
    """What a result is on the page."""
    found = OF_VERDICT[row["verdict"]]
    return State.KNOWN if found is State.FAILED and row["known"] else found


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: where it begins, and how wide it is."""

    state: State
    count: int
    x: float
    width: float

    @property
    def fill(self) -> str:
        """Its colour."""
        return FILLS[self.state]


@dataclass(frozen=True, slots=True)
class Bar:
    """One profile's results, drawn."""

    name: str
    total: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A result with its place on the page. ``number``: its place among all; ``found``: among those that are told one by
    one, from 1, 0 for the others.
    """

    row: Row
    number: int
    state: State
    found: int = 0

    @property
    def look(self) -> Look:
        """How it is shown."""
        return LOOKS[self.state]

    @property
    def anchor(self) -> str:
        """Where on the page most is said of it."""
        return f"f{self.found}" if self.found else f"c{self.number}"

    @property
    def staged(self) -> bool:
        """True where its steps have a clock, or changed a register: they are told in full even if it passed."""
        return any("clock" in step or "register" in step or "cards" in step for step in self.steps)

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """What its steps came to; reports of earlier versions tell of none."""
        found: Sequence[Mapping[str, Any]] = self.row.get("steps", ())
        return found

    @property
    def bare(self) -> bool:
        """True where nothing stands beside its steps."""
        return not self.row["trace"] and not self.staged

    @property
    def grouped(self) -> list[tuple[Mapping[str, Any] | None, list[Mapping[str, str]]]]:
        """Its exchanges beside the step that they belong to, in order; None for those of no step. Exchanges that led to
        a finding of a recording stand beside the first finding that is about one of them.
        """
        steps, trace = self.steps, self.row["trace"]
        numbered = any("step" in line for line in trace)
        first = next((one["n"] for one in steps if one["exchange"] is not None), None) if not numbered else None
        exchanges: dict[str, list[Mapping[str, str]]] = {}
        for line in trace:
            exchanges.setdefault(line.get("step", "" if first is None else str(first)), []).append(line)
        before = exchanges.pop("", []) if numbered else []
        groups: list[tuple[Mapping[str, Any] | None, list[Mapping[str, str]]]] = [(None, before)] if before else []
        groups += [(one, exchanges.pop(str(one["n"]), [])) for one in steps]
        return [*groups, *((None, left) for left in exchanges.values())]

    @property
    def blamed(self) -> frozenset[str]:
        """The lines of a recording that findings are about."""
        steps, trace = self.steps, self.row["trace"]
        places = [one["exchange"] for one in steps if one["ok"] is False and one["exchange"] is not None]
        return frozenset(trace[at]["line"] for at in places if "line" in trace[at])


@dataclass(frozen=True, slots=True)
class Cell:
    """Of the coverage: how many results of an item on a profile were judged, how many passed, and the gravest."""

    judged: int
    passed: int
    total: int
    state: State
    anchor: str

    @property
    def look(self) -> Look:
        """How the gravest is shown."""
        return LOOKS[self.state]


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the coverage: an item of the standard, and a cell for each profile, None where nothing was run."""

    id: str
    title: str
    title_zh: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Results that are not for what was tested, by the reason."""

    profile: str
    reason: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """All cases of one profile, but those not for it."""

    name: str
    counts: Mapping[State, int]
    cases: tuple[Told, ...]
    elsewhere: tuple[Elsewhere, ...]

    @property
    def passed(self) -> Mapping[str, list[str]]:
        """The ids of what passed, by item."""
        found: dict[str, list[str]] = {}
        for one in self.cases:
            if one.state is State.PASSED:
                found.setdefault(one.row["standard"] or OTHER[1], []).append(one.row["id"])
        return found

    @property
    def others(self) -> tuple[Told, ...]:
        """Its cases that did not pass."""
        return tuple(one for one in self.cases if one.state is not State.PASSED)


class View:
    """What the page of a report shows. ``table``: report.json, made visible."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table
        self.looks = LOOKS
        self.all = self._placed(table["results"])
        self.counts = Counter(one.state for one in self.all)
        self.found = sorted((one for one in self.all if one.found), key=lambda one: one.found)
        self.untold = sum(one.state in TOLD and not one.found for one in self.all)
        self.profiles = list(self._profiles())
        self.bars = list(self._bars())
        self.columns = self._columns()
        self.items = list(self._items())
        self.blocks = _halves(self.items) if len(self.columns) <= NARROW else [self.items]

    @staticmethod
    def _placed(rows: Sequence[Row]) -> list[Told]:
        states = [state(row) for row in rows]
        order = list(State)
        grave = sorted((at for at, one in enumerate(states) if one in TOLD), key=lambda at: order.index(states[at]))
        found = {at: number for number, at in enumerate(grave[:MOST_TOLD], 1)}
        return [Told(row, at + 1, states[at], found.get(at, 0)) for at, row in enumerate(rows)]

    @property
    def anchors(self) -> Mapping[str, str]:
        """Where results that are told one by one are, by their ids."""
        return {one.row["id"]: one.anchor for one in reversed(self.found)}

    def weights(self) -> Iterator[tuple[State, list[Told]]]:
        """What is told one by one, the gravest state first."""
        for one in TOLD:
            if told := [each for each in self.found if each.state is one]:
                yield one, told

    def _profiles(self) -> Iterator[Profile]:
        by_name: dict[str, list[Told]] = {}
        for one in self.all:
            by_name.setdefault(one.row["profile"], []).append(one)
        for name, told in by_name.items():
            elsewhere: dict[str, list[str]] = {}
            for one in told:
                if one.state is State.ELSEWHERE:
                    elsewhere.setdefault(one.row["reason"], []).append(one.row["id"])
            yield Profile(
                name,
                Counter(one.state for one in told),
                tuple(one for one in told if one.state is not State.ELSEWHERE),
                tuple(Elsewhere(name, reason, tuple(ids)) for reason, ids in elsewhere.items()),
            )

    def _bars(self) -> Iterator[Bar]:
        yield from (_bar(one.name, one.counts) for one in self.profiles[:MOST_PROFILES])
        if rest := self.profiles[MOST_PROFILES:]:
            counts: Counter[State] = Counter()
            for one in rest:
                counts.update(one.counts)
            yield _bar(f"+ {len(rest)}", counts)

    def _columns(self) -> list[str]:
        return [one.name for one in self.profiles] if len(self.profiles) <= MOST_PROFILES else []

    def _items(self) -> Iterator[Item]:
        rows = self.table["matrix"]
        titles = {row["id"]: row for row in rows} | {row["label"]: row for row in rows if row["label"]}
        by_item: dict[str, list[Told]] = {}
        for one in self.all:
            if one.state is not State.ELSEWHERE:
                by_item.setdefault(one.row["standard"] or OTHER[0], []).append(one)
        for name in sorted(by_item, key=lambda name: _place(name, titles)):
            row = titles.get(_item(name, titles), {"title": "", "title_zh": OTHER[1] if name == OTHER[0] else ""})
            told = by_item[name]
            cells = (
                tuple(_cell([one for one in told if one.row["profile"] == column]) for column in self.columns)
                if self.columns
                else (_cell(told),)
            )
            yield Item(name, row["title"], row["title_zh"], cells)


def _halves(items: list[Item]) -> list[list[Item]]:
    half = (len(items) + 1) // 2
    return [one for one in (items[:half], items[half:]) if one]


def span(began: str, ended: str) -> str:
    """Two moments in ISO 8601 as people read them, what both have in common once; as they stand if they are none."""
    if not began and not ended:
        return "–"
    try:
        first, last = datetime.fromisoformat(began), datetime.fromisoformat(ended)
    except ValueError:
        return f"{began} – {ended}"
    zone = f"{last:%z}"
    zone = f"UTC{zone[:3]}:{zone[3:]}" if zone else ""
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} – {until} {zone}".strip()


def _place(name: str, titles: Mapping[str, Any]) -> tuple[int, str]:
    """Items in the order of the matrix, others after them."""
    item = _item(name, titles)
    return (list(titles).index(item) if item in titles else len(titles), name)


def _item(name: str, titles: Mapping[str, Any]) -> str:
    """An item as the matrix names it: by its id, or by its label where more stands behind that."""
    return name if name in titles else name.partition(" ")[0]


def _cell(told: Sequence[Told]) -> Cell | None:
    if not told:
        return None
    gravest = min(told, key=lambda one: list(State).index(one.state))
    judged = sum(one.state not in (State.UNDEFINED, State.MISSING) for one in told)
    passed = sum(one.state is State.PASSED for one in told)
    return Cell(judged, passed, len(told), gravest.state, gravest.anchor)


def _bar(name: str, counts: Mapping[State, int]) -> Bar:
    """Of those that are for what was tested, the good ones first."""
    shown = [one for one in (State.PASSED, *reversed(list(State)[:5])) if counts.get(one)]
    total = sum(counts[one] for one in shown)
    return Bar(name, total, tuple(_pieces(shown, counts, total)))


def _pieces(shown: Iterable[State], counts: Mapping[State, int], total: int) -> Iterator[Piece]:
    x = 0.0
    for one in shown:
        width = WIDTH * counts[one] / total
        yield Piece(one, counts[one], round(x, 1), round(max(width, 2), 1))
        x += width
