"""Around everything that a service answers: each request gets an id, is counted, and is written down once."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from harness.web.metrics import Metrics
from harness.web.request_log import Entry, Log

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
OTHER = "OTHER"
"""What stands for a method that is none of these: a client may send any word."""
WEBSOCKET = "WEBSOCKET"
UNMATCHED = "unmatched"
"""What stands for a path that no route is at."""
CONNECTION = "connection"
"""The route, and the method, of what never became a request."""
SWITCHED = 101
FORBIDDEN = 403
GONE = "gone"
"""The kind of a request whose client went before its end."""
HEADER = b"x-request-id"
GIVEN = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""Ids that are taken over: 128 bits in hex, a UUID among them. Another text might be a person's number."""
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""As W3C Trace Context has it."""
TOLD = "told"
"""Where a scope's state has what the door and the routes say of a request, a ``dict`` by an Entry's fields."""


def note(scope: Scope, **said: str) -> None:
    """Says something of a request for its line: ``who``, ``role``, ``kind``, ``rule``."""
    scope.setdefault("state", {}).setdefault(TOLD, {}).update(said)


class Observer:
    """Where requests, and connections that never became one, are counted and written down."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.log: Log | None = None

    def ended(self, entry: Entry) -> None:
        """A request was answered, or will not be."""
        self.metrics.ended(entry)
        self._write(entry)

    def dropped(self, client: str, kind: str, status: int | None, seconds: float) -> None:
        """A connection ended by the service, without a request or in the midst of its answer. ``kind``: why."""
        self.metrics.refused(kind)
        ms = round(seconds * 1000, 1)
        self._write(Entry(uuid.uuid4().hex, CONNECTION, CONNECTION, status, ms, client, kind=kind))

    def _write(self, entry: Entry) -> None:
        if self.log is not None:
            self.log.write(entry)


class Observed:
    """ASGI middleware, to be the outermost. ``routes``: the service's own, which name what was asked for. ``fault``:
    what is answered where nothing was, because of a fault of ours.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        observer: Observer,
        routes: Sequence[BaseRoute],
        fault: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._fault = fault
        self._observer = observer
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket, and tells of it once."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began, name = time.monotonic(), request_id(scope)
        status: int | None = None
        told: dict[str, str] = {}
        scope.setdefault("state", {})[TOLD] = told

        async def seen(message: Message) -> None:
            nonlocal status
            match message["type"]:
                case "http.response.start":
                    status = message["status"]
                    message["headers"] = [*message.get("headers", ()), (HEADER, name.encode())]
                case "websocket.accept":
                    status = SWITCHED
                case "websocket.close" if status is None:
                    status = FORBIDDEN
            await send(message)

        self._observer.metrics.began()
        try:
            await self._app(scope, receive, seen)
        except WebSocketDisconnect:
            raise
        except Exception as error:
            if status is None and scope["type"] == "http":
                response = await self._fault(Request(scope), error)
                await response(scope, receive, seen)
            raise
        finally:
            if status is None:
                told.setdefault("kind", GONE)
            self._observer.ended(
                Entry(
                    name, _method(scope), self._template(scope), status,
                    round((time.monotonic() - began) * 1000, 1), address(scope), **told,
                )
            )  # fmt: skip

    def _template(self, scope: Scope) -> str:
        """The route's template, from what the router noted, or by looking where no router was asked."""
        found, path = scope.get("route"), scope["path"]
        if isinstance(found, Route | WebSocketRoute):
            # A router that was included knows its own end of a path alone; what stands before it is the service's.
            end = found.path_format.format(**scope.get("path_params", {}))
            return path.removesuffix(end) + found.path if path.endswith(end) else found.path
        for one in self._routes:
            if isinstance(one, Mount):
                if one.path and path.startswith(f"{one.path}/"):
                    return f"{one.path}/{{file}}"
            elif one.matches(scope)[0] is not Match.NONE:
                return str(getattr(one, "path", UNMATCHED))
        return UNMATCHED


def address(scope: Scope) -> str:
    """The client's address, as the connection has it."""
    return str((scope.get("client") or ("unknown",))[0])


def request_id(scope: Scope) -> str:
    """The id that a client gave by X-Request-ID or traceparent, where it is 128 bits in hex; else a new one."""
    headers: dict[bytes, Any] = dict(scope["headers"])
    given = headers.get(HEADER, b"")
    if GIVEN.fullmatch(given):
        return str(given.decode()).lower()
    trace = TRACEPARENT.fullmatch(headers.get(b"traceparent", b""))
    return trace[1].decode() if trace else uuid.uuid4().hex


def _method(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return WEBSOCKET
    return scope["method"] if scope["method"] in METHODS else OTHER
