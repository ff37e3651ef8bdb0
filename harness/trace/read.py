"""Reading a trace: its events one after another, from a file that is whole or still being written."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TextIO

from emulator import catalogue
from emulator.crypto import SUITES
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError

VERSIONS = (1, 2, 3)
TIMED = 3
"""The first version with wall-clock times and latencies."""
OTHERWISE = "3.00"
"""The layout taken where a trace does not tell."""
TOLD_ALGORITHM = "9F0C038601"
"""What stands before the algorithm's number in an FCI. [1: reference:card §2]"""


class EventKind(StrEnum):
    """What an event is: a command and its answer, a reset, power lost, a fault put in, a call of the driver library, a
    command that a contactless reader answered by itself.
    """

    APDU = "apdu"
    RESET = "reset"
    OFF = "off"
    FAULT = "fault"
    CALL = "call"
    READER = "reader"


NEEDED: dict[EventKind, tuple[str, ...]] = {
    EventKind.APDU: ("command", "answer"), EventKind.RESET: ("atr",), EventKind.FAULT: ("fault", "kind"),
    EventKind.OFF: (), EventKind.CALL: ("function",), EventKind.READER: ("command", "answer"),
}  # fmt: skip
"""Texts that an event must have."""
PSAM = str(CardKind.PSAM)
"""The layout of a terminal's own cards, which is named as their kind."""
LONGEST_LINE = 1024 * 1024
"""Letters; an event has a few thousand. [D]"""
EPOCH = 1970
LONGEST_TIME = 1e12
"""Seconds, as no clock has run; what pcapng has room for. [D]"""
MOST_SLOTS = 1000
"""No machine has so many readers. [D]"""
BYTES = ("command", "plain", "answer", "atr", "card_answered")
"""Where an event may have bytes, as hex; the ATR alone has no asterisks."""
CHANGE = ("kind", "name", "from", "to")
"""The texts of a change; the kind is always there."""
PAUSE = 0.05
"""Seconds between two looks at a file that grows."""


class TraceError(SscardError, ValueError):
    """A trace that cannot be read: file, line, and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True)
class Event:
    """One line of a trace. ``command`` and ``plain`` have zeros where the trace has asterisks."""

    line: int
    kind: EventKind
    t: float
    slot: int
    table: dict[str, Any]

    @classmethod
    def of(cls, line: int, table: dict[str, Any]) -> Self:
        """The event that a line's table tells of. KeyError, ValueError, TypeError for one that tells of none."""
        return cls(line, EventKind(table["event"]), float(table["t"]), int(table["slot"]), table)

    @cached_property
    def command(self) -> bytes:
        """As it came from the terminal; empty for other events than ``apdu``."""
        return _bytes(self.table.get("command", ""))

    @cached_property
    def plain(self) -> bytes:
        """What secure messaging covered where that is known, else the command itself."""
        return _bytes(self.table.get("plain", "")) or self.command

    @cached_property
    def answer(self) -> bytes:
        """Data and status word; empty where none came."""
        return _bytes(self.table.get("answer", ""))

    @cached_property
    def sw(self) -> int:
        """The status word, 0 where none came."""
        return int.from_bytes(self.answer[-2:], "big") if len(self.answer) > 1 else 0

    @property
    def reason(self) -> str:
        """Why the card answered so; empty where it is not known."""
        return str(self.table.get("reason", ""))

    @cached_property
    def time(self) -> datetime | None:
        """When it was, by the wall clock of the machine that wrote it; None before version 3."""
        return datetime.fromisoformat(self.told("time")) if "time" in self.table else None

    @property
    def latency(self) -> float | None:
        """Seconds from a command to its answer; None before version 3, and for other events."""
        return float(self.table["latency"]) if "latency" in self.table else None

    @property
    def masked(self) -> bool:
        """True where zeros stand for what the card says of a person."""
        return bool(self.table.get("masked"))

    def told(self, name: str) -> str:
        """A text of the event, empty if there is none."""
        return str(self.table.get(name, ""))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("*", "0"))


def events(path: Path, *, follow: bool = False) -> Iterator[Event]:
    """The events of a file, in order; with ``follow`` also those still to come, for as long as it is asked.

    TraceError for a line that is not an event. An unfinished last line is left out, as a writer that was killed may
    leave it.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _events(file, path, follow=follow)
    except OSError as error:
        raise TraceError(f"{path}: {strerror(error)}") from None
    except UnicodeDecodeError:
        raise _not_utf8(path) from None


def events_of(content: bytes, name: str) -> Iterator[Event]:
    """The events of a trace that is no file here; ``name``: what errors call it. TraceError as ``events`` has it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(name) from None
    yield from _events(io.StringIO(text, newline=None), name, follow=False)


def _events(file: TextIO, name: Path | str, *, follow: bool) -> Iterator[Event]:
    for number, line in enumerate(_lines(file, name, follow), 1):
        if line.strip():
            yield _event(name, number, line)


def _not_utf8(name: Path | str) -> TraceError:
    return TraceError(_("{path}: expected a trace in UTF-8, which this is not: UTF-16, or no text").format(path=name))


def content(path: Path) -> bytes:
    """A trace as its file has it. TraceError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TraceError(f"{path}: {strerror(error)}") from None


def unfinished(path: Path) -> int:
    """The number of a last line without its end, which ``events`` leaves out; 0 in a whole trace. TraceError."""
    return torn(content(path))


def torn(trace: bytes) -> int:
    """The same of a trace that is read already."""
    return trace.count(b"\n") + 1 if trace and not trace.endswith(b"\n") else 0


def check_slot(path: Path, slot: int) -> None:
    """TraceError for a slot that nothing in a trace is of."""
    there = sorted({event.slot for event in events(path)})
    if slot not in there:
        raise TraceError(
            _("{path}: nothing in it is of slot {slot}; there are {value}").format(
                path=path, slot=slot, value=", ".join(map(str, there)) or "none"
            )
        )


def _lines(file: TextIO, name: Path | str, follow: bool) -> Iterator[str]:
    rest = ""
    while True:
        line = file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            raise TraceError(
                _("{name}: expected lines of up to {longest_line} letters").format(name=name, longest_line=LONGEST_LINE)
            )
        if line.endswith("\n"):
            yield rest + line
            rest = ""
        elif line:
            rest += line
        elif follow:
            time.sleep(PAUSE)  # there is no event to wait for in a file that grows
        else:
            break


def _event(path: Path | str, number: int, line: str) -> Event:
    try:
        table = as_json.loads(line)
        if not isinstance(table, dict):
            raise ValueError(_("expected an object"))
        if table.get("v") not in VERSIONS:
            raise ValueError(
                _("expected a version of {names} in v, found {version!r:.40}").format(
                    names=", ".join(map(str, VERSIONS)), version=table.get("v")
                )
            )
        if table.get("event") not in tuple(EventKind):
            raise ValueError(
                _("expected an event of {names}, found {event!r:.40}").format(
                    names=", ".join(EventKind), event=table.get("event")
                )
            )
        event = Event.of(number, table)
        needed = NEEDED[event.kind]
        if table["v"] >= TIMED:
            needed += ("time",)
        if missing := [name for name in needed if not isinstance(table.get(name), str)]:
            raise ValueError(_("expected {names}").format(names=", ".join(missing)))
        _check_shapes(event)
        _check_times(event)
        if event.kind is EventKind.CALL and type(table.get("code")) is not int:
            raise ValueError(_("expected code"))
    except FormatError as error:
        raise TraceError(_("{path}: line {number}: {what}").format(path=path, number=number, what=error.what)) from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        what = _("expected {error}").format(error=error) if isinstance(error, KeyError) else str(error)
        raise TraceError(_("{path}: line {number}: {what}").format(path=path, number=number, what=what)) from None
    return event


def _check_shapes(event: Event) -> None:
    """ValueError for a part of another kind than those who read it count on."""
    table = event.table
    if not _whole(table["slot"]) or not 0 <= event.slot < MOST_SLOTS:
        raise ValueError(_("expected a slot's number in slot"))
    for name in BYTES:
        if not _hex(table.get(name, "")) or (name == "atr" and "*" in event.told(name)):
            raise ValueError(_("expected hex in {name}").format(name=name))
    changes = table.get("changes", [])
    if not isinstance(changes, list) or not all(isinstance(one, dict) for one in changes):
        raise ValueError(_("expected a list of objects in {name}").format(name="changes"))
    for one in changes:
        if "kind" not in one or not all(isinstance(one.get(name, ""), str) for name in CHANGE):
            raise ValueError(_("expected texts in {name}, {needed} among them").format(name="changes", needed="kind"))
    if not _whole(table.get("writes", 0)):
        raise ValueError(_("expected a whole number in {name}").format(name="writes"))


def _hex(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        _bytes(value)
    except ValueError:
        return False
    return True


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_times(event: Event) -> None:
    """ValueError for an invalid time of either clock, or an invalid latency."""
    if not 0 <= event.t < LONGEST_TIME:
        raise ValueError(_("expected seconds in t, found {t}").format(t=event.t))
    try:
        plausible = event.time is None or (event.time.tzinfo is not None and event.time.year > EPOCH)
    except ValueError:
        plausible = False
    if not plausible:
        raise ValueError(_("expected a time with its zone, found {told!r:.40}").format(told=event.told("time")))
    if event.kind is EventKind.APDU and event.table["v"] >= TIMED and event.latency is None:
        raise ValueError(_("expected latency"))
    if event.latency is not None and not 0 <= event.latency < LONGEST_TIME:
        raise ValueError(_("expected seconds in latency, found {latency}").format(latency=event.latency))


def _version_told(events: Iterable[Event]) -> str:
    """The card's version as item 03 of SSSE/EF05 said it, wherever it was read; empty if it was not."""
    for event in events:
        if event.kind is EventKind.APDU and event.sw == 0x9000 and event.answer.startswith(b"\x03\x04"):
            return event.answer[2:-2].rstrip(b"\0").decode("ascii", "replace")
    return ""


def slot_layout(event: Event, otherwise: Layout) -> Layout:
    """The layout of the card that a reset tells of, where it names one of this package's; else ``otherwise``."""
    name = event.told("layout")
    return catalogue.layout(name) if name != otherwise.name and name in catalogue.layouts() else otherwise


def algorithm_of(events: Iterable[Event]) -> str:
    """Returns the name of the algorithm of a card's keys, as one of its events names it or as its FCI tells it; empty
    where neither does.
    """
    for event in events:
        __, found, rest = event.told("answer").partition(TOLD_ALGORITHM)
        code = rest[:2] if found else ""
        told = event.told("algorithm") or next((one.name for one in SUITES.values() if code == f"{one.code:02X}"), "")
        if told:
            return told
    return ""


def layout_of(path: Path) -> Layout:
    """The layout of a trace's user cards: as a reset names it, else by the version read, else 3.00. TraceError."""
    return layout_told(path, lambda: events(path))


def layout_told(name: Path | str, told: Callable[[], Iterable[Event]]) -> Layout:
    """The same of events from anywhere, which ``told`` gives from the first each time; ``name``: of them, in errors."""
    for one in (*dict.fromkeys(event.told("layout") for event in told()), _version_told(told())):
        if one and one not in catalogue.layouts():
            raise TraceError(
                _("{path}: its cards have layout {name!r}, which is none of this package's: name its file").format(
                    path=name, name=one
                )
            )
        if one and (layout := catalogue.layout(one)).card is CardKind.USER:
            return layout
    return catalogue.layout(OTHERWISE)
