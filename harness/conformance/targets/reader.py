"""A card in a PC/SC reader, a physical one as a rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from emulator import catalogue, interface, personas
from emulator.errors import SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import CARD_STATE
from emulator.interface import Interface
from emulator.messages import _
from emulator.security import PIN
from harness.conformance import names
from harness.conformance.guard.costs import Costs, Twin
from harness.conformance.guard.guard import Expected, Guard
from harness.conformance.guard.ledger import Ledger, changed, locked, too_few
from harness.conformance.person import persona_of
from harness.conformance.play import Missing, Play, Unsuitable
from harness.conformance.targets.logged import Logged
from harness.conformance.targets.target import Profile, TargetError, asked_for, features_of, suits
from harness.conformance.vector import Vector
from harness.keys.access import TerminalError
from harness.keys.roots import RootSource, UnknownKey
from harness.keys.spent import ENOUGH_TRIES, SpentKeys
from harness.readers.connection import Connection, Pcsc
from harness.readers.pcsc import NO_SMARTCARD, REMOVED_CARD, UNPOWERED_CARD, PcscError
from harness.terminal.refused import Refused
from harness.terminal.session import proving
from harness.terminal.terminal import Terminal, bcd
from harness.verdicts.causes import Cause
from harness.verdicts.log import Log

GONE = frozenset({NO_SMARTCARD, REMOVED_CARD, UNPOWERED_CARD})
"""SCARD codes by which a reader says that no card is in it."""
TOO_MANY = 3
"""Keys of one file that are refused before any is right: the file is another card's. [D]"""
PROVED = frozenset({KeyUse.EXTERNAL, KeyUse.PIN})
"""What keys are for that can be tried by themselves."""


def has_left(error: BaseException) -> bool:
    """True for a reader's error that says that no card is in it."""
    return isinstance(error, PcscError) and error.result in GONE


class CardInReader:
    """A card in a PC/SC reader, a physical one as a rule. It must be named, and keeps what is done to it.

    What each vector costs is known before it is sent (``costs``). The PIN and every key are tried once before vectors
    use them: a wrong one costs the card one try, never more, in this run or, with a ``note``, in any. What a vector
    lowers and may be set back, is set back by a right proof after it.
    """

    physical = True
    searching = False

    def __init__(
        self, connection: Connection, name: str, roots: RootSource, pin: str, *, layout: Layout | None = None,
        psam: Connection | None = None, persona: str = "", note: SpentKeys | None = None,
    ) -> None:  # fmt: skip
        """``psam``: the terminal's own card, where there is a reader with one. ``persona``: whose card it is, where it
        is a virtual one of ours; UnknownPersonaError. ``note``: of what cards refused in earlier runs.
        """
        self._connection, self._name, self._roots, self._pin = connection, name, roots, pin
        self._terminal = Terminal(connection, layout, roots)
        try:
            self._terminal.begin()
            self.layout, self._suite = self._terminal.layout, self._terminal.suite.name
            self.identification = str(self._terminal.read("SSSE/EF05/01"))
        except TerminalError as error:
            raise TargetError(_("reader {name!r}: {error}").format(name=name, error=error)) from None
        self._code = self._terminal.identification
        if note is not None:
            note.ready()
        self.ledger = Ledger(self._code, note, self._value)
        self._guard = Guard(connection, self.layout, self.ledger)
        self._psam_guard = _psam_guard(psam)
        self._pin_tries = 0
        self._persona = persona
        self._person = persona_of(persona, self.layout, self._suite)
        self._psam_person = persona_of(
            personas.PSAM if persona and psam else "", catalogue.layout(personas.PSAM), "3des"
        )
        self._costs: dict[str, Costs] = {}
        self._tried: set[tuple[str, int]] = set()
        self._spoiled: dict[str, str] = {}
        """What a vector left so that it serves nobody, by its name, and that vector."""
        self._playing: tuple[Vector, Play] | None = None
        self.warnings: list[str] = []
        """What the user must know besides the verdicts: what the card was left with and could not be set back."""
        self._twin = self._made_twin()

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """As the card's version, FCI and ATR say. Which shape the reader has is not asked."""
        side = interface.interface_of(self._connection.atr)
        features = features_of(self.layout) - {"activation"}
        if side is Interface.CONTACTLESS:
            features |= {"contactless"}
        return Profile(self.layout.version, self._suite, features, side)

    @property
    def target(self) -> str:
        """Reader, and ATR without the chip's serial number."""
        return _("card in {name}, ATR {atr}").format(
            name=self._name, atr=interface.masked(self._connection.atr).hex().upper()
        )

    def is_named(self, name: str) -> bool:
        """True if this is the card that the user named, by its ATR or its identification code."""
        return name.replace(" ", "").upper() in (self._connection.atr.hex().upper(), self.identification.upper())

    def demand_named(self, names: Iterable[str]) -> None:
        """TargetError unless this is a card that the user named."""
        if not any(map(self.is_named, names)):
            raise TargetError(
                _("{target}: this is not the card that --card names: `sscard readers --serials` tells its ATR").format(
                    target=self.target
                )
            )

    def layout_for(self, vector: Vector) -> Layout:
        """Returns the card's own layout. Unsuitable where the vector wants another."""
        wanted = asked_for(vector, self.layout)
        if wanted:
            raise Unsuitable(
                _("it wants a card of the layout {layout}; --layout says that this is one").format(
                    layout=Path(wanted).stem
                )
            )
        return self.layout

    # --- what vectors cost it ----------------------------------------------------------------------------------

    def costs(self, vector: Vector) -> Costs:
        """What a vector costs this card, by playing it on a virtual twin; nothing where it is for other cards."""
        if vector.id not in self._costs:
            fits = vector.applies(self.layout.version, self._suite) and not vector.features - self.profile.features
            fits = fits and not asked_for(vector, self.layout) and not names.lacking(vector, self.layout)
            self._costs[vector.id] = self._on_twin(vector) if fits else Costs()
        return self._costs[vector.id]

    def _made_twin(self) -> Twin | None:
        """The virtual twin; none where nobody of ours can hold a card of this layout."""
        try:
            return Twin(
                self.layout, self._suite, self._roots, self._pin, self._code, pin_tries=self._pin_tries,
                persona=self._persona,
            )  # fmt: skip
        except (SscardError, ValueError) as error:
            self.warnings.append(
                _(
                    "what vectors cost this card is not known beforehand, as it has no virtual twin ({error}): each "
                    "vector's own word is taken, and every proof is watched; --persona names who can hold it"
                ).format(error=error)
            )
            return None

    def _on_twin(self, vector: Vector) -> Costs:
        """What a vector costs the twin; nothing foreseen where it cannot be played there."""
        try:
            return self._twin.costs(vector) if self._twin is not None else Costs()
        except (SscardError, ValueError, LookupError):
            return Costs()

    def harm(self, vector: Vector) -> str:
        """That a vector changes the card for ever, or spends tries: as it says itself, or as the twin shows."""
        costs = self.costs(vector)
        if vector.destructive or costs.lasting:
            return _("it changes the card for ever")
        return _("it spends tries") if vector.costs_tries or costs.spends else ""

    def pin_tries(self) -> int | None:
        """The tries that the PIN has left, 0 if it is locked, None where none is set or the card does not say; asking
        costs nothing. PcscError.
        """
        self._guard.end()
        terminal = Terminal(self._guard, self.layout, self._roots)
        try:
            terminal.begin()
            return terminal.pin_state()
        except TerminalError:
            return None

    def wanted(self, vector: Vector) -> list[tuple[str, int]]:
        """The PIN and the keys, each with its version, that are proved before a vector is played, in order."""
        cost = self.costs(vector).card
        pin = [(PIN, 1)] if vector.needs_pin or PIN in cost.counters else []
        proved = {(name, version) for name, version in cost.proves if name in self.layout.keys}
        lowered = {(name, 1) for name in cost.least if name in self.layout.keys}
        return [*pin, *sorted({(name, 1) for name in vector.keys} | proved | lowered)]

    def is_tried(self, name: str) -> bool:
        """True for a key that can be tried by itself."""
        return name in self.layout.keys and self.layout.keys[name].use in PROVED

    def lacking(self, vector: Vector) -> str:
        """Why a vector is not for cards of this layout; empty where it is. Unsuitable."""
        return names.lacking(vector, self.layout_for(vector))

    def check(self, vector: Vector) -> None:
        """What keeps a vector from being run, as far as that is known without sending anything: Unsuitable, Missing."""
        if vector.persona and vector.persona != self._persona:
            raise Unsuitable(_("it wants the card of persona {persona}").format(persona=vector.persona))
        if vector.needs_psam and self._psam_guard is None:
            raise Missing(_("a PSAM (--psam-reader)"), Cause.NO_PSAM)
        if vector.shapes == ("t0",) and not getattr(self._connection, "is_t0", True):
            raise Unsuitable(_("it is for T=0, and this card speaks T=1"))
        suits(vector, self.profile.interface)
        cost = self.costs(vector).card
        for name in sorted({*cost.needs, CARD_STATE.name} & set(self._spoiled)):
            raise Missing(changed(name, self._spoiled[name]), Cause.SPOILED)
        for name in sorted(cost.counters):
            by = self.ledger[name].locked_by
            if by is not None:
                raise Missing(locked(name, by), Cause.SPOILED if by else Cause.LOCKED)
        for name, version in self.wanted(vector):
            self._at_hand(name, version)

    def _at_hand(self, name: str, version: int) -> None:
        """Missing where a key or the PIN is not known, or the card has refused it, or so many of the same file that it
        must be another card's.
        """
        if name == PIN and not self._pin:
            raise Missing(_("the card's PIN ($SSCARD_PIN)"), Cause.NO_PIN)
        try:
            value = bcd(self._pin) if name == PIN else self._terminal.card_key(name, version)
        except UnknownKey as error:
            raise Missing(str(error), Cause.NO_KEY) from None
        one = self.ledger[name]
        if version not in one.proven:
            if one.refused:
                raise Missing(one.refused, Cause.PIN_REFUSED if name == PIN else Cause.KEY_REFUSED)
            if one.left is not None and one.left < ENOUGH_TRIES:
                raise Missing(too_few(name, one.left), Cause.FEW_TRIES)
            if name != PIN and self._is_of_others():
                raise Missing(
                    _("{count} keys of your file are not the card's and none was right: no other is tried").format(
                        count=TOO_MANY
                    ),
                    Cause.KEY_REFUSED,
                )
            self.ledger.check_note(name, value)

    def _is_of_others(self) -> bool:
        """True where the first keys of a file were all wrong."""
        refused = sum(bool(self.ledger[name].refused) for name in self.layout.keys)
        return refused >= TOO_MANY and not any(self.ledger[name].proven for name in self.layout.keys)

    def _value(self, name: str, version: int) -> bytes:
        """What a key is proved by; empty where it is not known."""
        try:
            return bcd(self._pin) if name == PIN else self._terminal.card_key(name, version)
        except (LookupError, ValueError):
            return b""

    # --- playing -----------------------------------------------------------------------------------------------

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The card itself. Missing where the PIN, a key or the PSAM is not at hand, is wrong, or has too few tries."""
        terminal = Terminal(Logged(self._guard, log.card(self.layout)), self.layout, self._roots)
        self._settle(terminal)
        self._begin(terminal)
        self.check(vector)
        self._set_back(terminal)
        for name, version in self.wanted(vector):
            if (name, version) not in self._tried:
                self._tried.add((name, version))
                self._try(terminal, name, version)
                self.check(vector)
        cost = self.costs(vector)
        psam = None
        if self._psam_guard is not None:
            psam = Logged(self._psam_guard, log.card(catalogue.layout(personas.PSAM)))
        for way, follows in enumerate(vector.followers):
            log.lines.clear()
            self._guard.begin(vector.id, _script(cost.card.scripts, way), frozenset(cost.card.locks))
            if self._psam_guard is not None:
                self._psam_guard.begin(vector.id, _script(cost.psam.scripts, way), frozenset(cost.psam.locks))
            play = Play(
                terminal,
                self._pin,
                psam=psam,
                person=self._person,
                psam_person=self._psam_person,
                follows=follows,
                pin_tries=self._pin_tries,
                stopped=self._stopped,
            )
            self._playing = (vector, play)
            yield play
            self._settle(terminal)

    def finish(self) -> None:
        """Sets back what the last vector lowered. Nothing is said where the card is not there any more."""
        with contextlib.suppress(TerminalError, PcscError, Missing, OSError):
            terminal = Terminal(self._guard, self.layout, self._roots)
            self._settle(terminal)
            if self.ledger.lowered():
                self._begin(terminal)
                self._set_back(terminal)

    def _stopped(self) -> Missing | None:
        return self._guard.stopped or (self._psam_guard.stopped if self._psam_guard is not None else None)

    def _begin(self, terminal: Terminal) -> None:
        """Resets the card and finds out that it is the one it was; Missing where it is not, or left."""
        try:
            terminal.begin()
        except PcscError as error:
            if has_left(error):
                raise Missing(_("the card left the reader"), Cause.CARD_LEFT) from None
            raise
        if terminal.identification != self._code:
            raise Missing(_("another card is in the reader: nothing is sent to it"), Cause.CARD_LEFT)

    def _settle(self, terminal: Terminal) -> None:
        """Takes down what the play that was last left otherwise for ever, and changes the PIN back."""
        playing, self._playing = self._playing, None
        stopped = self._guard.stopped is not None
        self._guard.end()
        if playing is None or stopped:
            return
        vector, play = playing
        cost = self.costs(vector).card
        self._spoiled |= dict.fromkeys(sorted(cost.replaced), vector.id)
        for name in cost.locks:
            if self.ledger[name].locked_by is None:
                self.ledger[name].locked_by = vector.id
        if cost.pin is not None and PIN not in cost.locks:
            self._change_back(terminal, cost.pin, vector.id, finished=play.finished)

    def _change_back(self, terminal: Terminal, pin: str, vector: str, *, finished: bool) -> None:
        """The user's PIN instead of the one that a vector left. ``finished``: it surely left that one."""
        with contextlib.suppress(TerminalError, Missing, PcscError):
            if finished:
                self._begin(terminal)
                terminal.enter(self.layout.pin.application)
                terminal.change_pin(pin, self._pin)
                return
        self._spoiled[PIN] = vector
        self.warnings.append(_("the card's PIN may not be yours any more: {vector} changed it").format(vector=vector))

    def _set_back(self, terminal: Terminal) -> None:
        """Proves right what vectors lowered, so that its counter is full again."""
        for name in self.ledger.lowered():
            if name not in self._spoiled:
                with contextlib.suppress(TerminalError, Missing):
                    self._prove(terminal, name, min(self.ledger[name].proven))

    def _try(self, terminal: Terminal, name: str, version: int) -> None:
        """Proves the PIN or a key for the first time; what comes of it, the ledger knows. A PIN with too few tries for
        that is left alone.
        """
        if name == PIN:
            left = terminal.pin_state()
            if left is not None and left < ENOUGH_TRIES:
                return
        elif not self.is_tried(name):
            return
        with contextlib.suppress(Refused):
            self._prove(terminal, name, version)
            if name == PIN:
                self._learn_tries(terminal.pin_state() or 0)

    def _prove(self, terminal: Terminal, name: str, version: int) -> None:
        """Makes one proof that is right. Refused."""
        if name == PIN:
            terminal.enter(self.layout.pin.application)
            terminal.verify_pin(self._pin)
            return
        spec = self.layout.keys[name]
        terminal.enter(spec.application, again=True)
        if spec.use is KeyUse.PIN:
            terminal.prove_pin(name, spec.pin)
            return
        use = terminal.use(name, version=version)
        use = replace(use, challenge=terminal.challenge(use.scheme.cryptogram))
        told = version if version != 1 else None  # the lowest, which need not be named
        terminal.exchange(
            proving(spec, terminal.proof(use, bytes(range(8))), told), _("proving {name}").format(name=name)
        )

    def _learn_tries(self, tries: int) -> None:
        """The PIN's tries as the card has them: what vectors cost is found out anew where the layout has others."""
        self._pin_tries = tries
        if tries and tries != self.layout.pin.tries:
            self._twin = self._made_twin()
            self._costs.clear()


def _script(scripts: Sequence[Sequence[Expected]], way: int) -> Sequence[Expected]:
    """The proofs of one way to play a vector; none where it was not rehearsed."""
    return scripts[way] if way < len(scripts) else ()


def _psam_guard(psam: Connection | None) -> Guard | None:
    """What stands before the terminal's own card, where there is one."""
    if psam is None:
        return None
    return Guard(psam, catalogue.layout(personas.PSAM), Ledger(psam.atr, None, lambda *_: b""))


@contextmanager
def in_reader(
    name: str, roots: RootSource, pin: str, layout: Layout | None, psam: str | None = None, persona: str = "",
    note: SpentKeys | None = None,
) -> Iterator[CardInReader]:  # fmt: skip
    """The card in this reader, and the PSAM in another."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(Pcsc(name))
        own = stack.enter_context(Pcsc(psam)) if psam else None
        yield CardInReader(connection, name, roots, pin, layout=layout, psam=own, persona=persona, note=note)
