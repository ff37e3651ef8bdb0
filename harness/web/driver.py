"""SSCardDriver for web counters: a dialect's messages over a WebSocket, one call over HTTP, and a page to try it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import resources
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request, WebSocket
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from emulator.messages import _
from emulator.textfiles import as_json
from harness.driver import absent
from harness.driver.calls import Answer
from harness.driver.clients import Client, Clients
from harness.driver.codes import Code, DriverError, words
from harness.driver.dialects import dialect as dialects
from harness.driver.dialects import messages
from harness.driver.dialects.dialect import PAD, Dialect
from harness.driver.dialects.messages import MISSING, Asked, Table
from harness.driver.interface import FUNCTIONS
from harness.web import app as web
from harness.web.health import Ready
from harness.web.metrics import Metrics

T = TypeVar("T")
TRY_AGAIN_LATER = 1013
TEST = "/test/ws"
"""Where the test page talks, in our own dialect whatever the service's is."""
DESCRIPTION = """The functions that counter software calls, over a WebSocket at {paths}, in the dialect `{name}`
({title} {title_zh}). A WebSocket is a session, with a PIN pad of its own (the function `pad` with `entries`:
`["123456", "cancel", "timeout"]`) and steps with an encryption machine. `POST /call` takes the same messages one by
one, without steps."""
PAGE_RULES = "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def create(
    clients: Clients,
    origins: Sequence[str] = (),
    dialect: Dialect | None = None,
    ready: Mapping[str, Ready] | None = None,
) -> FastAPI:
    """The service. ``origins``: web pages that may call it, besides its own; ``dialect``: how they talk, None: ours;
    ``ready``: as ``web.create`` takes it.
    """
    own = dialects.load(dialects.OWN)
    spoken = dialect or own
    paths = " or ".join(f"`{path}`" for path in spoken.paths)
    about = DESCRIPTION.format(paths=paths, name=spoken.name, title=spoken.title, title_zh=spoken.title_zh)
    app = web.create("SSCardDriver", about, origins=origins, ready=ready)
    clients.counted = partial(_counted, app.state.observer.metrics)

    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("/test")

    @app.get("/test", include_in_schema=False)
    async def page() -> HTMLResponse:
        text = (resources.files(__package__) / "driver.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers={"content-security-policy": PAGE_RULES})

    @app.post("/call", summary="One call", response_class=JSONResponse, openapi_extra=_documented(spoken))
    async def call(request: Request) -> JSONResponse:
        return JSONResponse(await _in_thread(_once, clients, spoken, await request.body()))

    async def talk(link: WebSocket, form: Dialect) -> None:
        await link.accept()
        try:
            async with contextmanager_in_threadpool(clients.one()) as client:
                while (message := await link.receive())["type"] == "websocket.receive":
                    raw = message.get("text") or message.get("bytes") or ""
                    told = await _in_thread(answered, form, client, raw)
                    await link.send_text(json.dumps(told, ensure_ascii=False))
        except DriverError as error:
            await link.close(TRY_AGAIN_LATER, error.text[:40])

    @app.websocket(TEST)
    async def try_out(link: WebSocket) -> None:
        await talk(link, own)

    async def listen(link: WebSocket) -> None:
        await talk(link, spoken)

    for path in spoken.paths:
        app.websocket(path)(listen)
        app.post(path, include_in_schema=False)(call)  # where a service's WebSocket is, pages look for its HTTP too
    return app


def _counted(metrics: Metrics, function: str, code: int) -> None:
    metrics.called(function, code)
    if code in (Code.PIN_WRONG, Code.PIN_BLOCKED):
        metrics.wrong_pin("card")


async def _in_thread(work: Callable[..., T], *given: object) -> T:
    """Runs it in a thread of its own. Those that are lent by default are few, and who waits for the reader keeps one:
    the client between two steps, whom all wait for, would get none.
    """
    return await anyio.to_thread.run_sync(work, *given, limiter=anyio.CapacityLimiter(1))


def _once(clients: Clients, dialect: Dialect, raw: bytes) -> Table:
    try:
        with clients.one() as client:
            return answered(dialect, client, raw, session=False)
    except DriverError as error:
        return messages.told(dialect, Asked(), error.code, error.text)


def answered(dialect: Dialect, client: Client, raw: str | bytes, *, session: bool = True) -> Table:
    """One message's answer. ``session``: another message of the same client may follow."""
    asked = Asked()
    try:
        messages.read(dialect, _message(raw), asked)
        return messages.told(dialect, asked, *_called(dialect, client, asked, session=session))
    except DriverError as error:
        return messages.told(dialect, asked, error.code, error.text)


def _message(raw: str | bytes) -> Any:
    try:
        return as_json.loads(raw if isinstance(raw, str) else raw.decode())
    except ValueError:  # FormatError and UnicodeDecodeError among them
        return None


def _called(dialect: Dialect, client: Client, asked: Asked, *, session: bool) -> Answer:
    if asked.name == PAD and session:
        return client.script(asked.given.get("entries") if isinstance(asked.given, dict) else asked.given)
    function = dialect.means(asked.name, client.pending)
    if function is None:
        raise absent.unsupported(asked.name)
    asked.meant = function.name
    if function.step and not session:
        raise DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: {_('steps need one session, the WebSocket')}")
    if asked.pad is not MISSING:
        client.script(asked.pad)
    try:
        values = messages.arguments(dialect, function, asked)
    except DriverError as error:
        client.refused(function, error.code)
        raise
    return client.call(function, values)


def _documented(dialect: Dialect) -> Table:
    """What POST takes and gives, for the OpenAPI page: the body is read by us, as what is wrong with it is a code, not
    a 422.
    """
    names = [*FUNCTIONS, *dialect.functions]
    functions = {name: function for name in names if (function := dialect.means(name)) and not function.step}
    schemas = [messages.request_schema(dialect, name, function) for name, function in functions.items()]
    example = messages.example(dialect, "iReadCardBas", {"iType": 3})
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"oneOf": schemas}, "example": example}},
        },
        "responses": {
            "200": {
                "description": "the code, and what the function gives",
                "content": {"application/json": {"schema": messages.answer_schema(dialect)}},
            }
        },
    }
