"""Recording a session with a card in a reader: it is relayed into a virtual reader, and what passes is written down.

PC/SC lets no program listen to another's session, so the software under test talks to the virtual reader instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from emulator.chip import Exchange, Observer
from emulator.reader.slot import Slot
from harness import pcsc
from harness.connection import Connection, Pcsc


class Relay:
    """A card elsewhere, as a slot takes it. PC/SC cannot take its power: a reset stands for that."""

    def __init__(self, connection: Connection, observer: Observer) -> None:
        self._connection, self._observer = connection, observer
        self.atr = connection.atr

    def power_on(self) -> bytes:
        """A reset of the card; its ATR."""
        return self.reset()

    def reset(self) -> bytes:
        """A reset of the card; its ATR."""
        self.atr = self._connection.reset()
        self._observer.powered("reset", self.atr)
        return self.atr

    def power_off(self) -> None:
        """Noted; the next power_on resets."""
        self._observer.powered("off", b"")

    def taken_out(self) -> None:
        """As for the power."""
        self.power_off()

    def transmit(self, command: bytes) -> bytes:
        """Sends it on."""
        answer = self._connection.send(command)
        self._observer.exchanged(Exchange(command, answer, ""))
        return answer


@contextmanager
def relayed(reader: str, port: int, observer: Observer) -> Iterator[str]:
    """The card in a reader, put into the virtual reader at vpcd's ``port`` too. Gives the reader's name. PcscError."""
    name = pcsc.find_reader(reader)
    with Pcsc(name) as connection:
        slot = Slot(Relay(connection, observer), port)
        try:
            slot.insert()
            if not slot.wait_powered(pcsc.POWER_TIMEOUT):
                raise pcsc.PcscError(f"no virtual reader took the card at port {port} within {pcsc.POWER_TIMEOUT:g} s")
            yield name
        finally:
            slot.close()
