"""Recording a session with a card in a reader: it is relayed into a virtual reader, and what passes is written down.

PC/SC lets no program listen to another's session, so the software under test talks to the virtual reader instead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from emulator import catalogue
from emulator.chip import Observer
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from emulator.reader.slot import LONGEST_PAUSE, CardGone, Slot
from harness.readers import pcsc
from harness.readers.connection import Connection, Pcsc
from harness.readers.observed import Observed
from harness.readers.pcsc import PcscError
from harness.terminal.terminal import layout_of
from harness.trace.read import PSAM
from harness.trace.record import Trace

log = logging.getLogger(__name__)

Watch = Callable[[Layout | None], Observer]
"""Makes the observer of a card that was put in, from the layout of the version that it says, if that is known."""
LOOK = 0.5
"""Seconds between two looks at whether all is to end."""
SHOWN = 3.0
"""Seconds within which PC/SC shows a card that a virtual reader has taken."""


class Relay:
    """A card elsewhere, as a slot takes it. PC/SC cannot take its power: a reset stands for that.

    ``lost`` is set when the card does not answer any more; it leaves the slot then too.
    """

    def __init__(self, connection: Connection, observer: Observer) -> None:
        self._connection = Observed(connection, observer)
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
        return self.atr

    def power_off(self) -> None:
        """Takes the power, once; the next ``power_on`` resets."""
        if self._powered:
            self._connection.off()
        self._powered = False

    def taken_out(self) -> None:
        """Takes the power, as a reader does to a card that is pulled out."""
        self.power_off()

    def transmit(self, command: bytes) -> bytes:
        """Sends a command on; returns the answer. CardGone where the other reader fails."""
        try:
            return self._connection.send(command)
        except PcscError as error:
            raise self._gone(error) from error

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

    def begin(self) -> str:
        """Puts the card in; the reader that it is in now, empty where this program's PC/SC does not show it. PcscError
        where no virtual reader takes it.
        """
        before = set(pcsc.present())
        self.slot.insert()
        if not self.slot.wait_powered(pcsc.POWER_TIMEOUT):
            port = self.slot.line.port
            raise PcscError(
                _("no virtual reader took the card at port {port} within {power_timeout:g} s").format(
                    port=port, power_timeout=pcsc.POWER_TIMEOUT
                )
            )
        self._thread.start()
        deadline = time.monotonic() + SHOWN
        while time.monotonic() < deadline:
            if new := [one for one in pcsc.present() if one not in before]:
                return min(new, key=lambda one: not one.startswith(pcsc.READER_NAME))  # unless run named it otherwise
            time.sleep(LOOK / 10)
        return ""

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
                    log.warning("%s", _("{reader}: the card left; waiting for one").format(reader=self._reader))
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
            log.warning("%s", _("{reader}: a card is in again").format(reader=self._reader))
            return


@dataclass(frozen=True, slots=True)
class Relayed:
    """A card that is in two readers: the one that it was put into, and the virtual one, empty where PC/SC does not show
    it, at vpcd's ``port``.
    """

    reader: str
    virtual: str
    port: int

    def __str__(self) -> str:
        use = (
            _("reader {virtual!r}").format(virtual=self.virtual)
            if self.virtual
            else _("the virtual reader at port {port}").format(port=self.port)
        )
        return _("{reader}: let your software use {use} 请让软件使用{place}").format(
            reader=self.reader, use=use, place=self.virtual or self.port
        )


@contextmanager
def relayed_both(
    reader: str, psam_reader: str | None, ports: Sequence[int], trace: Trace, layout: Layout | None
) -> Iterator[list[Relayed]]:
    """A user's card, by this layout or the one that it says, as slot 0 of a trace; a PSAM, if one is named, as slot 1.
    ``ports``: vpcd's of the virtual readers that they go into. Gives both, the user's first.
    """
    with ExitStack() as stack:
        found = [stack.enter_context(relayed(reader, ports[0], lambda told: trace.slot(0, layout=layout or told)))]
        if psam_reader is not None:
            psam = catalogue.layout(PSAM)
            found.append(stack.enter_context(relayed(psam_reader, ports[1], lambda __: trace.slot(1, layout=psam))))
        yield found


@contextmanager
def relayed(reader: str, port: int, watch: Watch) -> Iterator[Relayed]:
    """The card in a reader, put into the virtual reader at vpcd's ``port`` too. PcscError."""
    name = pcsc.find_reader(reader)
    follower = _Follower(name, port, watch)
    try:
        yield Relayed(name, follower.begin(), port)
    finally:
        follower.close()
