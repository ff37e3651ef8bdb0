"""What a contactless reader does by itself: it tells the card's number and its answer to select, of which the card
itself knows no command.

PC/SC part 3 gives class FF to the reader: GET DATA (FFCA) is answered here, and nothing of that class reaches the card.
"""

from __future__ import annotations

from emulator.apdu.status import SW
from emulator.chip import Chip, Exchange
from emulator.filesystem.memory.image import Image
from emulator.messages import deferred
from emulator.reader.slot import Card
from harness.readers.observed import READERS_CLASS, told_of_reader
from harness.serving.two_sides import Side

GET_DATA = 0xCA
"""[P: pcsc-part3]"""
UID, ATS = 0x00, 0x01
"""P1 of GET DATA: the card's number; its answer to select, whole, as ACS and SpringCard have it, where PC/SC has its
historical bytes alone. [1: acr1283]"""
WITHOUT_DATA = 5
"""Bytes of a command that has Le and no data."""
NOT_SUPPORTED = b"\x6a\x81"
"""Function not supported. [P: pcsc-part3]"""
WRONG_LE = 0x6C
"""Wrong Le, the right one in the second byte. [P: pcsc-part3]"""
TOLD = deferred("the reader's answer, not the card's")
REFUSED = deferred("the reader's answer: class FF is its own, and it has no such command")


class ContactlessReader:
    """A card's contactless side as a slot takes it, with what the reader answers by itself.

    ``card``: the chip as it is, or behind a system's habits or beside its other side (``side``).
    """

    def __init__(self, card: Card, chip: Chip, side: Side | None = None) -> None:
        self._card = card
        self._side = side
        self.chip = chip
        self.atr = chip.atr

    @property
    def image(self) -> Image:
        """Returns what survives power."""
        return self.chip.image

    def power_on(self) -> bytes:
        """Gives the card power; returns what PC/SC shows as its ATR."""
        return self._card.power_on()

    def reset(self) -> bytes:
        """Resets the card; returns what PC/SC shows as its ATR."""
        return self._card.reset()

    def power_off(self) -> None:
        """Takes the field away."""
        self._card.power_off()

    def taken_out(self) -> None:
        """The card left the field."""
        self._card.taken_out()

    def transmit(self, command: bytes) -> bytes:
        """The answer, the card's or the reader's own. CardGone if the card leaves at it."""
        if command[0] != READERS_CLASS:
            return self._card.transmit(command)
        if self._side is not None:
            self._side.claim()
        answer = self._get_data(command)
        exchange = Exchange(command, answer, REFUSED if answer == NOT_SUPPORTED else TOLD)
        watching = self.chip.observer
        failed = watching is not None and told_of_reader(watching, exchange) is None
        if failed and self.chip.observer is watching:
            self.chip.observer = None
        return answer

    def _get_data(self, command: bytes) -> bytes:
        """The reader's own answer to a command of its class."""
        if command[1:2] != bytes((GET_DATA,)):
            return NOT_SUPPORTED
        if len(command) != WITHOUT_DATA:
            return SW.WRONG_LENGTH.to_bytes(2, "big")
        asked, le = command[2:4], command[4]
        if asked == bytes((UID, 0)):
            data = self.chip.uid
        elif asked == bytes((ATS, 0)):
            data = self.chip.ats
        else:
            return NOT_SUPPORTED
        if le and le < len(data):
            return bytes((WRONG_LE, len(data)))
        return data + (SW.END_OF_FILE if le > len(data) else SW.OK).to_bytes(2, "big")
