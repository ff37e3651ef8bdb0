"""One call's work with the card in the reader: opened, identified, its PIN asked for, the PSAM at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.apdu.status import SW
from emulator.filesystem.layouts.specs import Layout
from emulator.interface import historical
from emulator.messages import _
from emulator.security import names_in
from harness.driver.codes import Code, DriverError, words
from harness.driver.elements import NAMED
from harness.driver.failures import READ_KEY
from harness.driver.pad import Pad
from harness.driver.readers import Readers
from harness.keys.access import TerminalError
from harness.keys.none import NoKeys
from harness.keys.psam import Psam
from harness.readers.connection import Connection
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import PinRefused, Refused, Terminal
from harness.terminal.values import ItemValue

TYPES = (1, 2, 3, 4)
"""iType: contact, contactless, either with contact first, either with contactless first.
[S: reference:terminal Functions]"""


@dataclass(slots=True)
class OpenCard:
    """One call's card. ``number``: item 07."""

    connection: Connection
    terminal: Terminal
    number: str
    own: Psam | None = None
    closers: list[Callable[[], None]] = field(default_factory=list)
    told: list[ItemValue] = field(default_factory=list)
    """What was read for the caller, in the order that it asked for."""
    elements: str = NAMED
    """How elements and fields stand in strings: see ``elements``."""

    @classmethod
    def open(cls, readers: Readers, kind: int, layout: Layout | None = None, elements: str = NAMED) -> OpenCard:
        """Reset, SSSE, algorithm, identification code, version, card number; DriverError. ``layout``: the card's, where
        its version does not tell.
        """
        if kind not in TYPES:
            raise DriverError(Code.WRONG_TYPE)
        connection = readers.card(kind)
        try:
            terminal = Terminal(connection, layout, keys=NoKeys())
            cls._begin(terminal)
            if not terminal.region.isdecimal() or not int(terminal.region):
                raise DriverError(Code.BAD_IDENTIFICATION)
            number = str(terminal.read("SSSE/EF05/07"))
        except BaseException:
            connection.close()
            raise
        return cls(connection, terminal, number, None, [connection.close], elements=elements)

    @staticmethod
    def _begin(terminal: Terminal) -> None:
        try:
            terminal.begin()
        except Refused as refused:
            # No SSSE, or one that has no records: a PSAM, a bank card, a pass.
            if refused.sw in (SW.FILE_NOT_FOUND, SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED):
                raise DriverError(Code.WRONG_TYPE) from None
            raise
        except TerminalError as error:
            raise DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {error}") from None

    def close(self) -> None:
        """Lets the card and the PSAM go."""
        while self.closers:
            self.closers.pop()()

    # --- what the card is ----------------------------------------------------------------------------------------

    @property
    def identification(self) -> str:
        """The card identification code, 32 hex digits."""
        return self.terminal.identification.hex().upper()

    @property
    def history(self) -> str:
        """The ATR's historical bytes, 26 hex digits."""
        return historical(self.connection.atr).hex().upper()

    @property
    def algorithm(self) -> str:
        """Returns the algorithm's code, 01 or 03."""
        return f"{self.terminal.suite.code:02d}"

    @property
    def needs_read_key(self) -> bool:
        """3.00 cards give the holder's data only after RKSSSE."""
        return READ_KEY in names_in(self.terminal.layout.files["SSSE/EF06"].read)

    def is_meant(self, card_info: list[str]) -> None:
        """-22 if the caller means another card; empty fields mean any. -23 if there are not two."""
        if len(card_info) != 2:
            raise DriverError(Code.BAD_INPUT, _("pCardInfo: 应为两个字段 expected identification code and card number"))
        for told, found in zip(card_info, (self.identification, self.number), strict=True):
            if told and told.upper() != found.upper():
                raise DriverError(Code.DIFFERS_FROM_CARD)

    def look_at_expiry(self) -> str:
        """Item 06, read before business is done, as counters want it. [T: reference:terminal flow 7] Empty where the
        card has none.
        """
        return str(self.terminal.read_if_there("SSSE/EF05/06") or "")

    def with_psam(self, readers: Readers) -> Psam:
        """The PSAM, ready for this card, as what computes for the terminal from now on; -2201, -2202."""
        connection = readers.psam()
        if connection is None:
            raise DriverError(Code.NO_PSAM)
        self.closers.append(connection.close)
        self.own = Psam(TerminalSession(connection))
        self.own.begin(self.terminal.identification)
        self.terminal.keys = self.own
        return self.own

    # --- PIN -----------------------------------------------------------------------------------------------------

    def verify_pin(self, pad: Pad) -> str:
        """Asks for the PIN where one is set, and verifies it; the PIN, empty where none is set. -31…-33, -51, -52."""
        left = self.terminal.pin_state()
        if left is None:
            return ""
        if not left:
            raise DriverError(Code.PIN_BLOCKED)
        pin = pad.enter()
        self.guarded(lambda: self.terminal.verify_pin(pin))
        return pin

    def verify_own_pin(self, pad: Pad) -> None:
        """As ``verify_pin``, before business: the initial PIN is right, but may not transact, -35."""
        if self.verify_pin(pad) == self.terminal.layout.pin.initial:
            raise DriverError(Code.PIN_INITIAL)

    def new_pin(self, pad: Pad) -> str:
        """A new PIN, twice from the pad; -34, -36."""
        new = pad.enter_new()
        if new == self.terminal.layout.pin.initial:
            raise DriverError(Code.PIN_SET_INITIAL)
        return new

    @staticmethod
    def guarded(act: Callable[[], None]) -> None:
        """Something with a PIN: -51 with the tries left, -52."""
        try:
            act()
        except PinRefused as refused:
            if refused.tries_left:
                raise DriverError(Code.PIN_WRONG, words(Code.PIN_WRONG, refused.tries_left)) from None
            raise DriverError(Code.PIN_BLOCKED) from None
