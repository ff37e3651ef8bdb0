"""What stands around every service: a fault of ours ends one request, and says nothing of what was sent."""

from __future__ import annotations

import contextlib
import logging

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from emulator import internal_fault
from emulator.messages import _
from harness.web.observed import Observer

INTERNAL_ERROR = 1011
_log = logging.getLogger("uvicorn.error")


class Contained:
    """ASGI application. uvicorn would log an exception with its words; here its kind and place are."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.observer: Observer = app.state.observer
        """For what is on a connection and never becomes a request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket; whatever else as it is."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except WebSocketDisconnect:
            pass  # it went while it was answered, which is its right
        except Exception as error:
            internal_fault.log(error, _log)
            if scope["type"] == "websocket":
                with contextlib.suppress(Exception):  # it may be closed by now
                    await send({"type": "websocket.close", "code": INTERNAL_ERROR, "reason": _("a fault of ours")})
