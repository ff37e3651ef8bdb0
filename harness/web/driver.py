"""SSCardDriver for web counters: messages over a WebSocket, or one call over HTTP, and a page to try it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request, WebSocket
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from emulator.textfiles import as_json
from harness.driver.calls import Answer
from harness.driver.clients import Client, Clients
from harness.driver.codes import Code, DriverError, words
from harness.driver.interface import FUNCTIONS, Function, Kind
from harness.web import app as web

T = TypeVar("T")
DONE = "1"
"""What ``success`` is where the code is 0. [1: reference:terminal Flows]"""
PAD = "pad"
TRY_AGAIN_LATER = 1013
DESCRIPTION = """The functions that counter software calls, over a WebSocket at `/` or `/ws`:
`{"function": "iReadCardBas", "iType": 3}` → `{"functionName": "iReadCardBas", "success": "1", "pOutInfo": "…|…|"}`;
`success` is `1`, or the code. A WebSocket is a session, with a PIN pad of its own (`{"function": "pad", "entries":
["123456", "cancel", "timeout"]}`) and steps with an encryption machine. `POST /call` takes the same messages one by
one, without steps."""
PAGE_RULES = "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class Told(BaseModel):
    """An answer."""

    functionName: str  # noqa: N815 — the name is the web counters' own
    success: str = Field(description="1, or the code", examples=[DONE, "-2"])
    pOutInfo: str = Field(description="what the function gives, or the error's text")  # noqa: N815


def create(clients: Clients, origins: Sequence[str] = ()) -> FastAPI:
    """The service. ``origins``: web pages that may call it, besides its own."""
    app = web.create("SSCardDriver", DESCRIPTION, origins=origins)

    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("/test")

    @app.get("/test", include_in_schema=False)
    async def page() -> HTMLResponse:
        text = (resources.files(__package__) / "driver.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers={"content-security-policy": PAGE_RULES})

    @app.post("/call", summary="One call", openapi_extra=_body())
    async def call(request: Request) -> Told:
        return await _in_thread(_once, clients, await request.body())

    @app.websocket("/")
    @app.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        try:
            async with contextmanager_in_threadpool(clients.one()) as client:
                while (message := await link.receive())["type"] == "websocket.receive":
                    raw = message.get("text") or message.get("bytes") or ""
                    told = await _in_thread(answered, client, raw)
                    await link.send_text(told.model_dump_json())
        except DriverError as error:
            await link.close(TRY_AGAIN_LATER, error.text[:40])

    return app


async def _in_thread(work: Callable[..., T], *given: object) -> T:
    """Runs it in a thread of its own. Those that are lent by default are few, and who waits for the reader keeps one:
    the client between two steps, whom all wait for, would get none.
    """
    return await anyio.to_thread.run_sync(work, *given, limiter=anyio.CapacityLimiter(1))


def _once(clients: Clients, raw: bytes) -> Told:
    try:
        with clients.one() as client:
            return answered(client, raw, session=False)
    except DriverError as error:
        return _told("", error.code, error.text)


def answered(client: Client, raw: str | bytes, *, session: bool = True) -> Told:
    """One message's answer. ``session``: another message of the same client may follow."""
    name = ""
    try:
        message = _message(raw)
        name = str(message.pop("function", ""))[:64]
        return _told(name, *_called(client, name, message, session=session))
    except DriverError as error:
        return _told(name, error.code, error.text)


def _message(raw: str | bytes) -> dict[str, Any]:
    try:
        message = as_json.loads(raw if isinstance(raw, str) else raw.decode())
    except ValueError:  # FormatError and UnicodeDecodeError among them
        message = None
    if not isinstance(message, dict):
        raise DriverError(Code.BAD_INPUT, f"{words(Code.BAD_INPUT)}: a JSON object is expected")
    return message


def _called(client: Client, name: str, values: dict[str, Any], *, session: bool) -> Answer:
    if name == PAD and session:
        return client.script(values.get("entries"))
    function = FUNCTIONS.get(name)
    if function is None:
        raise DriverError(Code.UNSUPPORTED)
    if function.step and not session:
        raise DriverError(Code.UNSUPPORTED, f"{words(Code.UNSUPPORTED)}: steps need one session, the WebSocket")
    if PAD in values:
        client.script(values.pop(PAD))
    return client.call(function, function.ordered(values))


def _told(name: str, code: int, text: str) -> Told:
    return Told(functionName=name, success=DONE if code == Code.DONE else str(int(code)), pOutInfo=text)


def _body() -> dict[str, Any]:
    """What POST takes, for the OpenAPI page: the body is read by us, as what is wrong with it is a code, not a 422."""
    schemas = [_schema(one) for one in FUNCTIONS.values() if not one.step]
    content = {"schema": {"oneOf": schemas}, "example": {"function": "iReadCardBas", "iType": 3}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _schema(function: Function) -> dict[str, Any]:
    kinds = {one.name: {"type": "integer" if one.kind is Kind.INT else "string"} for one in function.given}
    pad = {"type": "array", "items": {"type": "string"}, "description": "what is entered at the PIN pad"}
    return {
        "title": function.name,
        "type": "object",
        "properties": {"function": {"const": function.name}, **kinds, PAD: pad},
        "required": ["function", *kinds],
        "additionalProperties": False,
    }
