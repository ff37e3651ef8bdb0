"""A small TCP proxy between a card and a far reader: it delays, stalls and cuts."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)
TO_READER, TO_CARD = "to the reader", "to the card"
"""Which way bytes go: the card connects to the proxy, and the proxy to the reader."""


class Proxied:
    """One connection through the proxy."""

    def __init__(self, card: socket.socket, reader: socket.socket) -> None:
        self.ends = {TO_READER: (card, reader), TO_CARD: (reader, card)}

    def close(self, *, reset: bool) -> None:
        for one, _ in self.ends.values():
            with contextlib.suppress(OSError):
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                # Whoever waits for bytes holds the socket open: he is woken first.
                one.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            one.close()


class Proxy:
    """Listens on a port of this network, and hands on to ``reader``. What goes wrong is chosen while it runs."""

    def __init__(self, reader: tuple[str, int]) -> None:
        self._reader = reader
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.latency = 0.0
        """Seconds that each piece takes, either way."""
        self._stall = 0.0
        self._cut: tuple[str, int, bool] | None = None
        self._open: list[Proxied] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.cuts = 0
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def cut(self, *, reset: bool = True) -> None:
        """Ends all connections: by a reset, or as if both sides had closed."""
        with self._lock:
            for one in self._open:
                one.close(reset=reset)
            self._open.clear()
            self.cuts += 1

    def cut_at(self, way: str, least: int, *, reset: bool = True) -> None:
        """Cuts once, before the last byte of the next piece of at least so many bytes that goes this way."""
        self._cut = way, least, reset

    def stall(self, seconds: float) -> None:
        """The next piece, either way, takes so long."""
        self._stall = seconds

    def close(self) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for one in self._threads:
            one.join(5)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                card, _ = self._listener.accept()
            except OSError:
                return
            try:
                reader = socket.create_connection(self._reader, 5)
            except OSError:
                card.close()
                continue
            reader.settimeout(None)
            one = Proxied(card, reader)
            with self._lock:
                self._open.append(one)
            for way in (TO_READER, TO_CARD):
                self._start(self._hand_on, one, way)

    def _hand_on(self, one: Proxied, way: str) -> None:
        source, target = one.ends[way]
        with contextlib.suppress(OSError):
            while piece := source.recv(CHUNK):
                wait, self._stall = self.latency + self._stall, 0.0
                if wait:
                    self._ended.wait(wait)
                cut = self._cut
                if cut is not None and cut[0] == way and len(piece) >= cut[1]:
                    self._cut = None
                    target.sendall(piece[:-1])
                    self.cut(reset=cut[2])
                    return
                target.sendall(piece)
        with self._lock:
            if one in self._open:
                self._open.remove(one)
                one.close(reset=False)


@contextlib.contextmanager
def proxied(reader: tuple[str, int]) -> Iterator[Proxy]:
    """A proxy before this reader, gone at the end."""
    proxy = Proxy(reader)
    try:
        yield proxy
    finally:
        proxy.close()
