"""A connection that somebody watches: what passes over it is told as a chip tells it."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from emulator.chip import Exchange, Observer, told
from emulator.interface import Interface, interface_of
from emulator.messages import because
from harness.readers.connection import Connection
from harness.readers.pcsc import PcscError

READERS_CLASS = 0xFF
"""Of commands, where a card is in a field: its reader's, and the card never sees them. [P: pcsc-part3]"""


@runtime_checkable
class ReaderObserver(Observer, Protocol):
    """An observer that is told of what a contactless reader answers by itself as well."""

    def reader_answered(self, exchange: Exchange) -> None:
        """A command was answered by the reader; it never reached the card."""


def told_of_reader(observer: Observer | None, exchange: Exchange) -> Observer | None:
    """Tells an observer of a reader's own answer, where it cares; gives the observer to tell the next time."""
    if isinstance(observer, ReaderObserver):
        return told(observer, lambda one: one.reader_answered(exchange))
    return observer


class Observed:
    """Another connection, watched. An observer that fails changes nothing here, and is told no more."""

    def __init__(self, connection: Connection, observer: Observer) -> None:
        self._connection = connection
        self._observer: Observer | None = observer

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""
        return self._connection.atr

    def reset(self) -> bytes:
        """Resets the card; the ATR. PcscError."""
        atr = self._connection.reset()
        self._observer = told(self._observer, lambda one: one.powered("reset", atr))
        return atr

    def send(self, command: bytes) -> bytes:
        """The card's answer, status word included. PcscError, which the observer sees as an empty answer."""
        began = time.monotonic()
        try:
            answer = self._connection.send(command)
        except PcscError as error:
            self._see(command, b"", because(f"no answer from the card: {error}"), began)
            raise
        self._see(command, answer, "", began)
        return answer

    def _see(self, command: bytes, answer: bytes, reason: str, began: float) -> None:
        exchange = Exchange(command, answer, reason, seconds=time.monotonic() - began)
        if command[:1] == bytes((READERS_CLASS,)) and interface_of(self.atr) is Interface.CONTACTLESS:
            self._observer = told_of_reader(self._observer, exchange)
            return
        self._observer = told(self._observer, lambda one: one.exchanged(exchange))

    def off(self) -> None:
        """Tells that the card has no power any more; it is whoever holds the connection who takes it."""
        self._observer = told(self._observer, lambda one: one.powered("off", b""))

    def close(self) -> None:
        """Lets the card go, and tells the observer so."""
        self._connection.close()
        self.off()
