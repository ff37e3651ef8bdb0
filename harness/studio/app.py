"""The page's service: its files, one stream of events, and a router for each part."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse

from harness.studio import pages
from harness.studio.hub import Hub
from harness.web import app as web

RATE = "60000/minute"
"""A page that is looked at asks often; this only ends what runs wild. [D]"""
BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of a recorded trace or an image that is dropped on the page. [D]"""
DESCRIPTION = """What the live page asks: readers, the session, the card, verdicts and the office. `GET /api/events` is
one stream of server-sent events. The page alone is kept from release to release, not these routes."""


def create(hub: Hub, parts: Mapping[str, APIRouter]) -> FastAPI:
    """The service. ``parts``: routers by the name that stands behind ``/api/``."""
    app = web.create("sscard studio", DESCRIPTION, rate=RATE, body_limit=BODY_LIMIT)
    app.include_router(pages.router())

    @app.get("/api/events", summary="One stream of events", response_class=StreamingResponse)
    async def events() -> StreamingResponse:
        return StreamingResponse(
            hub.stream(),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    for name, routes in parts.items():
        app.include_router(routes, prefix=f"/api/{name}", tags=[name])
    return app
