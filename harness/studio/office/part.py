"""What the page knows of its office without a token: whether there is one, and by which files."""

from __future__ import annotations

from fastapi import APIRouter

from harness.studio.context import Studio

PATH = "/office"
"""Below which the office's own service is."""


def router(studio: Studio) -> APIRouter:
    """``/api/office``."""
    routes = APIRouter()
    choice = studio.settings.office

    @routes.get("/here", summary="Whether the page has an office, and where")
    async def here() -> dict[str, str | bool | None]:
        files = {"register": choice.register, "drawer": choice.drawer} if choice else {}
        return {"here": choice is not None, "path": PATH, **files}

    return routes
