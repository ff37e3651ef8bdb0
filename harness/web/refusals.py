"""How a service answers an error: the one place where errors become statuses of HTTP."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.terminal.refused import PinRefused
from harness.web.observed import note

BY_KIND = {
    ErrorKind.USAGE: 400,
    ErrorKind.INPUT: 422,
    ErrorKind.REFUSED: 409,
    ErrorKind.MISSING: 404,
    ErrorKind.BROKEN: 502,
}
BY_WORD = {
    "input": 422,
    "algorithm": 400,
    "region": 404,
    "address": 404,
    "half-way": 409,
    "busy": 503,
    "printer": 501,
}
"""Where the kind alone does not say it. Half-way is no success: a client that looks at the status alone must not go on.
"""


class Problem(SscardError):
    """A request that a service refuses: ``word`` for programs, the text for people."""

    kind = ErrorKind.REFUSED

    def __init__(self, status: int, word: str, text: str) -> None:
        super().__init__(text)
        self.status, self.word = status, word


def status(error: SscardError) -> int:
    """Returns the HTTP status of an error."""
    return error.status if isinstance(error, Problem) else BY_WORD.get(error.word, BY_KIND[error.kind])


def refusal(request: Request, status: int, kind: str, text: str, **more: object) -> JSONResponse:
    """A refusal as every service gives it; ``more`` stands beside kind and text."""
    note(request.scope, kind=kind, **({"rule": str(more["rule"])} if "rule" in more else {}))
    return JSONResponse({"error": {"kind": kind, "text": text, **more}}, status)


def handle(app: FastAPI) -> None:
    """Gives every error of ours that may be told its answer. One that has no word for programs is none of the client's
    business: it is a fault of the service, and its own words stay here.
    """
    app.add_exception_handler(SscardError, _answered)


async def _answered(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SscardError)
    if not error.word:
        raise error
    table = error.as_table()
    if isinstance(error.__cause__, PinRefused):
        request.app.state.observer.metrics.wrong_pin("card")
    return refusal(request, status(error), **(table | {"text": _(error.afar)} if error.afar else table))
