"""The vpcd wire: both ways a 2-byte big-endian length and that many bytes of payload."""

from __future__ import annotations

import socket
from enum import IntEnum

from emulator.errors import ErrorKind, SscardError

LARGEST = 65535
SHORTEST = 3
"""Bytes of a frame whose payload is one byte: a control, which as a rule nothing answers."""
CHUNK = 65537
"""Bytes taken at once: the largest frame."""
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Control(IntEnum):
    """A payload of one byte that is no command. Only ``ATR`` is answered."""

    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


class WireError(SscardError, ConnectionError):
    """Bytes that are no frames: what came, and what was expected."""

    kind = ErrorKind.BROKEN


class Wire:
    """Frames over a connected stream socket.

    The driver sends length and body in two writes and holds the second back until the first is acknowledged, so a
    delayed acknowledgement would cost 40 ms a command. The kernel does not remember that it is to be quick, so it is
    told after every receive that leaves something to wait for; not for a whole command, whose answer acknowledges it.
    """

    __slots__ = ("_buffer", "_quick", "_receive", "_send", "_set_option")

    def __init__(self, stream: socket.socket) -> None:
        # One command takes little longer than looking these up.
        self._receive, self._send, self._set_option = stream.recv, stream.sendall, stream.setsockopt
        tcp = stream.family != getattr(socket, "AF_UNIX", None)
        self._quick = _QUICKACK if tcp else None
        self._buffer = b""
        if tcp:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self) -> bytes | None:
        """The next payload, however it was split on the way; None once the other side has closed. WireError."""
        buffer = self._buffer
        while True:
            size = len(buffer)
            if size >= 2:
                end = 2 + (buffer[0] << 8 | buffer[1])
                if end == 2:
                    raise WireError("a frame of zero bytes came, expected 1 to 65535")
                if size >= end:
                    self._buffer = buffer[end:]
                    if end == SHORTEST:
                        self._acknowledge()
                    return buffer[2:end]
            if size:
                self._acknowledge()
            chunk = self._receive(CHUNK)
            if not chunk:
                if buffer:
                    raise WireError(f"the connection ended inside a frame, {size} bytes into it")
                return None
            buffer = buffer + chunk if buffer else chunk

    def _acknowledge(self) -> None:
        """What came is acknowledged at once: no answer that would do it leaves before the driver is to send more."""
        if self._quick is not None:
            self._set_option(socket.IPPROTO_TCP, self._quick, 1)

    def send(self, payload: bytes) -> None:
        """One frame in one piece. ValueError beyond 65535 bytes."""
        size = len(payload)
        if not 0 < size <= LARGEST:
            raise ValueError(f"a frame carries 1 to {LARGEST} bytes, not {size}")
        self._send(size.to_bytes(2, "big") + payload)
