"""A card worked on by hand: each line is one step of a terminal's session, and is told with its commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from emulator.apdu.command import ResponseAPDU
from emulator.chip import Exchange
from emulator.errors import NotFound
from emulator.filesystem.layouts.meanings import in_words
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.security import PIN
from harness.conformance.guard.guard import Guard
from harness.conformance.guard.ledger import Ledger
from harness.conformance.models import Action, AskPin, Authenticate, ChangePin, Read, Reset, Update, VerifyPin
from harness.conformance.play import Play
from harness.conformance.steps import Steps
from harness.console import words
from harness.keys.access import Unauthorised
from harness.keys.roots import RootSource, UnknownKey
from harness.keys.spent import SpentKeys
from harness.readers.connection import Connection
from harness.readers.observed import Observed
from harness.terminal.pin import bcd
from harness.terminal.terminal import Terminal

AskPinOf = Callable[[str], str]
"""Gives the cardholder's PIN for ``pin``, the one that it is changed to for ``new``."""


class NoRoot(NotFound):
    """A key is to be proved, and nobody gave its root."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a line: the last answer, the commands in their order, and the value of an item that was read."""

    response: ResponseAPDU
    exchanges: tuple[Exchange, ...]
    value: str = ""

    @property
    def done(self) -> bool:
        """True if the card did it: 9000, data to fetch, or a warning."""
        return self.response.sw >> 8 in (0x90, 0x61, 0x62)


class _Heard:
    """Keeps the commands of a line. ``reason``: why the card gave its last answer, where it says so."""

    def __init__(self, reason: Callable[[], str]) -> None:
        self.exchanges: list[Exchange] = []
        self._reason = reason

    def exchanged(self, exchange: Exchange) -> None:
        """Keeps one command and its answer."""
        self.exchanges.append(replace(exchange, reason=exchange.reason or self._reason()))

    def powered(self, event: str, atr: bytes) -> None:
        """A reset is no command."""
        del event, atr


class ByHand:
    """A card and what is known of its session. ``roots`` gives keys' roots, UnknownKey where there is none; ``pin``
    asks for a PIN.

    A card in a reader is looked at first (reset, SSSE selected, two items read), so that its layout and keys are known;
    then nothing costs it a second try of what it refused once, in this session or another. One of this process, whose
    ``image`` is at hand, is left as it is, and may be tried at will.
    """

    def __init__(
        self, connection: Connection, roots: RootSource, pin: AskPinOf, *, known: Layout | None = None,
        image: Image | None = None, note: SpentKeys | None = None, reason: Callable[[], str] = str,
    ) -> None:  # fmt: skip
        """TerminalError for what is not a social security card; PcscError."""
        self._heard = _Heard(reason)
        observed = Observed(connection, self._heard)
        self.terminal = Terminal(observed, known, roots)
        self._ask = pin
        self._given = ""
        self._guard: Guard | None = None
        if image is not None:
            self.terminal.adopt(image)
        else:
            self.terminal.begin()
            ledger = Ledger(self.terminal.identification, note or SpentKeys(), self._proved_by)
            self._guard = Guard(observed, self.terminal.layout, ledger)
            self.terminal.connection = self._guard

    @property
    def layout(self) -> Layout:
        """Returns the card's layout."""
        return self.terminal.layout

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Returns the commands of the last line, also of one that failed."""
        return tuple(self._heard.exchanges)

    def do(self, line: str) -> Outcome:
        """Does what a line says. WordError for a line that is not a step; Missing for a proof that could cost a try too
        many; NoRoot for a key whose root nobody gave; StepFailed, TerminalError and PcscError where it failed.
        """
        self._heard.exchanges.clear()
        action = words.parsed(line, self.layout, self.terminal.application)
        if self._guard is not None:
            self._guard.end()
        self._enter(action)
        steps = Steps(Play(self.terminal, self._pin(action)))
        try:
            response = steps.act(self._asked(action))
        except UnknownKey as error:
            raise NoRoot(
                _("no root of the key {name} is at hand: give --keys FILE, or --keys test").format(name=error.name)
            ) from None
        if isinstance(action, VerifyPin | ChangePin) and not response.ok:
            self._given = ""
        if isinstance(action, Reset) and self._guard is not None:
            self._again()
        value = ""
        if isinstance(action, Read) and steps.value is not None:
            __, item = self.terminal.find(action.item)
            value = in_words(item, steps.value)
        return Outcome(response, self.exchanges, value)

    def _enter(self, action: Action) -> None:
        """Goes where an action's item or key is, where the session is not there yet."""
        match action:
            case Read(item=item) | Update(item=item):
                spec, __ = self.terminal.find(item)
                self.terminal.enter(spec.application)
            case Authenticate(key=key):
                self.terminal.enter(self.layout.keys[key].application)
            case VerifyPin() | AskPin() | ChangePin() if not self.layout.pin.application:
                raise Unauthorised(_("layout {name} has no PIN").format(name=self.layout.name))
            case _:
                pass

    def _pin(self, action: Action) -> str:
        """The PIN that an action needs, asked for once; the card is asked for its tries before."""
        if isinstance(action, VerifyPin | ChangePin):
            if self._guard is not None:
                self.terminal.pin_state()
            self._given = self._given or self._ask("pin")
        return self._given

    def _asked(self, action: Action) -> Action:
        """The action with the new PIN in it."""
        return replace(action, new=self._ask("new")) if isinstance(action, ChangePin) else action

    def _again(self) -> None:
        """After a reset a card in a reader stands in its environment."""
        self.terminal.enter(words.HOME)

    def _proved_by(self, name: str, version: int) -> bytes:
        """What a key or the PIN is proved by here; empty where it is not at hand."""
        if name == PIN:
            return bcd(self._given) if self._given else b""
        try:
            return self.terminal.card_key(name, version)
        except NotFound:
            return b""
