"""From where a service may be called: under its own name, by programs, and by pages of its own and named origins."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.messages import _
from harness.messages.visible import visible
from harness.web.refuse import Refusal

PORT = re.compile(r":[0-9]+$")
ELSEWHERE = ("cross-site", "same-site")
"""Sec-Fetch-Site of a request that another page makes; a browser says so even where it sends no Origin (pictures)."""
POLICY, FRAMES = b"content-security-policy", b"frame-ancestors 'none'"
ALWAYS = ((b"x-frame-options", b"DENY"), (b"x-content-type-options", b"nosniff"))
WARNED_MOST = 32
"""Refused origins that are told; a page can invent any number. [D]"""
_log = logging.getLogger("uvicorn.error")


class Doorstep:
    """ASGI middleware, outside everything that counts: what a foreign page sends takes nothing from anybody.

    ``hosts``: what the service is called, as a Host header has it; 400 for another name, which a page may have bound to
    this machine. ``origins``: pages that may call, besides its own; 403 for others, and one line in the log for each
    origin. No answer may stand in a frame, and none is taken for another type than it says.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket, unless it comes from a foreign site."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _unframed(message.get("headers", ()))
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused.send(scope, receive, framed)
        else:
            await self._app(scope, receive, framed)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin, host = headers.get("origin"), headers.get("host", "").lower()
        if PORT.sub("", host) not in self._hosts:
            return Refusal(400, "host", _("the service is not called so: use the address that it says it listens at"))
        if origin is None:
            foreign = headers.get("sec-fetch-site") in ELSEWHERE and not _is_visit(scope, headers)
        else:
            foreign = origin not in self._origins | {f"http://{host}", f"https://{host}"}
        if not foreign:
            return None
        self._warn(origin)
        return Refusal(403, "origin", _("pages of this origin may not call: name it with --origin"))

    def _warn(self, origin: str | None) -> None:
        """Once for each origin: whoever set the service up sees why the page gets nothing."""
        name = visible(origin or _("another site, which does not say its name"))[:200]
        if name not in self._warned and len(self._warned) < WARNED_MOST:
            self._warned.add(name)
            _log.warning("%s", _("refused a page of {name}; --origin names pages that may call").format(name=name))


def _is_visit(scope: Scope, headers: dict[str, str]) -> bool:
    """A person followed a link to one of our pages: nothing of it is seen by the page that had the link."""
    return (
        scope.get("method") == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _unframed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """An answer's headers with what every answer says of itself; rules of a page's own stay beside ours."""
    own = [rules for name, rules in headers if name == POLICY]
    others = [one for one in headers if one[0] != POLICY]
    return [*others, (POLICY, b"; ".join((*own, FRAMES))), *ALWAYS]
