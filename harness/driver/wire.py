"""The wire between the C library and ``sscard driver serve``.

A frame is a length (4 bytes, big-endian, of what follows) and parts, each ended by a NUL byte.

- Greeting, from the server, once it can answer: ``0`` and ``SSCardDriver 1``; a code below 0 and its text where it
  takes no more clients, after which it closes.
- Request: function name, then its arguments in C order: an int in decimal, a string as the bytes that the caller gave,
  which are GBK or GB 18030 and reach the card as they are. A frame holds up to 262,144 bytes, one string up to 65,535.
  ``iScriptPad`` is a request like the others.
- Answer: the code in decimal, pOutInfo with the bytes that the card holds, up to 4,095 bytes; 65,535 where transparent
  files were asked for whole; more is code -42 and an empty string.

One connection is one client: its PIN pad and its steps with an encryption machine live and die with it. A frame that
is not valid gets -23, an unknown function -13, wrong arguments -14, and the connection lives on; a length that
is not valid gets -23 and the connection ends, as where the next frame begins is not known any more.
"""

from __future__ import annotations

import socket
import struct
import time

from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.text import decode, encode, start_nothing
from emulator.messages import _
from harness.driver.codes import Code, DriverError, words
from harness.driver.interface import IN_MOST, OUT_MOST

GREETING = (0, "SSCardDriver 1")
REQUEST_MOST = 4 * IN_MOST
FRAME_TIMEOUT = 10.0
"""Seconds within which a frame that has begun is there as a whole. [D]"""
_LENGTH = struct.Struct(">I")


class Ended(SscardError):
    """The other side went, or sent what cannot be understood any more."""

    kind = ErrorKind.BROKEN


def frame(*parts: bytes) -> bytes:
    """Returns parts as one frame: a length of 4 bytes, then each part ended by a zero."""
    body = b"".join(part + b"\0" for part in parts)
    return _LENGTH.pack(len(body)) + body


def answer(code: int, text: str, most: int = OUT_MOST) -> bytes:
    """An answer as a frame, its text of fewer than ``most`` bytes. A NUL in a card's data would end the string in C, so
    it ends it here.
    """
    out = encode(text, "replace").partition(b"\0")[0]
    if len(out) >= most:
        code, out = Code.BAD_LENGTH, b""
    return frame(str(int(code)).encode(), out)


def request(body: bytes) -> tuple[str, list[str]]:
    """Returns a frame's body as function name and arguments. DriverError -23 for a body that is not valid, -41 for
    bytes that begin no character.

    A character that is cut is none of those: what a card gave goes back to it.
    """
    if not body.endswith(b"\0"):
        raise DriverError(Code.BAD_INPUT, _("{words}: no frame").format(words=words(Code.BAD_INPUT)))
    if start_nothing(body):
        raise DriverError(Code.ILLEGAL_CHARACTER)
    name, *arguments = map(decode, body[:-1].split(b"\0"))
    return name, arguments


def receive(link: socket.socket, most: int = REQUEST_MOST) -> bytes:
    """The next frame's body, however long the other side keeps still; Ended. -23 where its length is not valid."""
    link.settimeout(None)
    first = link.recv(1)
    deadline = time.monotonic() + FRAME_TIMEOUT
    (length,) = _LENGTH.unpack(first + _exactly(link, _LENGTH.size - 1, deadline) if first else _closed())
    if not 0 < length <= most:
        raise DriverError(
            Code.BAD_INPUT, _("{words}: a frame holds 1 to {most} bytes").format(words=words(Code.BAD_INPUT), most=most)
        )
    return _exactly(link, length, deadline)


def send(link: socket.socket, data: bytes) -> None:
    """A frame, to a side that takes it in time; OSError."""
    link.settimeout(FRAME_TIMEOUT)
    link.sendall(data)


def _closed() -> bytes:
    raise Ended


def _exactly(link: socket.socket, size: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < size:
        link.settimeout(max(0.001, deadline - time.monotonic()))
        found += link.recv(size - len(found)) or _closed()
    return bytes(found)
