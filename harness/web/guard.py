"""What stands before every service: who may call it, how often, and with how much."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY_VIOLATION = 1008
PORT = re.compile(r":[0-9]+$")


class Guard:
    """ASGI middleware. A browser's page may call only from its own or a named origin; a program sends no Origin.

    ``hosts``: what the service is called, as a Host header has it; 400 for another name, which a page may have bound to
    this machine. ``rate``: requests of one client, as ``1200/minute``; 429 beyond. ``body_limit``: bytes of one
    request; 413 beyond.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Sequence[str], origins: Sequence[str], rate: str, body_limit: int
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        self._rate = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            await _refuse(scope, receive, send, *refused)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        body = await self._whole(receive)
        if body is None:
            await _refuse(scope, receive, send, *self._too_large())
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, again, send)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin, host = headers.get("origin"), headers.get("host", "").lower()
        if PORT.sub("", host) not in self._hosts:
            return 400, "host", "the service is not called so: use the address that it says it listens at"
        own = {f"http://{host}", f"https://{host}"}
        if origin is not None and origin not in self._origins | own:
            return 403, "origin", "pages of this origin may not call: name it with --origin"
        client = (scope.get("client") or ("unknown",))[0]
        if not self._limiter.hit(self._rate, client):
            return 429, "rate", f"more than {self._rate} requests from one client"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._body_limit:
            return self._too_large()
        return None

    def _too_large(self) -> tuple[int, str, str]:
        return 413, "size", f"a request holds up to {self._body_limit} bytes"

    async def _whole(self, receive: Receive) -> bytes | None:
        """The body, which may come without a length; None if it is too long."""
        body = b""
        while True:
            message = await receive()
            body += bytes(message.get("body", b""))
            if len(body) > self._body_limit:
                return None
            if not message.get("more_body"):
                return body


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, kind: str, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the handshake
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": text})
        return
    body = json.dumps({"error": {"kind": kind, "text": text}}).encode()
    headers = [(b"content-type", b"application/json")]
    if status == 429:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
