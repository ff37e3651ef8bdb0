"""JSON over HTTP, read as strictly as a file: no name twice, no half of a character, no number that JSON has not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError


class _Request(Request):
    async def json(self) -> Any:
        """What the body says; json.JSONDecodeError, which a route answers with 422."""
        try:
            return as_json.loads((await self.body()).decode())
        except FormatError as error:
            raise json.JSONDecodeError(error.what, "", 0) from None
        except UnicodeDecodeError as error:
            raise json.JSONDecodeError("expected UTF-8", "", error.start) from None


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """As FastAPI has it, for our kind of request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_Request(request.scope, request.receive))

        return strict
