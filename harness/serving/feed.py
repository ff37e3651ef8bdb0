"""What happens to the cards of a run, as it happens, for whoever subscribes: one stream, JSON lines on a local socket.

The socket (``run-ID.events``) stands beside the one that steers the run, in this user's own folder, and is readable by
this user alone. **What goes over it is raw**: commands with PINs and keys, answers with what cards say of people. Who
shows or keeps it masks it as traces are masked (``harness.serving.masked``); ``sscard events`` does.

The cards wait for nobody. An event is put onto a bounded queue, by the thread that answers the reader; a thread of the
feed's own makes lines of it, a tenth of a second's worth at a time, and hands them to sockets that never block. A
subscriber that does not keep up is cut off: its last line says so, and which number it lost. Without subscribers
nothing is queued, and without anybody else who asks, the chips are not even observed.

Lines, by ``event``:

``slots``
    First of all, and whenever something about the slots has changed, four times a second at most. ``n``: what follows
    has higher numbers; ``slots``: what ``sscard card state`` tells of each.
``card``
    A card came into ``slot``: ``layout`` with ``fingerprint`` and, for one that does not come with sscard, ``table``;
    ``algorithm``, ``directory`` and ``file`` that are selected, ``persona`` where it was made from one.
``apdu``, ``reset``, ``off``, ``fault``, ``reader``
    As in a trace, but raw. ``n`` rises over the run; ``us`` is the monotonic clock, ``wall`` the wall clock since 1970,
    ``took`` what the card took, all in whole microseconds.
``cut``
    The last line of a subscriber that did not keep up. ``lost``: the first number that it was not sent.
"""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias

from emulator import internal_fault
from emulator.chip import Exchange
from emulator.messages import _
from harness.serving import local_sockets
from harness.serving.local_sockets import Listener
from harness.serving.moments import Moments

BATCH = 0.1
"""Seconds' worth of events that are sent together while they come thick and fast; the first after a silence is sent at
once. Each batch costs the cards' processor as much as many events.
"""
SLOTS = 0.25
"""Seconds between two lines about the slots."""
MOST_QUEUED = 100_000
"""Events that wait for the feed's thread; more are lost, and every subscriber is told so."""
MOST_PENDING = 32 * 1024 * 1024
"""Bytes that wait for one subscriber before it is cut off."""
PARTING = 5.0
"""Seconds that a subscriber has to read that it was cut off."""
ABOUT_ALL = ("slots", "card")
"""Events that have the number of the last one before them."""
_log = logging.getLogger(__name__)
quoted = lru_cache(maxsize=4096)(json.dumps)
"""Texts come again and again: reasons above all."""


Event: TypeAlias = tuple[int, int, float, str, Any]
"""What is on the queue: a number, a slot, the monotonic clock, the kind of event, and what happened."""


class SlotFeed:
    """Observes the chip in one slot for the feed, and has ``moments`` note what it was then, where they are kept."""

    def __init__(self, feed: Feed, slot: int, moments: Moments | None = None) -> None:
        self._feed, self._slot = feed, slot
        self.moments = moments
        self.exchanged: Callable[[Exchange], Any] = partial(feed.put, slot, "apdu")
        """One command was answered: told the feed with nothing between, as it may be thousands a second."""
        if moments is not None:
            self.exchanged = self._noted

    @property
    def last(self) -> int:
        """The number of the last command, 0 before the first."""
        return self._feed.last.get(self._slot, 0)

    def _noted(self, exchange: Exchange) -> None:
        assert self.moments is not None
        self.moments.note(self._feed.put(self._slot, "apdu", exchange))

    def powered(self, event: str, atr: bytes) -> None:
        """``reset`` (with the ATR) or ``off``."""
        number = self._feed.put(self._slot, event, atr)
        if self.moments is not None:
            self.moments.note(number)

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """A fault came, and what the card itself did."""
        self._feed.put(self._slot, "fault", (fault, kind, exchange))

    def reader_answered(self, exchange: Exchange) -> None:
        """A contactless reader answered by itself."""
        self._feed.put(self._slot, "reader", exchange)


class Feed:
    """The stream of one run. ``slots``: what is told of the slots; ``cards``: a table ``card`` for each that holds one;
    ``listening``: called with True before the first subscriber is told anything, with False after the last has left.
    """

    def __init__(
        self,
        slots: Callable[[], list[dict[str, Any]]],
        cards: Callable[[], list[dict[str, Any]]],
        listening: Callable[[bool], object] = lambda _: None,
    ) -> None:
        self._slots, self._cards, self._listening = slots, cards, listening
        self._lock = threading.Lock()
        self._queue: deque[Event] = deque()
        self._number = 0
        self.last: dict[int, int] = {}
        """By slot: the number of the last command."""
        self._lost = 0
        """The first number that was not queued, 0 for none."""
        self._heard = False
        self._subscribers: list[_Subscriber] = []
        self._changed = False
        self._told: list[dict[str, Any]] = []
        self._told_at = 0.0
        self._idle = False
        self._closing = False
        self._admitted: deque[socket.socket] = deque()
        self._waker, self._woken = socket.socketpair()
        for one in (self._waker, self._woken):
            one.setblocking(False)

    # --- by the threads of the cards -----------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """The number of the last event."""
        return self._number

    def put(self, slot: int, kind: str, what: Any) -> int:
        """An event; its number. Waits for nobody."""
        with self._lock:
            self._number = number = self._number + 1
            if kind == "apdu":
                self.last[slot] = number
            if self._heard:
                if len(self._queue) < MOST_QUEUED:
                    self._queue.append((number, slot, monotonic(), kind, what))
                else:
                    self._lost = self._lost or number
        if self._idle:
            self._wake()
        return number

    def changed(self) -> None:
        """Something about the slots is otherwise: subscribers are told."""
        self._changed = True
        self._wake()

    def _wake(self) -> None:
        self._idle = False
        with contextlib.suppress(OSError):  # full: it is awake; or closed
            self._waker.send(b"\0")

    # --- by the thread of its own --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def serve(self, path: Path) -> Iterator[None]:
        """Takes subscribers at a socket, as long as it is held."""
        with local_sockets.listen(path) as listener:
            listener.sock.setblocking(False)
            thread = threading.Thread(target=self._run, args=(listener,), name="events", daemon=True)
            thread.start()
            try:
                yield
            finally:
                self._closing = True
                self._wake()
                thread.join(PARTING)
                for one in (self._waker, self._woken):
                    one.close()

    def _run(self, listener: Listener) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener.sock, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing:
                self._idle = True
                if self._waits():
                    self._idle = False
                ready = selector.select(None if self._idle else BATCH)
                self._idle = False
                try:
                    for key, mask in ready:
                        if mask & selectors.EVENT_READ:
                            self._ready(key.fileobj, listener, selector)
                    self._send(selector)
                except Exception as error:  # the stream lives on: others may subscribe
                    internal_fault.log(error, _log)
            self._send(selector)
            for one in self._subscribers:
                one.stream.close()
            self._subscribers = []

    def _waits(self) -> bool:
        """True if there is something to do soon without anybody's waking."""
        return bool(self._queue or self._changed) or any(one.pending for one in self._subscribers)

    def _ready(self, which: Any, listener: Listener, selector: selectors.BaseSelector) -> None:
        if which is self._woken:
            with contextlib.suppress(BlockingIOError):
                while self._woken.recv(4096):
                    pass
            while self._admitted:
                self._join(self._admitted.popleft(), selector)
        elif which is listener.sock:
            with contextlib.suppress(OSError):  # it left again
                stream, __ = listener.sock.accept()
                if listener.secret:
                    threading.Thread(target=self._admit, args=(stream, listener), daemon=True).start()
                else:
                    self._join(stream, selector)
        else:
            one = next(each for each in self._subscribers if each.stream is which)
            if one.left():
                self._part(one, selector)

    def _admit(self, stream: socket.socket, listener: Listener) -> None:
        """Waits apart for who must prove itself: the stream waits for nobody."""
        if listener.admits(stream):
            self._admitted.append(stream)
            self._wake()
        else:
            stream.close()

    def _join(self, stream: socket.socket, selector: selectors.BaseSelector) -> None:
        """A new subscriber: how all is, and from which number it hears."""
        if not self._subscribers:
            self._heard = True
            self._listening(True)
        stream.setblocking(False)
        one = _Subscriber(stream)
        with self._lock:
            number = self._number
            came = [self._queue.popleft() for __ in range(len(self._queue))]
        self._broadcast(came)
        told = self._slots()
        lines = [{"event": "slots", "n": number, "slots": told}]
        lines += [{"event": "card", "n": number, **card} for card in self._cards()]
        one.send("".join(json.dumps(line) + "\n" for line in lines).encode())
        self._subscribers.append(one)
        selector.register(stream, selectors.EVENT_READ)

    def _part(self, one: _Subscriber, selector: selectors.BaseSelector) -> None:
        selector.unregister(one.stream)
        one.stream.close()
        self._subscribers.remove(one)
        if not self._subscribers:
            self._heard = False
            self._queue.clear()
            self._listening(False)

    def _send(self, selector: selectors.BaseSelector) -> None:
        """One round: what has come, then how the slots are now, then what could not be sent before."""
        came = self._drain()
        now = time.monotonic()
        if (came or self._changed) and not self._subscribers:
            self._changed = False
        elif came or self._changed:
            self._changed = True
            if now >= self._told_at + SLOTS:
                self._changed, self._told_at = False, now
                self._tell_slots()
        for one in list(self._subscribers):
            if one.flush(now):
                self._part(one, selector)
            else:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.pending else 0)
                if selector.get_key(one.stream).events != wanted:
                    selector.modify(one.stream, wanted)

    def _drain(self) -> bool:
        """Sends what is queued; True if something was."""
        with self._lock:
            came, self._queue = self._queue, deque()
            lost, self._lost = self._lost, 0
        self._broadcast(came)
        if lost:
            for one in self._subscribers:
                one.cut(lost)
        return bool(came)

    def _broadcast(self, came: Iterable[Event]) -> None:
        if self._subscribers:
            over = int((time.time() - time.monotonic()) * 1e6)
            content = lines(came, over).encode()
            for one in self._subscribers:
                one.send(content)

    def _tell_slots(self) -> None:
        number, told = self._number, self._slots()
        if told != self._told:
            self._told = told
            content = json.dumps({"event": "slots", "n": number, "slots": told}).encode() + b"\n"
            for one in self._subscribers:
                one.send(content)


class _Subscriber:
    """Who hears the stream, and what it has not taken yet."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.pending = bytearray()
        self._until: float | None = None
        """When a subscriber that was cut off is let go."""
        self._gone = False

    def left(self) -> bool:
        """True once it has closed; what it says is read and means nothing."""
        try:
            return not self.stream.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send(self, content: bytes) -> None:
        """Lines for it; it is cut off where too many wait."""
        if self._until is None:
            self.pending += content
            if len(self.pending) > MOST_PENDING:
                self._push()
            if len(self.pending) > MOST_PENDING:
                self.cut()

    def cut(self, lost: int = 0) -> None:
        """It gets the rest of the line that it has begun to read, and one that says what it lost: ``lost``, or what
        waits after that line.
        """
        if self._until is not None:
            return
        end = self.pending.find(b"\n") + 1
        following = self.pending[end:].partition(b"\n")[0]
        if following:
            first = json.loads(following)
            lost = first["n"] + (first["event"] in ABOUT_ALL)
        why = _("you did not keep up: subscribe again")
        self.pending[end:] = json.dumps({"event": "cut", "lost": lost, "text": why}).encode() + b"\n"
        self._until = time.monotonic() + PARTING

    def flush(self, now: float) -> bool:
        """Sends what can be sent without waiting. True if it is to be let go: gone, or cut off and told so."""
        self._push()
        return self._gone or (self._until is not None and (not self.pending or now > self._until))

    def _push(self) -> None:
        try:
            while self.pending and not self._gone:
                del self.pending[: self.stream.send(self.pending)]
        except BlockingIOError:
            pass
        except OSError:
            self._gone = True


def lines(came: Iterable[Event], over: int) -> str:
    """The lines of these events. ``over``: what the wall clock shows more than the monotonic one, in microseconds.

    By hand, and in whole numbers: there may be thousands a second, on the processor that the card has.
    """
    told: list[str] = []
    for number, slot, t, kind, what in came:
        us = int(t * 1e6)
        head = f'{{"event":"{kind}","n":{number},"slot":{slot},"us":{us},"wall":{us + over},'
        if kind in ("apdu", "reader"):
            told += (head, _exchange(what), "}\n")
        elif kind == "fault":
            fault, name, exchange = what
            told += (head, f'"fault":{quoted(fault)},"kind":{quoted(name)},', _exchange(exchange), "}\n")
        elif kind == "card":
            told += (head, json.dumps(what)[1:], "\n")
        else:
            told.append(f'{head}"atr":"{what.hex().upper()}"}}\n')
    return "".join(told)


def _exchange(one: Exchange) -> str:
    """The fields of an exchange, those left out that are empty."""
    told = (
        f'"command":"{one.command.hex().upper()}","answer":"{one.answer.hex().upper()}",'
        f'"took":{int(one.seconds * 1e6)},"reason":{quoted(one.reason)}'
    )
    if not (one.writes or one.changes or one.plain or one.failure):
        return told
    if one.writes:
        told += f',"writes":{one.writes}'
    if one.plain:
        told += f',"plain":"{one.plain.hex().upper()}"'
    if one.failure:
        told += f',"failure":{json.dumps(one.failure)}'
    if one.changes:
        told += f',"changes":{json.dumps([astuple(change) for change in one.changes])}'
    return told
