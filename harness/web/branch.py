"""One service below a path of another: with its own door, guard and limits, as if it stood alone."""

from __future__ import annotations

from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class Branch:
    """ASGI middleware, to be the outermost: whatever is below ``path`` goes to ``service`` and nowhere else, before
    anything of the service around it has looked at it or read its body.
    """

    def __init__(self, app: ASGIApp, *, path: str, service: ASGIApp) -> None:
        self._app = app
        self._mount = Mount(path, app=service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or WebSocket by whichever it is for."""
        if scope["type"] in ("http", "websocket"):
            match, below = self._mount.matches(scope)
            if match is Match.FULL:
                await self._mount.handle({**scope, **below}, receive, send)
                return
        await self._app(scope, receive, send)
