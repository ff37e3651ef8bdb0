"""Recording a session with a card in a reader: it is relayed into a virtual reader, and what passes is written down.

PC/SC lets no program listen to another's session, so the software under test talks to the virtual reader instead.
"""

from __future__ import annotations

from emulator.chip import Exchange, Observer
from harness.connection import Connection


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

    def transmit(self, command: bytes) -> bytes:
        """Sends it on."""
        answer = self._connection.send(command)
        self._observer.exchanged(Exchange(command, answer, ""))
        return answer


class Discreet:
    """An observer that keeps a person's data from another: the values of records and bytes become zeros.

    Tags, lengths and status words stay, and the items 02 (class) and 03 (version) of SSSE/EF05, so that a recording can
    be replayed.
    """

    OPEN = (0x02, 0x03)
    READ = (0xB0, 0xB2)

    def __init__(self, inner: Observer) -> None:
        self._inner = inner
        self._command = b""

    def exchanged(self, exchange: Exchange) -> None:
        """Hands on one exchange, masked."""
        # GET RESPONSE brings what the command before it asked for.
        if exchange.command[1:2] != b"\xc0":
            self._command = exchange.command
        answer = exchange.answer
        if self._command[1:2] and self._command[1] in self.READ and len(answer) > 2:
            answer = self._blank(answer[:-2]) + answer[-2:]
        command = exchange.command
        if command[1:2] and command[1] in (0xD6, 0xDC) and len(command) > 7:
            command = command[:7] + bytes(len(command) - 7)
        self._inner.exchanged(Exchange(command, answer, exchange.reason))

    def _blank(self, data: bytes) -> bytes:
        if self._command[1] == 0xB0:
            return bytes(len(data))
        result, at = b"", 0
        while at < len(data):
            end = at + 2 + (data[at + 1] if at + 1 < len(data) else 0)
            record = data[at:end]
            result += record if record[0] in self.OPEN else record[:2] + bytes(len(record[2:]))
            at = end
        return result

    def powered(self, event: str, atr: bytes) -> None:
        """Hands on a reset, with an ATR whose serial number is zero."""
        self._inner.powered(event, atr[:-4] + bytes(4) if atr else atr)
