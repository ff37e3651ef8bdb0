"""The sessions of a page: the run's own, and the recordings that were opened beside it."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.clock import Clock
from harness.messages.visible import visible_line
from harness.studio.session.store import Session
from harness.trace import read
from harness.trace.read import OTHERWISE, Event, EventKind, TraceError

LIVE = "live"
CUT = "cut"
"""What the stream of a run says where it let a subscriber go that did not keep up."""
EVENTS = frozenset(EventKind)
GZIP = b"\x1f\x8b"
LARGEST = 256 * 1024 * 1024
"""Bytes of a recording; 500,000 commands. [D]"""
OPEN_MOST = 8
"""Recordings that are open at once. [D]"""


class Sessions:
    """The live one, which is there from the beginning, and recordings by their ids."""

    def __init__(self) -> None:
        self.live = Session(LIVE, catalogue.layout(OTHERWISE), Clock().today())
        self._opened: dict[str, Session] = {}
        self._count = 0
        self._lock = threading.Lock()

    def hear(self, table: dict[str, Any]) -> None:
        """The next event of the run, masked as a trace is; its number in the run is in ``n``. What no trace has, as how
        the slots stand, is passed over.
        """
        if table.get("event") == CUT:
            self.live.cut()
        if table.get("event") not in EVENTS:
            return
        self.live.hear({name: value for name, value in table.items() if name != "n"}, table.get("n"))

    def get(self, identifier: str) -> Session | None:
        """The session of this id; None where it is closed, or never was."""
        with self._lock:
            return self.live if identifier == LIVE else self._opened.get(identifier)

    def open(self, name: str, content: bytes) -> str:
        """Reads a recorded trace, gzipped or not; the id under which it is open then, the oldest being closed for the
        ninth. TraceError for what is no trace, or one without an event.
        """
        shown = visible_line(name)
        session = recorded(shown, _unzipped(shown, content))
        with self._lock:
            self._count += 1
            identifier = f"r{self._count}"
            self._opened[identifier] = session
            while len(self._opened) > OPEN_MOST:
                del self._opened[next(iter(self._opened))]
        return identifier

    def close(self, identifier: str) -> None:
        """Closes a recording; nothing where it is closed already."""
        with self._lock:
            self._opened.pop(identifier, None)

    def summaries(self) -> list[dict[str, Any]]:
        """All of them, the live one first, for JSON."""
        with self._lock:
            opened = dict(self._opened)
        return [{"id": name, **one.summary()} for name, one in ({LIVE: self.live} | opened).items()]


def _unzipped(name: str, content: bytes) -> bytes:
    if not content.startswith(GZIP):
        return content
    opener = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = opener.decompress(content, LARGEST)
    except zlib.error:
        raise TraceError(_("{path}: expected a trace, or one in gzip; this gzip is broken").format(path=name)) from None
    if opener.unconsumed_tail:
        raise TraceError(_("{path}: expected a trace of up to {most} MB").format(path=name, most=LARGEST >> 20))
    if not opener.eof:
        raise TraceError(_("{path}: expected a trace, or one in gzip; this gzip is broken").format(path=name))
    return plain


def recorded(name: str, content: bytes, layout: Layout | None = None, *, psam: tuple[int, ...] = ()) -> Session:
    """The session of a recorded trace, judged to its end. ``layout``: of cards whose reset names none; left out, it is
    as the trace tells, else 3.00. TraceError for what is no trace, or one without an event.
    """
    events = list(read.events_of(content, name))
    if not events:
        raise TraceError(_("{path}: the trace is empty: there is nothing to show").format(path=name))
    session = Session(name, layout or read.layout_told(name, lambda: events), _day(events), psam=psam, most=len(events))
    for event in events:
        session.take(event)
    session.end()
    session.torn = read.torn(content)
    return session


def _day(events: Iterable[Event]) -> date:
    """The day on which a trace was recorded, by which its dates are judged; today where it does not tell."""
    return next((event.time.date() for event in events if event.time is not None), Clock().today())
