"""Readers of one program alone: a pcscd with a socket of its own, and cards in it that were put in beforehand.

Where this process may (as root), pcscd is started in a network of its own, as vpcd listens on every interface: nobody
else reaches its ports, and no two runs can want the same. Elsewhere ports are taken that are free.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.messages import _
from emulator.reader.slot import Card, Slot
from harness.readers import names, pcsc
from harness.serving import control

NEW_NETWORK = 0x40000000
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1
"""Of interfaces, by ioctl."""
OWN_NETWORK = Path("/proc/thread-self/ns/net")
SOCKET = "pcscd.comm"


@contextlib.contextmanager
def own_network() -> Iterator[bool]:
    """What this thread starts within, processes and threads, has a network of its own, loopback alone. False where
    this process may not make one, and then all is as it was.
    """
    if not sys.platform.startswith("linux"):
        yield False
        return
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(OWN_NETWORK, os.O_RDONLY)
    try:
        if libc.unshare(NEW_NETWORK) != 0:
            yield False
            return
        try:
            _raise_loopback()
            yield True
        finally:
            if libc.setns(before, NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), _("this thread cannot go back to its network"))
    finally:
        os.close(before)


def _raise_loopback() -> None:
    if sys.platform == "win32":
        return
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("16xh", fcntl.ioctl(any_socket, GET_FLAGS, asked))
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


class Exchangeable:
    """A card whose place another takes, unseen by the reader: what was put in beforehand becomes the card of a run.

    Both have one ATR; the new one is powered as the old one was since it was put in. ``taken``: its ATR was asked for
    after it was powered, which is the last that pcscd does before it says that a card is there.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._atr = card.atr
        self.taken = threading.Event()
        self._lock = threading.RLock()
        self._put_in = self._powered = False

    @property
    def atr(self) -> bytes:
        """Returns the answer to reset, as a reader asks for it."""
        if self._put_in:
            self.taken.set()
        return self._atr

    @atr.setter
    def atr(self, atr: bytes) -> None:
        self._atr = atr

    def exchange(self, card: Card) -> None:
        """Puts another card in the old one's place. ValueError where a reader would see that it is another."""
        if card.atr != self._atr:
            raise ValueError(_("a card with another ATR cannot take this one's place"))
        with self._lock:
            self._card = card
            if self._put_in:
                card.power_on()
                if not self._powered:
                    card.power_off()

    def power_on(self) -> bytes:
        """Gives the card power and resets it; returns the ATR."""
        with self._lock:
            self._put_in = self._powered = True
            return self._card.power_on()

    def reset(self) -> bytes:
        """Resets the card; returns the ATR."""
        with self._lock:
            self._put_in = self._powered = True
            return self._card.reset()

    def power_off(self) -> None:
        """Takes the power, as the reader does."""
        with self._lock:
            self._powered = False
            self._card.power_off()

    def taken_out(self) -> None:
        """It left the reader: no power either."""
        with self._lock:
            self._put_in = self._powered = False
            self.taken.clear()
            self._card.taken_out()

    def transmit(self, command: bytes) -> bytes:
        """The answer to one command. CardGone if the card leaves at it."""
        return self._card.transmit(command)


@dataclass(frozen=True, slots=True)
class PrivateReaders:
    """Readers with cards in them, and the PC/SC socket by which a program finds them; ``apart``: in a network of their
    own.
    """

    socket: Path
    slots: tuple[Slot, ...]
    process: subprocess.Popen[bytes]
    apart: bool

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find them."""
        return {pcsc.SOCKET_VARIABLE: str(self.socket)}

    def wait(self) -> None:
        """Waits until pcscd has taken every card. PcscError."""
        for slot in self.slots:
            card, left = slot.card, pcsc.POWER_TIMEOUT
            if not (slot.wait_powered(left) and (not isinstance(card, Exchangeable) or card.taken.wait(left))):
                raise pcsc.PcscError(
                    _(
                        "the private pcscd did not take the card within {seconds:g} s (exit code {code}): see "
                        "`sscard doctor`"
                    ).format(seconds=pcsc.POWER_TIMEOUT, code=self.process.poll())
                )


@contextlib.contextmanager
def private_readers(
    cards: Sequence[Card], folder: Path, arranged: names.Arrangement | None = None
) -> Iterator[PrivateReaders]:  # fmt: skip
    """A pcscd of its own with these cards on their way into its readers: ``wait`` says when they are in. ``folder``: of
    its socket; ``arranged``: its readers, the usual ones where it is not said. PcscError where there can be none.
    """
    if lacking := [one for one in pcsc.missing() if one.what != "pyscard"]:  # a program need not be written in Python
        raise pcsc.PcscError("; ".join(map(str, lacking)))
    path, arranged = folder / SOCKET, arranged or pcsc.usual(len(cards))
    with contextlib.ExitStack() as stack:
        with own_network() as apart:
            with contextlib.nullcontext() if apart else control.starting():
                port = pcsc.DEFAULT_PORT if apart else pcsc.free_port(arranged.ports)
                process = stack.enter_context(pcsc.starting(arranged, port, path))
                ports = [port + offset for __, offset in arranged.used]
                if not apart:
                    pcsc.wait_listening(process, ports)
            slots = tuple(Slot(card, one) for card, one in zip(cards, ports, strict=True))
            for slot in slots:
                stack.callback(slot.close)
                slot.insert()
        yield PrivateReaders(path, slots, process, apart)
