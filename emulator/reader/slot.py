"""A slot: one card, put into the reader by connecting to its port and taken out by closing."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Protocol

from emulator import internal_fault
from emulator.errors import ErrorKind, SscardError
from emulator.reader.wire import Control, Wire

log = logging.getLogger(__name__)

FAULT = b"\x6f\x00"
CONTROLS = frozenset(Control)
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5
"""Seconds between attempts to connect. The longest is longer than the driver's 400 ms between looks: a card that comes
back sooner than that is taken for the one that was there, and never powered.
"""


class CardGone(SscardError):
    """The card left the reader at a command. ``answer`` still goes out, where there is one.

    The reader's call is only answered when the connection closes, ``seconds`` later. ``back``: the card is put in again
    after that.
    """

    kind = ErrorKind.BROKEN

    def __init__(self, why: str, *, answer: bytes = b"", seconds: float = 0.0, back: bool = True) -> None:
        super().__init__(why)
        self.answer = answer
        self.seconds = seconds
        self.back = back


class Card(Protocol):
    """What a slot needs of a card."""

    atr: bytes

    def power_on(self) -> bytes:
        """Gives the card power and resets it; returns the ATR."""

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""

    def power_off(self) -> None:
        """Takes the power, as the reader does."""

    def taken_out(self) -> None:
        """It left the reader: no power either."""

    def transmit(self, command: bytes) -> bytes:
        """The answer to one command, one byte at least. CardGone if the card leaves at it."""


class Slot:
    """Serves one card to the driver that listens on ``port``. Starts empty; one thread of its own, ended by ``close``.

    ``card`` is what ``insert`` puts in; it may be changed while the slot is empty.

    While a card is in, a lost connection is made anew for as long as it takes: pcscd may start later, or again.
    """

    def __init__(self, card: Card | None, port: int, host: str = "127.0.0.1") -> None:
        self.card = card
        self.address = (host, port)
        self._closing = False
        self._wanted = False
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._left = -LONGEST_PAUSE
        """When the card was last in, by the monotonic clock."""
        self._powered = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"slot on port {port}", daemon=True)
        self._thread.start()

    @property
    def inserted(self) -> bool:
        """True if the card is in, or on its way in."""
        return self._wanted

    def insert(self) -> None:
        """Puts the card in; does not wait for the reader to notice, which must have noticed a removal before."""
        with self._changed:
            if self.card is None:
                raise ValueError("there is no card to put in")
            self._wanted = True
            self._changed.notify_all()

    def remove(self, timeout: float = 5.0) -> None:
        """Takes the card out and waits until its connection is closed; never inside a frame. TimeoutError."""
        with self._changed:
            self._wanted = False
            self._hang_up()
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._socket is None, timeout):
                raise TimeoutError(f"the card on port {self.address[1]} is still at a command after {timeout:g} s")

    def close(self) -> None:
        """Takes the card out and ends the slot."""
        with self._changed:
            self._closing = True
            self._wanted = False
            self._hang_up()
            self._changed.notify_all()
        self._thread.join(5)

    def wait_powered(self, timeout: float) -> bool:
        """True once *this* insertion's connection was asked for its ATR and powered, false after ``timeout`` s."""
        return self._powered.wait(timeout)

    def _hang_up(self) -> None:
        """Ends receiving only: an answer under way still leaves whole, then the slot's thread closes."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RD)
            except OSError:
                log.debug("port %d: already gone", self.address[1])

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._wanted)
                # Who takes a card out and sees that PC/SC has none may still be before the driver's next look.
                out = self._left + LONGEST_PAUSE - time.monotonic()
                self._changed.wait_for(lambda: self._closing or not self._wanted, max(0.0, out))
                if self._closing:
                    return
                if not self._wanted:
                    continue
            connection = self._connect()
            if connection is None or self.card is None:
                rest, pause = pause, min(2 * pause, LONGEST_PAUSE)
            else:
                self._serve(connection, self.card)
                rest, pause = LONGEST_PAUSE, FIRST_PAUSE
            with self._changed:
                self._changed.wait_for(lambda: self._closing or not self._wanted, rest)

    def _connect(self) -> socket.socket | None:
        try:
            connection = socket.create_connection(self.address, timeout=5)
        except OSError as error:
            log.debug("port %d: %s", self.address[1], error)
            return None
        connection.settimeout(None)
        with self._changed:
            if self._wanted and not self._closing:
                self._socket = connection
                return connection
        connection.close()
        return None

    def _serve(self, connection: socket.socket, card: Card) -> None:
        """Answers frames until either side ends it."""
        try:
            self._answer_all(Wire(connection), card)
        except CardGone as gone:
            log.info("port %d: %s", self.address[1], gone)
            with self._changed:
                self._changed.wait_for(lambda: self._closing or not self._wanted, gone.seconds)
                self._wanted = self._wanted and gone.back
        except OSError as error:
            # A broken frame ends this connection, not the program; the card comes in anew.
            log.warning("port %d: %s", self.address[1], error)
        finally:
            self._powered.clear()
            card.taken_out()
            with self._changed:
                connection.close()
                self._socket, self._left = None, time.monotonic()
                self._changed.notify_all()

    def _answer_all(self, wire: Wire, card: Card) -> None:
        receive, send, transmit = wire.receive, wire.send, card.transmit
        asked = False
        while (frame := receive()) is not None:
            if len(frame) > 1 or frame[0] not in CONTROLS:
                try:
                    answer = transmit(frame)
                except CardGone as gone:
                    if gone.answer:
                        send(gone.answer)
                    raise
                except Exception as error:  # no byte at all would hang every PC/SC call: the card answers, always
                    internal_fault.log(error, log)
                    answer = FAULT
                try:
                    send(answer)
                except ValueError:  # none, or more than a frame carries
                    send(FAULT)
            elif frame[0] == Control.ATR:
                send(card.atr)
                asked = True
            elif frame[0] == Control.ON:
                card.power_on()
                if asked:
                    self._powered.set()
            elif frame[0] == Control.RESET:
                card.reset()
                # Windows resets and never says ON.
                if asked:
                    self._powered.set()
            else:
                card.power_off()
