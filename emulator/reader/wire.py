"""The vpcd wire: both ways a 2-byte big-endian length and that many bytes of payload."""

from __future__ import annotations

import socket
from enum import IntEnum
from socket import IPPROTO_TCP

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

LENGTH = 2
"""Bytes of a frame before its payload."""
LARGEST = 65535
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
ONCE = 2
"""What came is acknowledged at once, and what comes next with the answer. Linux: an even value of TCP_QUICKACK that is
not 0 does not last.
"""


class Control(IntEnum):
    """A payload of one byte, which is not a command. Only ``ATR`` is answered."""

    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


class WireError(SscardError, ConnectionError):
    """Bytes that are no frames: what came, and what was expected."""

    kind = ErrorKind.BROKEN


class Wire:
    """Frames over a connected stream socket.

    The driver sends length and payload in two writes and holds the second back until the first is acknowledged, so a
    delayed acknowledgement would cost 40 ms a command. The kernel does not remember that it is to be quick, so it is
    told after every length; and after a payload of one byte, a control, which as a rule nothing answers. Any other
    payload is acknowledged by its answer.

    Never is more read than the frame under way has, so that there is nothing to keep, cut or put together for a payload
    that comes whole.
    """

    __slots__ = ("_quick", "_receive", "_send", "_set_option")

    def __init__(self, stream: socket.socket) -> None:
        # One command takes little longer than looking these up.
        self._receive, self._send, self._set_option = stream.recv, stream.sendall, stream.setsockopt
        tcp = stream.family != getattr(socket, "AF_UNIX", None)
        self._quick = _QUICKACK if tcp else None
        if tcp:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self) -> bytes | None:
        """The next payload, however it was split on the way; None once the other side has closed. WireError."""
        receive, quick = self._receive, self._quick
        length = receive(LENGTH)
        if len(length) < LENGTH:
            if not length:
                return None
            length = self._rest(length, LENGTH, 0)
        size = length[0] << 8 | length[1]
        if not size:
            raise WireError(_("a frame of zero bytes came, expected 1 to 65535"))
        if quick is not None:
            self._set_option(IPPROTO_TCP, quick, ONCE)
        payload = receive(size)
        if len(payload) < size:
            payload = self._rest(payload, size, LENGTH)
        if size == 1 and quick is not None:
            self._set_option(IPPROTO_TCP, quick, ONCE)
        return payload

    def _rest(self, came: bytes, size: int, before: int) -> bytes:
        """``came`` and what is missing of ``size`` bytes, of a frame of which ``before`` bytes came earlier."""
        while len(came) < size:
            if self._quick is not None:
                self._set_option(IPPROTO_TCP, self._quick, ONCE)
            more = self._receive(size - len(came))
            if not more:
                raise WireError(
                    _("the connection ended inside a frame, {count} bytes into it").format(count=before + len(came))
                )
            came += more
        return came

    def send(self, payload: bytes) -> None:
        """One frame in one piece. ValueError beyond 65535 bytes."""
        size = len(payload)
        if not size or size > LARGEST:
            raise ValueError(_("a frame carries 1 to {most} bytes, not {size}").format(most=LARGEST, size=size))
        self._send(size.to_bytes(LENGTH, "big") + payload)
