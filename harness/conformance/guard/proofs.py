"""Commands that hold something against a counter of the card: a PIN, a key's proof, a MAC; and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emulator.apdu.command import HEADER, CommandAPDU
from emulator.apdu.instructions import Instruction
from emulator.apdu.instructions.authentication import ExternalAuthentication
from emulator.apdu.instructions.issuing import CompletePersonalisation, LoadKey
from emulator.apdu.instructions.pin import PinChangeUnblock
from emulator.apdu.instructions.transactions import CreditForLoad, DebitForPurchase
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import UNBLOCKING
from emulator.filesystem.memory.files import messaging_of
from emulator.messages import _
from emulator.security import PIN
from harness.trace.context import Context

PURSE_KEYS: tuple[tuple[type[Instruction], str], ...] = ((CreditForLoad, "DLK"), (DebitForPurchase, "DPK"))
"""Commands of the purse whose MAC proves a key, and that key."""
FEW = 0x63
"""SW1 of 63xx, by which a card says that a proof was wrong, with the tries left or without."""
NOTHING_COMPARED = frozenset(
    {
        SW.WRONG_LENGTH, SW.CONDITIONS_NOT_SATISFIED, SW.DATA_INVALIDATED, SW.MESSAGING_OBJECT_MISSING, SW.WRONG_DATA,
        SW.FUNCTION_NOT_SUPPORTED, SW.FILE_NOT_FOUND, SW.WRONG_P1P2, SW.REFERENCE_NOT_FOUND, SW.WRONG_OFFSET,
        SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED, SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY,
        SW.COMMAND_INCOMPATIBLE, 0x6881, 0x6884,
    }
)  # fmt: skip
"""Refusals that come before a card compares anything. [P]"""


class Outcome(Enum):
    """What a card made of a proof. ``UNTRIED``: it refused the command before it compared anything."""

    TAKEN = "taken"
    REFUSED = "refused"
    LOCKED = "locked"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Proof:
    """One command that a card counts where it is wrong. ``counters``: ``PIN``, a key's name or ``unblocking the PIN``;
    ``version``: the key's; ``value``: the PIN in it, empty for what is proved without being sent. ``asks``: it only
    asks how many tries are left. ``sealed``: it is proved by a MAC, whose command may be refused for its own reasons.
    """

    counters: tuple[str, ...]
    version: int = 1
    value: bytes = b""
    asks: bool = False
    sealed: bool = False

    def outcome(self, sw: int) -> Outcome:
        """What a status word says became of it. One that is not known to come before a comparison is a refusal, but
        for what is sealed, where a wrong MAC has words of its own.
        """
        if sw == SW.BLOCKED:
            return Outcome.LOCKED
        if sw >> 8 in (0x90, 0x61, 0x62):
            return Outcome.TAKEN
        if sw >> 8 == FEW or sw in (SW.MESSAGING_OBJECT_WRONG, SW.MAC_INVALID):
            return Outcome.REFUSED
        return Outcome.UNTRIED if self.sealed or sw in NOTHING_COMPARED or sw >> 8 == 0x6C else Outcome.REFUSED


class Proofs:
    """Follows a session with one card of this layout, and knows the proofs among its commands."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._context = Context(layout)

    @property
    def here(self) -> str:
        """Returns the application that is current."""
        return self._context.directory.spec.id

    def reset(self) -> None:
        """Forgets what was selected, as the card does."""
        self._context.reset()

    def follow(self, raw: bytes, sw: int) -> None:
        """Takes in that a command was answered so."""
        self._context.follow(raw, sw)

    def of(self, raw: bytes) -> Proof | None:
        """The proof that a command is; None for one that costs nothing whatever it holds."""
        kind = self._context.instruction(raw)
        if kind is None:
            return None
        if kind.tries_pin:
            return self._of_pin(kind, raw)
        if kind.proves:
            return self._of_key(raw)
        if raw[0] in kind.secured or kind.protected:
            return self._sealed(kind)
        named = [name for of, name in PURSE_KEYS if issubclass(kind, of)]
        return Proof(tuple(named), sealed=True) if named else None

    def _of_pin(self, kind: type[Instruction], raw: bytes) -> Proof:
        if len(raw) <= HEADER:
            return Proof((PIN,), asks=True)
        tried = kind.pins(raw[HEADER : HEADER + raw[4]])
        return Proof((PIN,), value=tried[0] if tried else b"")

    def _of_key(self, raw: bytes) -> Proof:
        place = self._context.place(raw)
        name = (
            place.key.name
            if place.key is not None
            else _("key {id} of {where}").format(id=raw[3:4].hex().upper(), where=place.directory.spec.id)
        )
        try:
            told = ExternalAuthentication.parse(CommandAPDU.parse(raw)).version
        except CardError:
            told = None
        return Proof((name,), told or 1)

    def _sealed(self, kind: type[Instruction]) -> Proof:
        if issubclass(kind, PinChangeUnblock):
            return Proof((UNBLOCKING, self._layout.pin.messaging_key), sealed=True)
        if issubclass(kind, LoadKey | CompletePersonalisation) and self._layout.personalisation is not None:
            return Proof((self._layout.personalisation.key,), sealed=True)
        __, key = messaging_of(self._layout, self.here)
        return Proof(
            (key.name if key is not None else _("the messaging key of {where}").format(where=self.here),), sealed=True
        )
