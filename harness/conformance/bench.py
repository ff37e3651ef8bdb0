"""What vectors are run on: a virtual card in this process, a card in a PC/SC reader, or a recording."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from emulator import personas
from emulator.chip import Chip, Exchange
from emulator.crypto import suite
from emulator.errors import SscardError
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import PIN_USE, Layout
from emulator.personas.issue import issue
from emulator.security import PIN
from harness.conformance.person import Person
from harness.conformance.play import Missing, Play, Unsuitable
from harness.conformance.vector import Vector
from harness.keys.access import TerminalError
from harness.keys.roots import RootSource
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.terminal.terminal import Terminal
from harness.trace import diff, mask, read
from harness.trace.read import Event, TraceError


class BenchError(SscardError, RuntimeError):
    """The bench cannot be used at all."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of card is on the bench."""

    version: str
    algorithm: str
    features: frozenset[str]

    @property
    def name(self) -> str:
        """Like ``3.00-sm4``."""
        return f"{self.version}-{self.algorithm}"


@dataclass(slots=True)
class Line:
    """One exchange as a report shows it: bytes (secrets masked by the writer) and the chip's reason, if it told one.

    ``number``: its line in the trace that it was read from, 0 where there is none; ``time``: when, as that trace says.
    """

    command: bytes
    answer: bytes
    reason: str = ""
    number: int = 0
    time: str = ""


@dataclass(slots=True)
class Log:
    """Keeps what went over a bench, for reports. An observer of chips."""

    lines: list[Line] = field(default_factory=list)

    def exchanged(self, exchange: Exchange) -> None:
        """One command of a virtual card."""
        self.lines.append(Line(exchange.command, exchange.answer, exchange.reason))

    def powered(self, event: str, atr: bytes) -> None:
        """A reset is an empty command."""
        if event == "reset":
            self.lines.append(Line(b"", atr))


class Bench(Protocol):
    """Somewhere to run vectors."""

    @property
    def profile(self) -> Profile:
        """The card's kind."""

    @property
    def target(self) -> str:
        """In words, for reports."""

    @property
    def physical(self) -> bool:
        """True where what is done cannot be undone."""

    @property
    def searching(self) -> bool:
        """True where the plays are places in which the vector may be found; else it must pass in all of them."""

    def layout_for(self, vector: Vector) -> Layout:
        """The layout of the card that the vector is run on. Unsuitable where it needs another."""

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The ways to play the vector in turn. Unsuitable, Missing."""


def features_of(layout: Layout) -> frozenset[str]:
    """What a layout's cards have, in the words of vectors."""
    has = {
        "activation": layout.activation is not None,
        "bank": any(app.processing for app in layout.applications.values()),
        "blocking": layout.card == "user",
        "certificate": layout.certificate is not None,
        "pin": bool(layout.pin.application),
        "purse": layout.purse is not None,
        "temporary": layout.blocking.temporary,
    }
    return frozenset(name for name, there in has.items() if there)


@lru_cache(maxsize=32)
def _profile(layout: str, algorithm: str) -> Profile:
    loaded = layouts.load(layout)
    return Profile(loaded.version, algorithm, features_of(loaded) | {"t0", "virtual"})


@lru_cache(maxsize=128)
def _issued(layout: str, algorithm: str, persona: str) -> Person:
    return issued(persona, layouts.load(layout), algorithm)


def issued(name: str, layout: Layout, algorithm: str) -> Person:
    """A persona, and the card as it would be issued. LookupError for an unknown one."""
    person = personas.load(name)
    return Person(person, issue(person, layout, algorithm))


def _asked_for(vector: Vector, layout: Layout) -> str:
    """The layout that a vector needs instead of a card's own; empty where its own will do."""
    wanted = vector.layout_for(layout.version)
    return "" if not wanted or Path(wanted).stem == layout.name else wanted


USUAL_SHAPES = ("t0",)
"""What virtual cards speak where a vector says nothing."""


@dataclass(frozen=True, slots=True)
class Virtual:
    """A fresh virtual card for every vector. ``layout`` is a name or a file, as it must go to other processes."""

    layout: str
    algorithm: str

    physical = False
    searching = False

    @property
    def profile(self) -> Profile:
        """Everything that can be had: any persona, any reader shape, power to tear."""
        return _profile(self.layout, self.algorithm)

    @property
    def target(self) -> str:
        """Layout and algorithm."""
        return f"virtual card, layout {self.layout}, {self.algorithm}"

    def layout_for(self, vector: Vector) -> Layout:
        """This bench's layout, or the one that the vector needs instead of a version's usual one."""
        return layouts.load(self._layout_for(vector))

    def _layout_for(self, vector: Vector) -> str:
        own = layouts.load(self.layout)
        wanted = _asked_for(vector, own)
        if wanted and self.layout != own.version:
            raise Unsuitable(f"it wants a card of the layout {Path(wanted).stem}")
        return wanted or self.layout

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """A fork of the persona's card, so that no vector sees another's traces, in each shape and way to follow."""
        person = _issued(self._layout_for(vector), self.algorithm, vector.holder)
        own = _issued(vector.layout_of_psam, "3des", personas.PSAM) if vector.needs_psam else None
        several = len(vector.shapes) * len(vector.followers) > 1
        for shape in vector.shapes or USUAL_SHAPES:
            for follows in vector.followers if shape == "t0" else ("reader",):
                chip = Chip(person.image.fork(), apdu_shape=shape == "apdu", observer=log)
                terminal = Terminal(InProcess(chip), chip.image.layout)
                terminal.adopt(chip.image)
                terminal.region = person.persona.region
                psam = Chip(own.image.fork(), apdu_shape=shape == "apdu", observer=log) if own else None
                yield Play(
                    terminal,
                    person.persona.pin or chip.image.layout.pin.initial,
                    psam=InProcess(psam) if psam else None,
                    person=person,
                    psam_person=own,
                    follows=follows,
                    shape=shape if several else "",
                )


@dataclass(slots=True)
class Logged:
    """A connection that writes down what goes over it."""

    inner: Connection
    log: Log

    @property
    def atr(self) -> bytes:
        """The last answer to reset."""
        return self.inner.atr

    def reset(self) -> bytes:
        """Resets the card."""
        atr = self.inner.reset()
        self.log.powered("reset", atr)
        return atr

    def send(self, command: bytes) -> bytes:
        """One command."""
        answer = self.inner.send(command)
        self.log.lines.append(Line(command, answer))
        return answer

    def close(self) -> None:
        """Lets the card go."""
        self.inner.close()


class Reader:
    """A card in a PC/SC reader, a physical one as a rule. It must be named, and keeps what is done to it.

    The PIN and every key are tried once before vectors use them: a wrong one costs the card one try, never more.
    """

    physical = True
    searching = False

    def __init__(
        self, connection: Connection, name: str, roots: RootSource, pin: str, *, layout: Layout | None = None,
        psam: Connection | None = None, persona: str = "",
    ) -> None:  # fmt: skip
        """``psam``: the terminal's own card, where there is a reader with one. ``persona``: whose card it is, where it
        is a virtual one of ours; LookupError.
        """
        self._connection, self._name, self._roots, self._pin = connection, name, roots, pin
        terminal = Terminal(connection, layout, roots)
        try:
            terminal.begin()
            self.layout, self._suite = terminal.layout, terminal.suite.name
            self.identification = str(terminal.read("SSSE/EF05/01"))
        except TerminalError as error:
            raise BenchError(f"reader {name!r}: {error}") from None
        self._refusals: dict[str, str] = {}
        self._psam = psam
        self._pin_tries = 0
        self._persona = persona
        self._person = persona_of(persona, self.layout, self._suite)
        self._psam_person = persona_of(personas.PSAM if persona and psam else "", layouts.load(personas.PSAM), "3des")

    @property
    def profile(self) -> Profile:
        """As the card's version and FCI say. Which shape the reader has is not asked."""
        return Profile(self.layout.version, self._suite, features_of(self.layout) - {"activation"})

    @property
    def target(self) -> str:
        """Reader, and ATR without the chip's serial number."""
        return f"card in {self._name}, ATR {mask.atr(self._connection.atr).hex().upper()}"

    def is_named(self, name: str) -> bool:
        """True if this is the card that the user named, by its ATR or its identification code."""
        return name.replace(" ", "").upper() in (self._connection.atr.hex().upper(), self.identification.upper())

    def layout_for(self, vector: Vector) -> Layout:
        """The card's own."""
        wanted = _asked_for(vector, self.layout)
        if wanted:
            raise Unsuitable(f"it wants a card of the layout {Path(wanted).stem}; --layout says that this is one")
        return self.layout

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The card itself. Missing where the PIN, a key or the PSAM is not at hand, is wrong, or has too few tries."""
        if vector.persona and vector.persona != self._persona:
            raise Unsuitable(f"it wants the card of persona {vector.persona}")
        if vector.needs_psam and self._psam is None:
            raise Missing("a PSAM (--psam-reader)")
        if vector.shapes == ("t0",) and isinstance(self._connection, Pcsc) and not self._connection.is_t0:
            raise Unsuitable("it is for T=0, and this card speaks T=1")
        terminal = Terminal(Logged(self._connection, log), self.layout, self._roots)
        terminal.begin()
        wanted = [PIN] if vector.needs_pin else []
        for name in (*wanted, *sorted(vector.keys)):
            if name not in self._refusals:
                self._refusals[name] = self._check_pin(terminal) if name == PIN else self._check_key(terminal, name)
            if self._refusals[name]:
                raise Missing(self._refusals[name])
        for follows in vector.followers:
            log.lines.clear()
            yield Play(
                terminal,
                self._pin,
                psam=Logged(self._psam, log) if self._psam else None,
                person=self._person,
                psam_person=self._psam_person,
                follows=follows,
                pin_tries=self._pin_tries,
            )

    def _check_pin(self, terminal: Terminal) -> str:
        """Why the PIN cannot be used; empty if it is right."""
        if not self._pin:
            return "the card's PIN ($SSCARD_PIN)"
        left = terminal.pin_state()
        if left is not None and left < ENOUGH_TRIES:
            return f"the card's PIN has {left} tries left: too few to try one"
        try:
            terminal.verify_pin(self._pin)
        except TerminalError as error:
            return f"the PIN in $SSCARD_PIN is not the card's: {error}"
        self._pin_tries = terminal.pin_state() or 0
        return ""

    def _check_key(self, terminal: Terminal, name: str) -> str:
        """Why a key cannot be used; empty if it is right, or is none that can be tried."""
        spec = self.layout.keys.get(name)
        if spec is None:
            return f"the card's layout has no key {name}"
        try:
            terminal.card_key(name)
            if spec.use in ("external-authentication", PIN_USE):
                terminal.begin()
                terminal.enter(spec.application)
                terminal.authenticate(name)
        except LookupError:
            return f"the key {name}"
        except TerminalError as error:
            return f"the key {name} of your file is not the card's: {error}"
        return ""


ENOUGH_TRIES = 2


def persona_of(name: str, layout: Layout, algorithm: str) -> Person | None:
    """A persona's card as it would be issued; None for no name. LookupError for an unknown one."""
    return issued(name, layout, algorithm) if name else None


class Recorded:
    """A connection that answers from a recording; LookupError where the recording goes on otherwise."""

    def __init__(self, events: list[Event], at: int) -> None:
        self._events, self._at = events, at
        self.atr = bytes.fromhex(events[at].told("atr"))

    def reset(self) -> bytes:
        """The next reset of the recording."""
        event = self._next("reset")
        self.atr = bytes.fromhex(event.told("atr"))
        return self.atr

    def send(self, command: bytes) -> bytes:
        """The recorded answer, if the recorded command is this one but for what differs each time."""
        event = self._next("apdu")
        if diff.comparable(command) != diff.comparable(event.command):
            raise LookupError("the recording goes on with another command")
        return event.answer

    def _next(self, kind: str) -> Event:
        if self._at >= len(self._events) or self._events[self._at].kind != kind:
            raise LookupError("the recording ends or goes on otherwise")
        self._at += 1
        return self._events[self._at - 1]

    def close(self) -> None:
        """Nothing to let go."""


class Replay:
    """A recorded session (``sscard record``, or a trace of ``sscard run``)."""

    physical = False
    searching = True

    def __init__(self, path: Path, layout: Layout | None, algorithm: str | None) -> None:
        try:
            self._events = [one for one in read.events(path) if one.kind in ("reset", "apdu")]
        except TraceError as error:
            raise BenchError(f"no recording: {error}") from None
        if not any(one.kind == "reset" for one in self._events):
            raise BenchError(f"{path}: no reset in it, so no vector can begin there")
        self._path = path
        self._layout = layout or read.layout_of(path)
        self._algorithm = algorithm or ("sm4" if self._algorithm_code() == 3 else "3des")

    def _algorithm_code(self) -> int:
        for one in self._events:
            _, found, rest = one.told("answer").partition("9F0C038601")
            if found and len(rest) > 1:
                return int(rest[:2], 16)
        return 1

    @property
    def profile(self) -> Profile:
        """As the recording tells."""
        return Profile(self._layout.version, self._algorithm, features_of(self._layout) | {"t0"})

    @property
    def target(self) -> str:
        """The file."""
        return f"recording {self._path}"

    def layout_for(self, vector: Vector) -> Layout:
        """The recorded card's."""
        if _asked_for(vector, self._layout):
            raise Unsuitable(f"it wants a card of the layout {vector.layout}")
        return self._layout

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The recording from each of its resets."""
        if vector.needs_psam:
            raise Unsuitable("a recording holds one card, and it needs a PSAM beside it")
        for at, event in enumerate(self._events):
            if event.kind == "reset":
                terminal = Terminal(Logged(Recorded(self._events, at), log), self._layout)
                terminal.layout, terminal.suite = self._layout, suite(self._algorithm)
                terminal.region = "510100"
                yield Play(terminal, "0" * 6)
        raise Missing(f"no session in {self._path.name} is this one")


@contextmanager
def reader(
    name: str, roots: RootSource, pin: str, layout: Layout | None, psam: str | None = None, persona: str = ""
) -> Iterator[Reader]:
    """The card in this reader, and the PSAM in another."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(Pcsc(name))
        own = stack.enter_context(Pcsc(psam)) if psam else None
        yield Reader(connection, name, roots, pin, layout=layout, psam=own, persona=persona)
