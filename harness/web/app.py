"""An HTTP service of the harness: loopback by default, guarded, its OpenAPI page without any network.

Every refusal has one shape, ``{"error": {"kind": …, "text": …}}``; the text never quotes what was sent.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred
from emulator.messages.system_errors import strerror
from emulator.version import VERSION
from harness.messages import forms
from harness.messages.spoken import SpokenError
from harness.serving.run import ended
from harness.web import health, refusals
from harness.web.connection import Connection
from harness.web.cross_site import Doorstep
from harness.web.guard import Admission, Guard, anybody
from harness.web.health import Ready
from harness.web.internal_fault import Contained
from harness.web.limiter import Limiter
from harness.web.metrics import Metrics
from harness.web.observed import Observed, Observer
from harness.web.origins import is_loopback
from harness.web.request_log import RequestLog
from harness.web.strict import StrictRoute
from harness.web.tongue import InTongue

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost", "::1")
"""What a client may call a service on loopback; another Host header is a page that rebinds a name to us."""
BODY_LIMIT = 64 * 1024
RATE = "1200/minute"
UNKNOWN_FIELD = "extra_forbidden"
NOT_HERE = {
    404: deferred("nothing is at this address; /docs names what there is"),
    405: deferred("this address takes no such method; /docs names those that it takes"),
}
"""What is told where the framework has no more to say than a status's name."""


class Reason(BaseModel):
    """原因 Why a request is refused: ``kind`` for programs, ``text`` for people."""

    model_config = ConfigDict(title="DoorReason")
    kind: str
    text: str


class AtTheDoor(BaseModel):
    """服务入口的拒绝 What every service answers before a route is asked."""

    error: Reason


AT_THE_DOOR: dict[int | str, dict[str, Any]] = {
    400: {
        "model": AtTheDoor,
        "description": "`host`, `http`: 主机名不符，或报文无法解析 another host, or not parsed",
    },
    403: {"model": AtTheDoor, "description": "`origin`: 网页来源不允许 a page that may not call"},
    408: {"model": AtTheDoor, "description": "`time`: 请求未及时到齐 the request did not come in time"},
    413: {"model": AtTheDoor, "description": "`size`: 请求过大 the request is too large"},
    429: {"model": AtTheDoor, "description": "`rate`: 请求过多 too many requests"},
    503: {"model": AtTheDoor, "description": "`busy`: 请稍后再试 busy: try again"},
}
"""In every route's documentation; a route's own words for a status stand above these."""


class ServeError(SscardError):
    """A service that cannot start: why."""

    kind = ErrorKind.BROKEN


def create(
    title: str,
    description: str,
    *,
    hosts: Sequence[str] = NAMES,
    origins: Sequence[str] = (),
    rate: str = RATE,
    body_limit: int = BODY_LIMIT,
    admit: Admission = anybody,
    ready: Mapping[str, Ready] | None = None,
) -> FastAPI:
    """An empty service. Its page is /docs, its schema /openapi.json.

    ``origins``: web pages that may call it, besides its own, as ``origins.normalised`` gives them. ``rate``: requests
    that one client may send, as ``1200/minute``; RateError. ``body_limit``: bytes of one request. ``admit``: who asks.
    ``ready``: what it needs, by the names that /readyz tells. Its counters are the app's ``state.observer``.
    """
    Limiter(rate)  # what is wrong with it is told now, not at the first request
    app = FastAPIOffline(title=title, description=description, version=VERSION, responses=AT_THE_DOOR)
    app.router.route_class = StrictRoute
    refusals.handle(app)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    known = [_in_header(one) for one in (*hosts, *NAMES)]
    # The last one is the outermost: all is said in the client's language; what is refused is counted too; then foreign
    # pages are refused, and named ones may read every other refusal.
    app.add_middleware(Guard, rate=rate, body_limit=body_limit, admit=admit)
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(Doorstep, hosts=known, origins=origins)
    app.state.observer = observer = Observer(Metrics())
    app.add_middleware(Observed, observer=observer, routes=app.router.routes, fault=_unexpected)
    app.add_middleware(InTongue)
    health.add(app, observer.metrics, ready or {})
    return app


def _in_header(host: str) -> str:
    """As a Host header has it."""
    return f"[{host}]" if ":" in host else host


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = (
        _("{where}: {what}").format(where=".".join(map(str, place)), what=said)
        for place, said in map(wrong, error.errors())
    )
    return refusals.refusal(request, 422, "input", "; ".join(told)[:2000])


def wrong(one: Mapping[str, Any]) -> tuple[tuple[int | str, ...], str]:
    """Where something is wrong with a request, and what, in words that quote nothing of what was sent, as some of
    pydantic's own do. ``one``: of ValidationError.errors().
    """
    place = one["loc"][:-1] if one["type"] == UNKNOWN_FIELD else one["loc"]
    why = one.get("ctx", {}).get("error")
    if isinstance(why, SpokenError):
        return place, str(why)
    return place, forms.expected(one) or _("this is not as the schema says (/openapi.json)")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    own = NOT_HERE.get(error.status_code) if error.detail == HTTPStatus(error.status_code).phrase else None
    answer = refusals.refusal(request, error.status_code, "http", _(own) if own else str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    told = _("an error of ours ({name}); the service lives on").format(name=type(error).__name__)
    return refusals.refusal(request, 500, "fault", told)


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
        raise ServeError(
            _("cannot listen at {host}:{port}: {strerror}; name a free one with --port").format(
                host=host, port=port, strerror=strerror(error)
            )
        ) from None
    return listener


def url(listener: socket.socket) -> str:
    """Returns the URL that a listening socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"http://{_in_header(host)}:{port}"


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        Contained(app),
        http=Connection,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # whoever may write such a header would be whom it likes
        forwarded_allow_ips=[],
        server_header=False,
        timeout_graceful_shutdown=5,
        ws_max_size=BODY_LIMIT,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def logged(app: FastAPI, target: str | None) -> Iterator[None]:
    """Its requests are written to a file meanwhile, ``-`` for standard output, None for nowhere. RequestLogError."""
    if target is None:
        yield
        return
    with contextlib.closing(RequestLog(target)) as log:
        app.state.observer.log = log
        yield


def serve(app: FastAPI, host: str, port: int, request_log: str | None = None) -> None:
    """Serves until SIGINT or SIGTERM; says ``listening URL`` when it takes connections. ServeError.

    ``request_log``: see ``logged``.
    """
    with ended(), logged(app, request_log), contextlib.closing(bind(host, port)) as listener:
        if not is_loopback(host):
            print(
                _("sscard: {host} is open to other machines; this service is for tests only").format(host=host),
                file=sys.stderr,
            )
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
