"""The PIN pad of a driver service, entered at by hand: who calls a function that needs a PIN waits until it is typed
elsewhere, on the live page. The digits go over a socket of this user's alone, are kept until they are taken, and told
to nobody else.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from emulator.errors import NotFound, SscardError
from emulator.messages import _
from harness.driver.pad import CANCEL, TIMEOUT
from harness.serving import control
from harness.serving.control import ControlError
from harness.terminal.pin import LONGEST, SHORTEST, is_pin

PREFIX = "pad-"
"""Sockets of pads stand beside those of runs, and are called so."""
MOST = 16
"""Entries that are kept for whoever comes. [D]"""
PATIENCE = 5.0


class EntryError(SscardError, ValueError):
    """What was entered is nothing that a pad takes, or there is no room for it. It is not quoted."""

    word = "input"


class NoSuchPad(NotFound):
    """The service has ended."""

    word = "missing"


class PadDesk:
    """One service's pad, at which all its clients stand. ``seconds``: how long one waits for an entry."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._changed = threading.Condition()
        self._entries: deque[str] = deque()
        self._waiting = 0
        self._closed = False

    def take(self) -> str:
        """The next entry: digits, ``cancel`` or ``timeout``; ``timeout`` too where nobody enters one."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._entries or self._closed, self._seconds)
                return self._entries.popleft() if self._entries else TIMEOUT
            finally:
                self._waiting -= 1

    def enter(self, entry: str) -> None:
        """Gives an entry to whoever waits, or comes next. EntryError."""
        if entry not in (CANCEL, TIMEOUT) and not is_pin(entry):
            raise EntryError(
                _("a pad takes {shortest} to {longest} digits, or cancel, or timeout").format(
                    shortest=SHORTEST, longest=LONGEST
                )
            )
        with self._changed:
            if len(self._entries) >= MOST:
                raise EntryError(_("{count} entries wait already for somebody to take them").format(count=MOST))
            self._entries.append(entry)
            self._changed.notify()

    def close(self) -> None:
        """Nobody enters anything any more: whoever waits hears that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """``state``: who waits and how many entries are kept; ``enter``: one entry. EntryError."""
        operation = request.get("op")
        if operation == "enter":
            self.enter(str(request.get("entry", "")))
        elif operation != "state":
            raise EntryError(_("expected state or enter"))
        with self._changed:
            return {"pid": os.getpid(), "waiting": self._waiting, "queued": len(self._entries)}


@contextlib.contextmanager
def served(seconds: float) -> Iterator[PadDesk]:
    """A pad that can be reached from the live page while it is held. ControlError."""
    desk = PadDesk(seconds)
    with control.serve(desk.answer, prefix=PREFIX):
        try:
            yield desk
        finally:
            desk.close()


def pads() -> list[dict[str, Any]]:
    """This user's pads that answer: ``pad`` by which one is named, its service's ``pid``, how many are ``waiting``, how
    many entries are ``queued``.
    """
    return [{"pad": name, **told} for name, told in control.answering(PREFIX, {"op": "state"})]


def enter(pad: str, entry: str) -> None:
    """Enters at the pad of this name. EntryError, NoSuchPad."""
    if pad not in {one["pad"] for one in pads()}:
        raise NoSuchPad(_("the service of this pad has ended"))
    try:
        control.ask_at(control.path(PREFIX, pad), {"op": "enter", "entry": entry}, PATIENCE)
    except ControlError as error:
        raise EntryError(str(error)) from None
    except OSError:
        raise NoSuchPad(_("the service of this pad has ended")) from None
