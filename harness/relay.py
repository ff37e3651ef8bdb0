"""Recording a session with a card in a reader: it is relayed into a virtual reader, and what passes is written down.

PC/SC lets no program listen to another's session, so the software under test talks to the virtual reader instead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from emulator.chip import Exchange, Observer, told
from emulator.filesystem.specs import Layout
from emulator.reader.slot import LONGEST_PAUSE, CardGone, Slot
from harness import pcsc
from harness.connection import Connection, Pcsc
from harness.pcsc import PcscError
from harness.terminal.keeper import TerminalError
from harness.terminal.terminal import Terminal
from harness.trace.read import PSAM, named_layout
from harness.trace.record import Trace

log = logging.getLogger(__name__)

Watch = Callable[[Layout | None], Observer]
"""Makes the observer of a card that was put in, from the layout of the version that it says, if that is known."""
LOOK = 0.5
"""Seconds between two looks at whether all is to end."""


class Relay:
    """A card elsewhere, as a slot takes it. PC/SC cannot take its power: a reset stands for that.

    ``lost`` is set when the card does not answer any more; it leaves the slot then too.
    """

    def __init__(self, connection: Connection, observer: Observer) -> None:
        self._connection = connection
        self._observer: Observer | None = observer
        self._powered = False
        self.atr = connection.atr
        self.lost = threading.Event()

    def power_on(self) -> bytes:
        """A reset of the card; its ATR."""
        return self.reset()

    def reset(self) -> bytes:
        """A reset of the card; its ATR. CardGone."""
        try:
            self.atr = self._connection.reset()
        except PcscError as error:
            raise self._gone(error) from error
        self._powered = True
        self._observer = told(self._observer, lambda one: one.powered("reset", self.atr))
        return self.atr

    def power_off(self) -> None:
        """Noted; the next power_on resets."""
        if self._powered:
            self._observer = told(self._observer, lambda one: one.powered("off", b""))
        self._powered = False

    def taken_out(self) -> None:
        """As for the power."""
        self.power_off()

    def transmit(self, command: bytes) -> bytes:
        """Sends it on. CardGone."""
        try:
            answer = self._connection.send(command)
        except PcscError as error:
            self._see(Exchange(command, b"", f"no answer from the card: {error}"))
            raise self._gone(error) from error
        self._see(Exchange(command, answer, ""))
        return answer

    def _see(self, exchange: Exchange) -> None:
        self._observer = told(self._observer, lambda one: one.exchanged(exchange))

    def _gone(self, error: PcscError) -> CardGone:
        self.lost.set()
        return CardGone(str(error), back=False)


class _Follower:
    """Keeps the slot as the reader is: a card that leaves the one leaves the other, and comes back with it."""

    def __init__(self, reader: str, port: int, watch: Watch) -> None:
        self._reader, self._watch = reader, watch
        self._ending = threading.Event()
        self._connection: Pcsc | None = None
        self._relay = self._relayed()
        self.slot = Slot(self._relay, port)
        self._thread = threading.Thread(target=self._follow, name=f"relay of {reader}", daemon=True)

    def _relayed(self) -> Relay:
        """The card that is in the reader now. PcscError."""
        self._let_go()
        self._connection = Pcsc(self._reader)
        try:
            return Relay(self._connection, self._watch(layout_of(self._connection)))
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def begin(self) -> None:
        """Puts the card in. PcscError where no virtual reader takes it."""
        self.slot.insert()
        if not self.slot.wait_powered(pcsc.POWER_TIMEOUT):
            port = self.slot.address[1]
            raise PcscError(f"no virtual reader took the card at port {port} within {pcsc.POWER_TIMEOUT:g} s")
        self._thread.start()

    def close(self) -> None:
        """Takes the card out and lets it go."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self.slot.close()
        self._let_go()

    def _follow(self) -> None:
        try:
            while not self._ending.is_set():
                if self._relay.lost.is_set() or pcsc.wait_card(self._reader, present=False, timeout=LOOK):
                    log.info("%s: the card left", self._reader)
                    self.slot.remove()
                    self._ending.wait(LONGEST_PAUSE)  # the virtual reader is to see that it left
                    self._come_back()
        except PcscError as error:
            log.warning("%s: %s", self._reader, error)

    def _come_back(self) -> None:
        while not self._ending.is_set():
            if not pcsc.wait_card(self._reader, timeout=LOOK):
                continue
            try:
                self.slot.card = self._relay = self._relayed()
            except PcscError as error:  # it left again, or is not settled yet
                log.info("%s: %s", self._reader, error)
                self._ending.wait(LOOK)
                continue
            self.slot.insert()
            return


def layout_of(connection: Connection) -> Layout | None:
    """The layout of a card by the version that it says; None if it says none, or one that is not known."""
    terminal = Terminal(connection)
    try:
        terminal.begin()
    except (TerminalError, ValueError):
        return None
    return terminal.layout


@contextmanager
def relayed_both(reader: str, psam_reader: str | None, port: int, trace: Trace, layout: Layout | None) -> Iterator[str]:
    """A user's card, by this layout or the one that it says, as slot 0 of a trace; a PSAM, if one is named, as slot 1,
    at the next port. Gives the card's reader.
    """
    with ExitStack() as stack:
        name = stack.enter_context(relayed(reader, port, lambda told: trace.slot(0, layout=layout or told)))
        if psam_reader is not None:
            psam = named_layout(PSAM)
            stack.enter_context(relayed(psam_reader, port + 1, lambda _: trace.slot(1, layout=psam)))
        yield name


@contextmanager
def relayed(reader: str, port: int, watch: Watch) -> Iterator[str]:
    """The card in a reader, put into the virtual reader at vpcd's ``port`` too. Gives the reader's name. PcscError."""
    name = pcsc.find_reader(reader)
    follower = _Follower(name, port, watch)
    try:
        follower.begin()
        yield name
    finally:
        follower.close()
