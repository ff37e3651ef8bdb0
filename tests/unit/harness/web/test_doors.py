"""The front doors: what every service refuses before its routes are asked, over real connections."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient

from harness.cli import main
from harness.web import app as web
from harness.web import connection
from harness.web.limiter import Limiter
from harness.web.origins import OriginError, normalised

HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /length HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


class Service:
    """A service that counts what was carried out."""

    def __init__(self, **options: object) -> None:
        self.app: FastAPI = web.create("Test", "A service.", **({"body_limit": 100_000} | options))  # type: ignore[arg-type]
        self.lengths: list[int] = []
        self.app.post("/length")(self._length)

    async def _length(self, text: str = Body()) -> int:
        self.lengths.append(len(text))
        return len(text)


@contextlib.contextmanager
def served(service: Service) -> Iterator[int]:
    with web.background(service.app) as url:
        yield int(url.rpartition(":")[2])


def talk(port: int, *parts: bytes, end: bool = False) -> bytes:
    """What is answered to these bytes, until the service closes or has said all."""
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        for part in parts:
            link.sendall(part)
        if end:
            link.shutdown(socket.SHUT_WR)
        return told(link)


def told(link: socket.socket) -> bytes:
    """One answer, or what there is of it where the service closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := link.recv(65536):
            found += more
            head, blank, body = found.partition(b"\r\n\r\n")
            if blank and b"content-length: %d\r\n" % len(body) in head.lower() + b"\r\n":
                break
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def kind(answer: bytes) -> tuple[int, str]:
    return status(answer), json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["kind"]


# --- who a client is ------------------------------------------------------------------------------------------------


def test_no_header_makes_another_client_of_one() -> None:
    names = (b"X-Forwarded-For: 10.0.0.%d\r\n", b"Forwarded: for=10.0.0.%d\r\n", b"X-Real-IP: 10.0.0.%d\r\n")
    with served(Service(rate="5/minute")) as port:
        heads = [POST + names[at % 3] % at + b'Content-Length: 3\r\n\r\n"x"' for at in range(8)]
        assert [status(talk(port, one)) for one in heads] == [200] * 5 + [429] * 3


def test_a_limiter_forgets_the_quiet_and_its_memory_is_bounded() -> None:
    limiter = Limiter("2/minute", most=10)
    assert [limiter.hit("one") for _ in range(3)] == [True, True, False]
    assert limiter.hit("another"), "each has its own"
    for at in range(100):
        limiter.hit(str(at))
    assert len(limiter) == 10


def test_a_limiter_fills_again(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter("60/minute", most=10)
    begun = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begun)
    assert [limiter.hit("one") for _ in range(61)] == [True] * 60 + [False]
    monkeypatch.setattr(time, "monotonic", lambda: begun + 1.5)
    assert [limiter.hit("one") for _ in range(2)] == [True, False]


def test_what_a_foreign_page_sends_takes_nothing_from_the_counters_own() -> None:
    client = TestClient(Service(rate="3/minute").app, base_url="http://127.0.0.1")
    evil = ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"})
    for _ in range(5):
        for headers in evil:
            assert client.post("/length", json="x", headers=headers).status_code == 403
            assert client.get("/openapi.json", headers=headers).status_code == 403
    assert [client.post("/length", json="x").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_person_may_follow_a_link_to_a_page_of_ours_but_no_page_may_frame_it() -> None:
    client = TestClient(Service().app, base_url="http://127.0.0.1")
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/docs", headers=visit).status_code == 200
    assert client.get("/docs", headers=visit | {"sec-fetch-dest": "iframe"}).status_code == 403
    assert client.post("/length", json="x", headers=visit).status_code == 403
    for answer in (client.get("/docs"), client.get("/nothing"), client.post("/length", json=5)):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


def test_a_refused_origin_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(Service().app, base_url="http://127.0.0.1")
    for _ in range(3):
        client.post("/length", json="x", headers={"origin": "https://counter.example"})
    assert caplog.text.count("refused a page of https://counter.example; --origin names pages that may call") == 1
    for at in range(100):
        client.post("/length", json="x", headers={"origin": f"https://{at}.example"})
    assert len(caplog.records) < 50


def test_a_named_page_may_read_its_refusals() -> None:
    client = TestClient(Service(origins=["https://counter.example"], rate="1/minute").app, base_url="http://127.0.0.1")
    answers = [client.post("/length", json="x", headers={"origin": "https://counter.example"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert all(one.headers["access-control-allow-origin"] == "https://counter.example" for one in answers)


# --- deadlines and bounds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", [b"", b"POST /length HT", POST])
def test_a_head_must_come(begin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", 0.3)
    with served(Service()) as port:
        assert kind(talk(port, begin)) == (408, "time")


def test_a_second_head_must_come_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", 0.3)
    with served(Service()) as port, socket.create_connection(("127.0.0.1", port), 20) as link:
        link.sendall(POST + b'Content-Length: 3\r\n\r\n"x"')
        assert status(told(link)) == 200
        link.sendall(b"POST /len")
        assert kind(told(link)) == (408, "time")
        assert link.recv(1) == b""


def test_a_body_must_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.web.guard.Guard.__init__.__kwdefaults__", {"body_time": 0.3, "admit": _anybody()})
    service = Service()
    with served(service) as port:
        for begin in (b'Content-Length: 8\r\n\r\n"xx', b'Transfer-Encoding: chunked\r\n\r\n3\r\n"xx\r\n'):
            assert kind(talk(port, POST + begin)) == (408, "time")
    assert not service.lengths


def _anybody() -> object:
    from harness.web.guard import anybody

    return anybody


@pytest.mark.parametrize("part", [b'Content-Length: 8\r\n\r\n"x"', b'Transfer-Encoding: chunked\r\n\r\n3\r\n"x"\r\n'])
def test_what_came_only_in_part_is_not_carried_out(part: bytes) -> None:
    service = Service()
    with served(service) as port:
        with socket.create_connection(("127.0.0.1", port), 20) as link:
            link.sendall(POST + part)
            time.sleep(0.1)
        talk(port, POST + part, end=True)
        assert status(talk(port, POST + b'Content-Length: 4\r\n\r\n"xy"')) == 200, "it lives on"
    assert service.lengths == [2]


def test_who_only_connects_does_not_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 8)
    with served(Service()) as port, contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(30)]
        for link in held:
            with contextlib.suppress(OSError):
                link.sendall(b"POST /len")
        assert status(talk(port, POST + b'Content-Length: 4\r\n\r\n"xy"')) == 200
        gone = 0
        for link in held:
            link.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                try:
                    gone += link.recv(1) == b""
                except ConnectionResetError:
                    gone += 1
        assert gone >= 22, "only so many are held"


def test_bodies_are_held_up_to_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.web.guard.HELD_MOST", 150_000)
    with served(Service()) as port, socket.create_connection(("127.0.0.1", port), 20) as link:
        large = POST + b"Content-Length: 90002\r\n\r\n"
        link.sendall(large + b'"' + b"x" * 89_000)
        time.sleep(0.3)
        assert kind(talk(port, large + b'"' + b"x" * 90_000 + b'"')) == (503, "busy")
        link.sendall(b"x" * 1000 + b'"')
        assert status(told(link)) == 200
        assert status(talk(port, large + b'"' + b"x" * 90_000 + b'"')) == 200, "once that one is done"


def test_who_sends_too_much_gets_to_read_why() -> None:
    with served(Service()) as port:
        for head in (b"Content-Length: 900000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\ndbba0\r\n"):
            assert kind(talk(port, POST + head, b"x" * 200_000)) == (413, "size")


def test_what_is_no_http_is_told_in_the_shape_of_every_refusal() -> None:
    with served(Service()) as port:
        for wrong in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost:\x00\r\n\r\n"):
            assert kind(talk(port, wrong)) == (400, "http"), wrong


def test_every_route_documents_what_is_refused_at_the_door() -> None:
    schema = TestClient(Service().app, base_url="http://127.0.0.1").get("/openapi.json").json()
    assert {"400", "403", "408", "413", "422", "429", "503"} < set(schema["paths"]["/length"]["post"]["responses"])


def test_a_body_that_cannot_be_parsed_is_answered_as_documented() -> None:
    client = TestClient(Service().app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    for body in (b"{", b"\xff\xfe", b"[" * 90_000, b'"\\ud800"', b"9" * 5000, b'{"a": 1, "a": 2}', b"NaN"):
        answer = client.post("/length", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, body[:10]
        assert answer.json()["error"]["text"]


# --- origins ----------------------------------------------------------------------------------------------------------

MEANT = {
    "https://counter.example/": "https://counter.example",
    "HTTPS://Counter.Example": "https://counter.example",
    "https://counter.example:443": "https://counter.example",
    "http://localhost:80/": "http://localhost",
    "http://localhost:8080": "http://localhost:8080",
    "https://counter.example:80": "https://counter.example:80",
    "http://[0:0::1]:8080": "http://[::1]:8080",
    "https://社保.example": "https://xn--vmqr3w.example",
}
NO_ORIGINS = (
    "*", "null", "", "counter.example", "counter.example:8080", "https://", "https://*.example", "ftp://counter.example",
    "https://counter.example/page", "https://counter.example?", "https://counter.example#x", "https://a@counter.example",
    "https://counter.example:x", "https://counter.example:99999", "https://a b.example", "http://[::x]", "https://.example",
)  # fmt: skip


@pytest.mark.parametrize("text", MEANT)
def test_an_origin_is_taken_as_browsers_send_it(text: str) -> None:
    assert normalised(text).startswith("https://xn--") if "社保" in text else normalised(text) == MEANT[text]
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize("text", NO_ORIGINS)
def test_what_no_browser_sends_is_refused(text: str) -> None:
    with pytest.raises(OriginError, match="origin"):
        normalised(text)


SERVICES = (
    ["driver", "serve", "--no-socket", "--web", "0", "--persona", "adult-chengdu", "--idle", "0.1"],
    ["machine", "serve", "--port", "0"],
    ["office", "serve", "--port", "0"],
)


@pytest.mark.parametrize("command", SERVICES, ids=lambda one: one[0])
@pytest.mark.parametrize("origin", ["*", "https://counter.example/page"])
def test_each_service_refuses_what_is_no_origin(command: list[str], origin: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*command, "--origin", origin], env={"SSCARD_OFFICE": str(tmp_path / "office")})
    assert result.exit_code == 2, result.output
    assert "--origin" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", SERVICES, ids=lambda one: one[0])
def test_each_service_tells_what_it_takes_an_origin_for(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "serve", lambda *_: None)
    monkeypatch.setattr("harness.cli.driver.Path", Path)
    CliRunner().invoke(main, ["office", "init"], env={"SSCARD_OFFICE": str(tmp_path / "office")})
    result = CliRunner().invoke(
        main, [*command, "--origin", "HTTPS://Counter.example:443/"], env={"SSCARD_OFFICE": str(tmp_path / "office")}
    )
    assert result.exit_code == 0, result.output
    assert "--origin HTTPS://Counter.example:443/ is taken as https://counter.example" in result.stderr


def test_threads_end_with_their_service() -> None:
    before = threading.active_count()
    with served(Service()) as port:
        talk(port, POST + b'Content-Length: 4\r\n\r\n"xy"')
    assert threading.active_count() <= before
