"""The files of the page, as a browser gets them: the shell, its scripts and styles, and the texts in two languages."""

from __future__ import annotations

from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from emulator.messages import _
from harness.studio.files import static, texts

RULES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy: nothing from elsewhere, and no script but the files of this page."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def _files() -> dict[str, bytes]:
    """Each file of the folder by its path from there, with slashes. What is not in it is not served."""
    found: dict[str, bytes] = {}

    def walk(folder: Traversable, before: str) -> None:
        for one in folder.iterdir():
            if one.is_dir():
                walk(one, f"{before}{one.name}/")
            elif suffix(one.name) in TYPES:
                found[before + one.name] = one.read_bytes()

    walk(static(), "")
    return found


def suffix(name: str) -> str:
    """Returns a name's ending with its dot."""
    return "." + name.rpartition(".")[2]


def router() -> APIRouter:
    """``/``, ``/static/…`` and ``/texts.json``."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def shell() -> Response:
        return _file("index.html")

    @routes.get("/static/{path:path}")
    async def file(path: str) -> Response:
        return _file(path)

    @routes.get("/texts.json")
    async def both() -> dict[str, Any]:
        return texts()

    return routes


def _file(path: str) -> Response:
    content = _files().get(path)
    if content is None:
        raise HTTPException(404, _("no such file"))
    headers = {"cache-control": "no-cache", "referrer-policy": "no-referrer"}
    if path.endswith(".html"):
        headers["content-security-policy"] = RULES
    return Response(content, media_type=TYPES[suffix(path)], headers=headers)
