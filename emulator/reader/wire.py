"""The vpcd wire: both ways a 2-byte big-endian length and that many bytes of payload."""

from __future__ import annotations

import socket
from enum import IntEnum

from emulator.errors import ErrorKind, SscardError

LARGEST = 65535
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

    The driver sends length and body in two writes, so a delayed acknowledgement would cost 40 ms a command: it is
    switched off after every receive, since the kernel does not remember.
    """

    __slots__ = ("_buffer", "_socket", "_stream")

    def __init__(self, stream: socket.socket) -> None:
        self._socket = stream
        self._stream = stream.family != getattr(socket, "AF_UNIX", None)
        self._buffer = b""
        if self._stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self) -> bytes | None:
        """The next payload, however it was split on the way; None once the other side has closed. WireError."""
        buffer = self._buffer
        while True:
            if len(buffer) >= 2:
                end = 2 + (buffer[0] << 8 | buffer[1])
                if end == 2:
                    raise WireError("a frame of zero bytes came, expected 1 to 65535")
                if len(buffer) >= end:
                    self._buffer = buffer[end:]
                    return buffer[2:end]
            chunk = self._socket.recv(65537)
            if _QUICKACK is not None and self._stream:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            if not chunk:
                if buffer:
                    raise WireError(f"the connection ended inside a frame, {len(buffer)} bytes into it")
                return None
            buffer = buffer + chunk if buffer else chunk

    def send(self, payload: bytes) -> None:
        """One frame in one piece. ValueError beyond 65535 bytes."""
        if not 0 < len(payload) <= LARGEST:
            raise ValueError(f"a frame carries 1 to {LARGEST} bytes, not {len(payload)}")
        self._socket.sendall(len(payload).to_bytes(2, "big") + payload)
