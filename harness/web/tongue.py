"""In which language a client is answered: the one that its request asks for, Chinese or English, else the server's."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.messages import CHINESE, ENGLISH, in_language

RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")
"""A language that a client reads, and how gladly (RFC 9110, 12.5.4)."""


class InTongue:
    """ASGI middleware: while a request or a WebSocket is served, its client is told in its own language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket."""
        said = dict(scope.get("headers", ())).get(b"accept-language", b"")
        with in_language(wished(said.decode("latin-1"))):
            await self._app(scope, receive, send)


def wished(accepted: str) -> str:
    """Of Chinese and English the one that this header asks for most, the first of equals; empty where it asks for
    neither.
    """
    found = (RANGE.fullmatch(one) for one in accepted.split(","))
    weights = [(float(one[2] or 1), one[1].lower()) for one in found if one is not None]
    known = [(weight, name) for weight, name in weights if name in (CHINESE, ENGLISH) and weight > 0]
    return max(known, key=lambda one: one[0])[1] if known else ""
