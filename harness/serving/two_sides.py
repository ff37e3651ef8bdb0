"""One card in two readers: its contacts in one, its antenna in the field of another. One image, one power.

A chip has power from one side at a time. The readers do not know of each other: each believes that it powers the card
from its insertion on, or from the first use after pcscd took the power. So power goes to the side that a command comes
from, and what the other side's session had is lost: rights, selection, challenge, what waits to be fetched. A reader
whose session was lost so is told by its next command, which is not answered: the card leaves that reader and comes
back, as one whose power failed does. One that had no session goes on as if nothing had been. [D]
"""

from __future__ import annotations

import threading

from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.slot import CardGone

DONE = (b"\x90", b"\x61", b"\x62")
"""How the status words of commands begin that were carried out. [P: iso7816-4]"""


class Side:
    """A side of a card, as a slot takes it. ``TwoSides`` makes it."""

    def __init__(self, chip: Chip, card: TwoSides) -> None:
        self.chip = chip
        self.atr = chip.atr
        self._card = card
        self.in_session = False
        """A command was carried out since this side was powered or reset; refused ones leave nothing to be lost."""
        self.lost = False
        """The other side took the power from a session here."""

    @property
    def image(self) -> Image:
        """Returns what survives power, on both sides the same."""
        return self.chip.image

    def power_on(self) -> bytes:
        """The reader powers the card, or believes so while the other side has the power; the ATR."""
        return self._card.on(self)

    def reset(self) -> bytes:
        """The reader resets the card; the ATR. The other side's session, if it has the power, is not touched."""
        return self._card.on(self)

    def power_off(self) -> None:
        """The reader takes its power away."""
        self._card.off(self)

    def taken_out(self) -> None:
        """The card left this reader; it stays in the other."""
        self._card.off(self)

    def claim(self) -> None:
        """Power comes from this side from now on. CardGone where this reader's session is lost."""
        self._card.claim(self)

    def transmit(self, command: bytes) -> bytes:
        """The answer to a command from this side, which gets the power for it. CardGone."""
        return self._card.transmit(self, command)


class TwoSides:
    """A card with both sides in readers. ``contact`` and ``contactless``: a chip for each, of one and the same image;
    ValueError for others.
    """

    def __init__(self, contact: Chip, contactless: Chip) -> None:
        if contact.image is not contactless.image:
            raise ValueError(_("the two sides of a card share one image"))
        if (contact.interface, contactless.interface) != (Interface.CONTACT, Interface.CONTACTLESS):
            raise ValueError(_("one side has contacts, the other an antenna"))
        self._lock = threading.RLock()
        self._powered: Side | None = None
        self.contact, self.contactless = Side(contact, self), Side(contactless, self)

    @property
    def powered_by(self) -> Interface | None:
        """Which side has the power now; None: neither."""
        with self._lock:
            return self._powered.chip.interface if self._powered else None

    def on(self, side: Side) -> bytes:
        """The side's reader powers or resets the card; the ATR. The power is given now only if nobody has it."""
        with self._lock:
            side.in_session = side.lost = False
            if self._powered in (None, side):
                self._powered = side
                side.chip.power_on()
            return side.atr

    def off(self, side: Side) -> None:
        """The side's reader takes the power away, or has no card any more."""
        with self._lock:
            side.in_session = side.lost = False
            if self._powered is side:
                side.chip.power_off()
                self._powered = None

    def claim(self, side: Side) -> None:
        """Gives the side the power, unless its session is lost: CardGone."""
        with self._lock:
            if side.lost:
                raise CardGone(_("the card was powered from its other side, and its session here is lost"))
            other = self._powered
            if other is side:
                return
            if other is not None:
                other.lost, other.in_session = other.in_session, False
                other.chip.power_off()
            side.chip.power_on()
            self._powered = side

    def transmit(self, side: Side, command: bytes) -> bytes:
        """One command from this side. CardGone where its session is lost, or a fault has it so."""
        with self._lock:  # held until it is answered: power does not change sides inside a command
            self.claim(side)
            answer = side.chip.transmit(command)
            side.in_session = side.in_session or answer[-2:-1] in DONE
            return answer
