"""A card in a PC/SC reader, a physical one as a rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator import catalogue, personas
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.messages import _
from emulator.reader.shape import ReaderShape
from emulator.security import PIN
from harness.conformance.person import persona_of
from harness.conformance.play import Missing, Play, Unsuitable
from harness.conformance.targets.logged import Logged
from harness.conformance.targets.target import Profile, TargetError, asked_for, features_of
from harness.conformance.vector import Vector
from harness.keys.access import TerminalError
from harness.keys.roots import RootSource, UnknownKey
from harness.readers.connection import Connection, Pcsc
from harness.terminal.terminal import Terminal
from harness.trace import mask
from harness.verdicts.log import Log


class CardInReader:
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
        is a virtual one of ours; UnknownPersonaError.
        """
        self._connection, self._name, self._roots, self._pin = connection, name, roots, pin
        terminal = Terminal(connection, layout, roots)
        try:
            terminal.begin()
            self.layout, self._suite = terminal.layout, terminal.suite.name
            self.identification = str(terminal.read("SSSE/EF05/01"))
        except TerminalError as error:
            raise TargetError(_("reader {name!r}: {error}").format(name=name, error=error)) from None
        self._refusals: dict[str, str] = {}
        self._psam = psam
        self._pin_tries = 0
        self._persona = persona
        self._person = persona_of(persona, self.layout, self._suite)
        self._psam_person = persona_of(
            personas.PSAM if persona and psam else "", catalogue.layout(personas.PSAM), "3des"
        )

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
        wanted = asked_for(vector, self.layout)
        if wanted:
            raise Unsuitable(f"it wants a card of the layout {Path(wanted).stem}; --layout says that this is one")
        return self.layout

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The card itself. Missing where the PIN, a key or the PSAM is not at hand, is wrong, or has too few tries."""
        if vector.persona and vector.persona != self._persona:
            raise Unsuitable(f"it wants the card of persona {vector.persona}")
        if vector.needs_psam and self._psam is None:
            raise Missing(_("a PSAM (--psam-reader)"))
        if vector.shapes == (ReaderShape.T0,) and isinstance(self._connection, Pcsc) and not self._connection.is_t0:
            raise Unsuitable("it is for T=0, and this card speaks T=1")
        terminal = Terminal(Logged(self._connection, log.card(self.layout)), self.layout, self._roots)
        terminal.begin()
        wanted = [PIN] if vector.needs_pin else []
        for name in (*wanted, *sorted(vector.keys)):
            if name not in self._refusals:
                self._refusals[name] = self._check_pin(terminal) if name == PIN else self._check_key(terminal, name)
            if self._refusals[name]:
                raise Missing(self._refusals[name])
        own = Logged(self._psam, log.card(catalogue.layout(personas.PSAM))) if self._psam else None
        for follows in vector.followers:
            log.lines.clear()
            yield Play(
                terminal,
                self._pin,
                psam=own,
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
        """Why a key cannot be used; empty if it is right, or cannot be tried at all."""
        spec = self.layout.keys.get(name)
        if spec is None:
            return f"the card's layout has no key {name}"
        try:
            terminal.card_key(name)
            if spec.use in (KeyUse.EXTERNAL, KeyUse.PIN):
                terminal.begin()
                terminal.enter(spec.application)
                terminal.authenticate(name)
        except UnknownKey as error:
            return str(error)
        except TerminalError as error:
            return f"the key {name} of your file is not the card's: {error}"
        return ""


ENOUGH_TRIES = 2


@contextmanager
def in_reader(
    name: str, roots: RootSource, pin: str, layout: Layout | None, psam: str | None = None, persona: str = ""
) -> Iterator[CardInReader]:
    """The card in this reader, and the PSAM in another."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(Pcsc(name))
        own = stack.enter_context(Pcsc(psam)) if psam else None
        yield CardInReader(connection, name, roots, pin, layout=layout, psam=own, persona=persona)
