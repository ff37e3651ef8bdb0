"""A slot: one card, put into the reader by a connection with its driver and taken out by closing it."""

from __future__ import annotations

import contextlib
import logging
import math
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from emulator import internal_fault
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.reader.line import HERE, Line
from emulator.reader.wire import Control, Wire, WireError

log = logging.getLogger(__name__)

FAULT = b"\x6f\x00"
CONTROLS = frozenset(Control)
FIRST_PAUSE = 0.01
"""Seconds between the first two attempts to connect; the pause doubles up to the line's."""
SHUTDOWN_WAKES = sys.platform != "win32"
"""Who waits for bytes is woken where receiving is ended; Windows lets him wait."""
LOOK = 0.1
"""Seconds between two looks at whether this side has hung up, where nothing wakes it."""
LONGEST_PAUSE = Line.pause
"""Seconds that a card that left a driver of this machine stays out."""


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


class NotPoweredError(WireError):
    """A far driver sent a command to a card that it has not powered since this one came."""


class Slot:
    """Serves one card to the driver at the end of a line. Starts empty; one thread of its own, ended by ``close``.

    ``card`` is what ``insert`` puts in; it may be changed while the slot is empty. ``line``: how its driver is reached,
    or the port of the one that listens on this machine.

    While a card is in, a lost connection is made anew for as long as it takes: the driver may start later, or again.
    The card has lost its power then, and an answer that was not delivered is forgotten with its connection.
    """

    def __init__(self, card: Card | None, line: Line | int) -> None:
        self.card = card
        self.line = Line(HERE, line) if isinstance(line, int) else line
        self.trouble: Exception | None = None
        """Why there is no connection, or why the last one ended, unless the card was taken out."""
        self.takes = 0
        """How often a driver has powered the card after it came."""
        self._closing = False
        self._wanted = False
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._hung_up = False
        self._left = -math.inf
        """When the card was last in, by the monotonic clock."""
        self._powered = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"slot on port {self.line.port}", daemon=True)
        self._thread.start()

    @property
    def inserted(self) -> bool:
        """True if the card is in, or on its way in."""
        return self._wanted

    def insert(self) -> None:
        """Puts the card in; does not wait for the reader to notice, which must have noticed a removal before."""
        with self._changed:
            if self.card is None:
                raise ValueError(_("there is no card to put in"))
            self._wanted = True
            self._changed.notify_all()

    def remove(self, timeout: float = 5.0) -> None:
        """Takes the card out and waits until its connection is closed; never inside a frame. TimeoutError."""
        with self._changed:
            self._wanted = False
            self._hang_up()
            self._changed.notify_all()
            self.line.cancel()
            if not self._changed.wait_for(lambda: self._socket is None, timeout):
                raise TimeoutError(
                    _("the card on port {port} is still at a command after {seconds:g} s").format(
                        port=self.line.port, seconds=timeout
                    )
                )

    def close(self) -> None:
        """Takes the card out and ends the slot."""
        with self._changed:
            self._closing = True
            self._wanted = False
            self._hang_up()
            self._changed.notify_all()
            self.line.cancel()
        self._thread.join(5)
        self.line.close()

    @property
    def powered(self) -> bool:
        """True while a driver that has powered the card is connected."""
        return self._powered.is_set()

    def wait_powered(self, timeout: float) -> bool:
        """True once *this* insertion's connection was asked for its ATR and powered, false after ``timeout`` s."""
        return self._powered.wait(timeout)

    def _hang_up(self) -> None:
        """Ends receiving only: an answer under way still leaves whole, then the slot's thread closes."""
        if self._socket is not None:
            self._hung_up = True
            if not SHUTDOWN_WAKES:
                return
            try:
                self._socket.shutdown(socket.SHUT_RD)
            except OSError:
                log.debug("%s: already gone", self.line.name)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._wanted)
                # Who takes a card out and sees that PC/SC has none may still be before the driver's next look.
                out = self._left + self.line.pause - time.monotonic()
                self._changed.wait_for(lambda: self._closing or not self._wanted, max(0.0, out))
                if self._closing:
                    return
                if not self._wanted:
                    continue
            connection = self._connect()
            if connection is None or self.card is None:
                rest, pause = pause, min(2 * pause, self.line.pause)
            else:
                left = self._serve(connection, self.card) or not self.line.connects
                rest, pause = self.line.pause if left else 0.0, FIRST_PAUSE
                self._left = time.monotonic() if left else -math.inf
            with self._changed:
                self._changed.wait_for(lambda: self._closing or not self._wanted, rest)

    def _connect(self) -> socket.socket | None:
        try:
            connection = self.line.connect(lambda: self._wanted and not self._closing)
        except OSError as error:
            log.debug("%s: %s", self.line.name, error)
            self.trouble = error
            return None
        if connection is None:
            return None
        connection.settimeout(self.line.silence)
        with self._changed:
            if self._wanted and not self._closing:
                self._socket, self._hung_up = connection, False
                return connection
        connection.close()
        return None

    def _serve(self, connection: socket.socket, card: Card) -> bool:
        """Answers frames until either side ends it; true if this one did."""
        broken = left = False
        try:
            with self._heard():
                self._answer_all(connection, card)
            left = self._hung_up
            self.trouble = None if left else WireError(_("the driver closed the connection"))
        except CardGone as gone:
            left = True
            log.info("%s: %s", self.line.name, gone)
            self.trouble = gone
            with self._changed:
                self._changed.wait_for(lambda: self._closing or not self._wanted, gone.seconds)
                self._wanted = self._wanted and gone.back
        except OSError as error:
            # A broken frame ends this connection, not the program; the card comes in anew.
            log.log(logging.INFO if self.line.far else logging.WARNING, "%s: %s", self.line.name, error)
            broken, left, self.trouble = True, isinstance(error, NotPoweredError), error
        finally:
            taken = self._powered.is_set()
            self._powered.clear()
            card.taken_out()
            with self._changed:
                self.line.end(connection, broken=broken, taken=taken)
                self._socket = None
                self._changed.notify_all()
        return left

    def _take(self) -> None:
        """A driver has powered the card."""
        if not self._powered.is_set():
            self.takes += 1
            self._powered.set()

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        """Says for how long nothing was heard of the driver, where that ends it. TimeoutError."""
        try:
            yield
        except TimeoutError:
            raise TimeoutError(
                _("no word from the driver for {seconds:g} s").format(seconds=self.line.silence or 0)
            ) from None

    def _awaited(self, connection: socket.socket, wire: Wire) -> bytes | None:
        """The next payload as ``wire`` has it, where hanging up wakes nobody. None, or TimeoutError, as there."""
        silence = self.line.silence
        deadline = math.inf if silence is None else time.monotonic() + silence
        while not self._hung_up:
            if select.select([connection], [], [], LOOK)[0]:
                return wire.receive()
            if time.monotonic() >= deadline:
                raise TimeoutError
        return None

    def _answer_all(self, connection: socket.socket, card: Card) -> None:
        wire = Wire(connection)
        receive, send, transmit = wire.receive, wire.send, card.transmit
        if not SHUTDOWN_WAKES:
            receive = partial(self._awaited, connection, wire)
        far, asked = self.line.far, False
        while (frame := receive()) is not None:
            if len(frame) > 1 or frame[0] not in CONTROLS:
                if far and not self._powered.is_set():
                    raise NotPoweredError(
                        _("a command came for a card that left: the driver has not noticed that it did")
                    )
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
                    self._take()
            elif frame[0] == Control.RESET:
                card.reset()
                # Windows resets and never says ON.
                if asked:
                    self._take()
            else:
                card.power_off()
