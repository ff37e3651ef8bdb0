"""What stands before the routes of every service: who asks, how often, and with how much, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.errors import SscardError
from emulator.messages import _
from harness.web import refusals
from harness.web.limiter import Limiter
from harness.web.observed import address, note
from harness.web.refuse import Refusal

BODY_TIME = 30.0
"""Seconds within which a body is there as a whole. [D]"""
LENGTH_DIGITS = 12
HELD_MOST = 32 * 1024 * 1024
"""Bytes of all bodies that are held at once. [D]"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who asks. ``who``: a name that was proved, None for anybody; ``role``: what they may do. ``refusal``: why the
    request goes no further.
    """

    who: str | None = None
    role: str = ""
    refusal: Refusal | None = None


Admission = Callable[[Scope], Awaitable[Admitted]]
"""Looks at a request's head; its body has not been read, and need not ever come."""


async def anybody(_: Scope) -> Admitted:
    """The admission of a service that asks for no token."""
    return Admitted()


class Guard:
    """ASGI middleware. ``admit``: who asks, known by the head alone. ``rate``: requests of one client, as
    ``1200/minute``, by proved name, else by address; 429 beyond. ``body_limit``: bytes of one request; 413 beyond.

    A body comes in time, or 408, and as a whole: a request whose client went before its end is carried out by nobody.
    No header says who a client is: whatever stands before the service, it counts as one.
    """

    def __init__(
        self, app: ASGIApp, *, rate: str, body_limit: int, admit: Admission = anybody, body_time: float = BODY_TIME
    ) -> None:
        self._app = app
        self._admit = admit
        self._limiter = Limiter(rate)
        self._body_limit = body_limit
        self._body_time = body_time
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket, unless it is refused."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = await self._refusal(scope)
        if refused is not None:
            await refused.send(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._with_body(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Refusal | None:
        try:
            admitted = await self._admit(scope)
        except SscardError as error:
            if not error.word:
                raise
            return Refusal(refusals.status(error), error.word, _(error.afar) or str(error))
        if admitted.who is not None:
            note(scope, who=admitted.who, role=admitted.role)
        # A proved name has a rate of its own: what others send from the same address takes nothing from it.
        if not self._limiter.hit(f"@{address(scope)}" if admitted.who is None else admitted.who):
            return Refusal(429, "rate", _("more than {rate} requests from one client").format(rate=self._limiter.rate))
        if admitted.refusal is not None:
            return admitted.refusal
        length = dict(scope["headers"]).get(b"content-length", b"0")
        known = length.isdigit() and len(length) <= LENGTH_DIGITS
        return None if known and int(length) <= self._body_limit else self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(413, "size", _("a request holds up to {body_limit} bytes").format(body_limit=self._body_limit))

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._body_time):
                    whole = await self._read(receive, body)
            except TimeoutError:
                whole = Refusal(
                    408,
                    "time",
                    _("the request's body did not come within {body_time:g} seconds").format(body_time=self._body_time),
                )
            if isinstance(whole, Refusal):
                await whole.send(scope, receive, send)
            elif whole:
                await self._app(scope, _once(bytes(body), receive), send)
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> bool | Refusal:
        """The body, which may come without a length. False: the client went before its end."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            part = message.get("body", b"")
            if len(body) + len(part) > self._body_limit:
                return self._too_large()
            if self._held + len(part) > HELD_MOST:
                return Refusal(503, "busy", _("too many large requests at once: try again"))
            body += part
            self._held += len(part)
            if not message.get("more_body"):
                return True


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives the body, then whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
