"""A driver of vpcd's kind: it listens or connects, and speaks frames."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

DEADLINE = 30.0
ATR, ON = b"\4", b"\1"
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closed by a reset."""


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(2, "big") + payload


class Driver:
    """One connection with a card."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(DEADLINE)

    def ask(self, payload: bytes) -> bytes:
        """The answer to a command, or to the question for the ATR."""
        self.connection.sendall(frame(payload))
        return self._exactly(int.from_bytes(self._exactly(2), "big"))

    def power(self) -> bytes:
        """Asks for the ATR and powers the card, as pcscd has it; the ATR."""
        atr = self.ask(ATR)
        self.connection.sendall(frame(ON))
        return atr

    def gone(self) -> bool:
        """True if the card has closed the connection."""
        try:
            return self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def gone_at_once(self) -> bool:
        """True if the card turned this connection away: asked for its ATR it gives none."""
        try:
            self.connection.sendall(frame(ATR))
            return self.connection.recv(1, socket.MSG_PEEK) == b"" or self._exactly(2 + self._announced()) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True

    def _announced(self) -> int:
        return int.from_bytes(self.connection.recv(2, socket.MSG_PEEK), "big")

    def reset(self) -> None:
        """Breaks the connection off."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            assert more, "closed inside a frame"
            data += more
        return data


class Listening:
    """A driver that waits for cards on a port of loopback."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]

    def card(self) -> Driver:
        """The next connection of a card."""
        return Driver(self._listener.accept()[0])


@contextlib.contextmanager
def listening(port: int = 0, host: str = "127.0.0.1") -> Iterator[Listening]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        listener.settimeout(DEADLINE)
        yield Listening(listener)


def connected(port: int) -> Driver:
    """A driver that connects to a card that listens."""
    return Driver(socket.create_connection(("127.0.0.1", port), DEADLINE))
