"""A recorded session, in which vectors are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emulator.crypto import suite
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.interface import Interface, interface_of
from emulator.messages import _
from harness.conformance.play import Missing, Play, Unsuitable
from harness.conformance.targets.logged import Logged
from harness.conformance.targets.target import Profile, TargetError, asked_for, features_of, suits
from harness.conformance.vector import Vector
from harness.terminal.terminal import Terminal
from harness.trace import diff, read
from harness.trace.read import Event, EventKind, TraceError
from harness.verdicts.causes import Cause
from harness.verdicts.log import Log


class RecordingEnds(SscardError):
    """A recording goes on otherwise than is asked, or not at all: what is asked may begin at a later reset of it."""

    kind = ErrorKind.MISSING


class Recorded:
    """A connection that answers from a recording; RecordingEnds where the recording goes on otherwise."""

    def __init__(self, events: list[Event], at: int) -> None:
        self._events, self._at = events, at
        self.atr = bytes.fromhex(events[at].told("atr"))

    def reset(self) -> bytes:
        """The next reset of the recording."""
        event = self._next(EventKind.RESET)
        self.atr = bytes.fromhex(event.told("atr"))
        return self.atr

    def send(self, command: bytes) -> bytes:
        """The recorded answer, if the recorded command is this one but for what differs each time."""
        event = self._next(EventKind.APDU)
        if diff.comparable(command) != diff.comparable(event.command):
            raise RecordingEnds(_("the recording goes on with another command"))
        return event.answer

    def _next(self, kind: EventKind) -> Event:
        if self._at >= len(self._events) or self._events[self._at].kind is not kind:
            raise RecordingEnds(_("the recording ends or goes on otherwise"))
        self._at += 1
        return self._events[self._at - 1]

    def close(self) -> None:
        """Does nothing: a recording holds no card."""


class Replay:
    """A recorded session (``sscard record``, or a trace of ``sscard run``)."""

    physical = False
    searching = True

    def __init__(self, path: Path, layout: Layout | None, algorithm: str | None) -> None:
        try:
            self._events = [one for one in read.events(path) if one.kind in (EventKind.RESET, EventKind.APDU)]
        except TraceError as error:
            raise TargetError(_("no recording: {error}").format(error=error)) from None
        if not any(one.kind is EventKind.RESET for one in self._events):
            raise TargetError(_("{path}: no reset in it, so no vector can begin there").format(path=path))
        self._path = path
        resets = (bytes.fromhex(one.told("atr")) for one in self._events if one.kind is EventKind.RESET)
        self._atr = next(resets)
        self._layout = layout or read.layout_of(path)
        self._algorithm = algorithm or read.algorithm_of(self._events) or "3des"

    @property
    def profile(self) -> Profile:
        """Returns the kind of card that the recording tells of."""
        side = interface_of(self._atr)
        there = {"t0" if side is Interface.CONTACT else "contactless"}
        return Profile(self._layout.version, self._algorithm, features_of(self._layout) | there, side)

    @property
    def target(self) -> str:
        """Returns the recording's file, in words."""
        return _("recording {path}").format(path=self._path)

    def layout_for(self, vector: Vector) -> Layout:
        """Returns the recorded card's layout. Unsuitable where the vector wants another."""
        if asked_for(vector, self._layout):
            raise Unsuitable(_("it wants a card of the layout {layout}").format(layout=vector.layout))
        return self._layout

    def harm(self, vector: Vector) -> str:  # noqa: ARG002
        """Returns nothing: there is no card that could be harmed."""
        return ""

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The recording from each of its resets."""
        if vector.needs_psam:
            raise Unsuitable(_("a recording holds one card, and it needs a PSAM beside it"))
        suits(vector, self.profile.interface)
        for at, event in enumerate(self._events):
            if event.kind is EventKind.RESET:
                terminal = Terminal(Logged(Recorded(self._events, at), log.card(self._layout)), self._layout)
                terminal.layout, terminal.suite = self._layout, suite(self._algorithm)
                terminal.region = "510100"
                yield Play(terminal, "0" * 6)
        raise Missing(_("no session in {name} is this one").format(name=self._path.name), Cause.NOT_RECORDED)
