"""An HTTP service of the harness: loopback by default, guarded, its OpenAPI page without any network.

Every refusal has one shape, ``{"error": {"kind": …, "text": …}}``; the text never quotes what was sent.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from harness.run import ended
from harness.web.contained import Contained
from harness.web.guard import Guard

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost", "::1")
"""What a client may call a service on loopback; another Host header is a page that rebinds a name to us."""
BODY_LIMIT = 64 * 1024
RATE = "1200/minute"
UNKNOWN_FIELD = "extra_forbidden"
SILENT = frozenset((
    UNKNOWN_FIELD, "missing", "json_invalid", "string_type", "string_pattern_mismatch", "string_too_short",
    "string_too_long", "int_type", "int_parsing", "int_from_float", "bool_type", "bool_parsing", "greater_than",
    "greater_than_equal", "less_than", "less_than_equal", "literal_error", "enum", "list_type", "too_short", "too_long",
    "dict_type", "model_type", "model_attributes_type",
))  # fmt: skip
"""Pydantic's errors whose text tells what was expected, and nothing of what came."""


class Problem(Exception):
    """A request that a service refuses. ``kind`` is for programs, the text for people."""

    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status, self.kind = status, kind


class ServeError(OSError):
    """A service that cannot start: why."""


def create(
    title: str,
    description: str,
    *,
    hosts: Sequence[str] = NAMES,
    origins: Sequence[str] = (),
    rate: str = RATE,
    body_limit: int = BODY_LIMIT,
) -> FastAPI:
    """An empty service. Its page is /docs, its schema /openapi.json.

    ``origins``: web pages that may call it, besides its own (``https://counter.example``). ``rate``: requests that one
    client may send, as ``1200/minute``. ``body_limit``: bytes of one request.
    """
    app = FastAPIOffline(title=title, description=description, version=metadata.version("sscard"))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    known = [_in_header(one) for one in (*hosts, *NAMES)]
    app.add_middleware(Guard, hosts=known, origins=origins, rate=rate, body_limit=body_limit)
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["*"], allow_headers=["*"])
    return app


def _in_header(host: str) -> str:
    """As a Host header has it."""
    return f"[{host}]" if ":" in host else host


def refusal(status: int, kind: str, text: str, **more: object) -> JSONResponse:
    """A refusal as every service gives it; ``more`` stands beside kind and text."""
    return JSONResponse({"error": {"kind": kind, "text": text, **more}}, status)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return refusal(error.status, error.kind, str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return refusal(422, "input", "; ".join(map(_wrong, error.errors()))[:2000])


def _wrong(one: dict[str, Any]) -> str:
    """One thing that is wrong, in words that quote nothing of what was sent, as some of pydantic's own do."""
    place = one["loc"][:-1] if one["type"] == UNKNOWN_FIELD else one["loc"]
    said = one["msg"] if one["type"] in SILENT else "this is not as the schema says (/openapi.json)"
    return f"{'.'.join(map(str, place))}: {said}"


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, "http", str(error.detail))


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    return refusal(500, "fault", f"an error of ours ({type(error).__name__}); the service lives on")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. ServeError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ServeError(f"cannot listen at {host}:{port}: {error.strerror}; name a free one with --port") from None
    return listener


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url(listener: socket.socket) -> str:
    """Where it is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{_in_header(host)}:{port}"


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        Contained(app), log_level="warning", access_log=False, timeout_graceful_shutdown=5, ws_max_size=BODY_LIMIT
    )
    return uvicorn.Server(config)


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM; says ``listening URL`` when it takes connections. ServeError."""
    with ended(), contextlib.closing(bind(host, port)) as listener:
        if not is_loopback(host):
            print(f"sscard: {host} is open to other machines; this service is for tests only", file=sys.stderr)
        print(f"listening {url(listener)}", flush=True)
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def background(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The service in a thread of this process, at a port of loopback, 0 for a free one; its URL. ServeError."""
    with contextlib.closing(bind(LOOPBACK, port)) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web")
        thread.start()
        try:
            yield url(listener)
        finally:
            server.should_exit = True
            thread.join()
