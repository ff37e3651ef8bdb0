"""A request refused at the door, before any route sees it, in the shape of every refusal."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from harness.web.observed import note

POLICY_VIOLATION = 1008
LINGER_BYTES = 256 * 1024
LINGER = 2.0
"""What of an unwanted body is still read and thrown away, in bytes and seconds, so that a client that is sending gets
to read why: closing at once would reset its connection. [D]"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``status`` of HTTP, ``kind`` for programs, ``text`` for people; it never quotes what was sent."""

    status: int
    kind: str
    text: str

    @property
    def body(self) -> bytes:
        """Returns the refusal as JSON, in UTF-8."""
        return json.dumps({"error": {"kind": self.kind, "text": self.text}}, ensure_ascii=False).encode()

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Of the answer. The connection ends: the rest of what was sent is not read."""
        found = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
            (b"connection", b"close"),
        ]
        if self.status in (429, 503):
            found.append((b"retry-after", b"1"))
        return found

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers so: a WebSocket is closed, a request gets status, kind and text."""
        note(scope, kind=self.kind)
        if scope["type"] == "websocket":
            await receive()  # the handshake
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": self.text})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await _discard(receive)
        await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    found = 0
    while found < LINGER_BYTES:
        message = await receive()
        found += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
