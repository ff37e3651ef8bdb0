"""JSON over HTTP, read as strictly as a file: no name twice, no half of a character, no number that JSON has not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from emulator.messages import _
from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError
from harness.messages.spoken import SpokenError


class _Request(Request):
    async def json(self) -> Any:
        """What the body says; json.JSONDecodeError, which a route answers with 422."""
        try:
            return as_json.loads((await self.body()).decode())
        except FormatError as error:
            raise json.JSONDecodeError(error.what, "", 0) from None
        except UnicodeDecodeError as error:
            raise json.JSONDecodeError(_("expected UTF-8"), "", error.start) from None


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As FastAPI has it; the end of a path without parameters is compared first, which is much quicker, and a
        service has dozens of them. Of a router that was included, what stands before it is FastAPI's to compare.
        """
        if not self.param_convertors and not scope.get("root_path") and not scope["path"].endswith(self.path):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """As FastAPI has it, for our kind of request."""
        handler = super().get_route_handler()
        known = sorted(one.alias for one in get_flat_params(self.dependant) if isinstance(one.field_info, params.Query))

        async def strict(request: Request) -> Response:
            if set(request.query_params) - set(known):
                # Named is what there is: what came may be anything.
                said = (
                    _("expected no other parameter than {known}").format(known=", ".join(known))
                    if known
                    else _("expected no parameter")
                )
                wrong = {"type": "value_error", "loc": ("query",), "msg": said, "ctx": {"error": SpokenError(said)}}
                raise RequestValidationError([wrong])
            return await handler(_Request(request.scope, request.receive))

        return strict
