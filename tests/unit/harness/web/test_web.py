"""What every service refuses, and that it lives on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Annotated, Literal

import httpx2
import pytest
from fastapi import Body, WebSocket
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from harness.web import app as web
from harness.web.app import ServeError
from harness.web.refusals import Problem

WS = "ws://127.0.0.1/ws"


class Cat(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


def service(rate: str = "1000/minute") -> TestClient:
    app = web.create("Test", "A service.", origins=["https://counter.example"], rate=rate, body_limit=100)

    @app.post("/length")
    async def length(text: str = Body()) -> int:
        return len(text)

    @app.get("/{kind}")
    async def fail(kind: str) -> None:
        if kind == "problem":
            raise Problem(409, "taken", "it is taken")
        raise KeyError(kind)

    @app.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        await link.send_text("hello")
        await link.close()

    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


def kind(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["kind"]


def test_refusals_have_one_shape() -> None:
    client = service()
    assert kind(client.get("/problem")) == (409, "taken")
    assert kind(client.get("/secret")) == (500, "fault")
    assert "secret" not in client.get("/secret").text
    assert kind(client.post("/length", json=5)) == (422, "input")
    assert kind(client.get("/no/such")) == (404, "http")
    assert client.post("/length", json="four").json() == 4, "it lives on"


def test_a_body_has_a_limit() -> None:
    client = service()
    assert kind(client.post("/length", json="x" * 200)) == (413, "size")

    def unmeasured() -> Iterator[bytes]:
        yield b'"' + b"x" * 150
        yield b'"'

    assert kind(client.post("/length", content=unmeasured())) == (413, "size")


def test_only_named_pages_may_call() -> None:
    client = service()
    for origin, status in (("https://evil.example", 403), ("https://counter.example", 200), ("http://127.0.0.1", 200)):
        assert client.post("/length", json="x", headers={"origin": origin}).status_code == status
    for host in ("evil.example", "evil.example:80", "", "127.0.0.1:x", "127.0.0.1:80:80"):
        assert kind(client.post("/length", json="x", headers={"host": host})) == (400, "host")
    allowed = client.post("/length", json="x", headers={"origin": "https://counter.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://counter.example"


def test_pages_may_not_open_a_websocket_either() -> None:
    client = service()
    with client.websocket_connect(WS) as link:
        assert link.receive_text() == "hello"
    evil = client.websocket_connect(WS, headers={"origin": "https://evil.example"})
    with pytest.raises(WebSocketDisconnect) as refused, evil:
        pass
    assert "origin" in refused.value.reason


def test_a_client_may_not_ask_too_often() -> None:
    client = service(rate="3/minute")
    assert [client.post("/length", json="x").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_host_may_be_an_ipv6_address() -> None:
    assert service().post("/length", json="x", headers={"host": "[::1]:8000"}).status_code == 200


def test_no_text_quotes_what_was_sent() -> None:
    app = web.create("Test", "A service.")

    @app.post("/pet")
    async def pet(body: Annotated[Cat | Dog, Field(discriminator="kind")]) -> str:
        return body.kind

    client = TestClient(app, base_url="http://127.0.0.1")
    assert client.post("/pet", json={"kind": "cat"}).json() == "cat"
    for wrong in ({"kind": "secret"}, {"kind": "cat", "secret": 1}, {"secret": 1}, "secret"):
        answer = client.post("/pet", json=wrong)
        assert kind(answer) == (422, "input")
        assert "secret" not in answer.text


def test_a_fault_of_ours_is_logged_without_what_was_sent(capfd: pytest.CaptureFixture[str]) -> None:
    app = web.create("Test", "A service.")

    @app.post("/{text}")
    async def fail(text: str) -> None:
        raise KeyError(text)

    @app.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        raise KeyError(await link.receive_text())

    with web.background(app) as url:
        assert httpx2.post(f"{url}/246802").json()["error"]["kind"] == "fault"
        with connect(f"{url.replace('http', 'ws')}/ws") as link:
            link.send("246802")
            with pytest.raises(ConnectionClosedError) as closed:
                link.recv(20)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1011
        assert httpx2.post(f"{url}/246802").status_code == 500, "it lives on"
    logged = capfd.readouterr().err
    assert logged.count("KeyError, which nobody foresaw") == 3
    assert "raise KeyError(text)" in logged
    assert "246802" not in logged


def test_a_websocket_may_go_before_it_is_answered(capfd: pytest.CaptureFixture[str]) -> None:
    app = web.create("Test", "A service.")
    answered = threading.Event()

    @app.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        assert (await link.receive())["type"] == "websocket.disconnect"
        try:
            await link.send_text("hello")
        finally:
            answered.set()

    with web.background(app) as url:
        with connect(f"{url.replace('http', 'ws')}/ws"):
            pass
        assert answered.wait(20)
    assert not capfd.readouterr().err


def test_its_page_needs_no_network() -> None:
    page = service().get("/docs").text
    assert "swagger-ui-bundle.js" in page
    assert "https://" not in page.split("<title>")[0]


def test_it_serves_on_loopback_and_says_what_is_wrong() -> None:
    app = web.create("Test", "A service.")
    with web.background(app) as url:
        assert url.startswith("http://127.0.0.1:")
        assert httpx2.get(f"{url}/openapi.json").json()["info"]["title"] == "Test"
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)), pytest.raises(ServeError, match="name a free one"):
            web.bind("127.0.0.1", port)
