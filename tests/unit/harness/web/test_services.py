"""What every service says of itself: alive, ready, counted; and the log of its requests."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Body, FastAPI, WebSocket
from fastapi.testclient import TestClient
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from emulator.errors import NotFound
from harness.hsm.machine import EncryptionMachine
from harness.office.desk import tokens
from harness.office.register import seed
from harness.office.register.failures import RegisterError
from harness.web import app as web
from harness.web import connection, health, hsm
from harness.web.office import create
from harness.web.request_log import RequestLog, RequestLogError
from tests.kit.offices import Desk, citizen
from tests.unit.harness.web.test_doors import HOST, talk

ID, NAME, PIN = "519900199003070118", "测试甲", "135790"
PLANTED = (ID, NAME, PIN, "Zm9yZWlnbg-token", "s3cret-in-query")
PERSON = "/people/{number}"
LOCAL = ("127.0.0.1", 50000)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "requests.jsonl"


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").split("\n") if line]


@contextlib.contextmanager
def office(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder)
    with contextlib.closing(desk.register):
        yield desk


def samples(app: FastAPI, *, accept: str = "") -> dict[str, float]:
    """What /metrics says, as the library's own reader takes it: by name and labels."""
    answer = TestClient(app, base_url="http://127.0.0.1", client=LOCAL).get("/metrics", headers={"accept": accept})
    assert answer.status_code == 200
    parse = openmetrics.text_string_to_metric_families if accept else text_string_to_metric_families
    return {
        f"{one.name}{','.join(f'{name}={value}' for name, value in sorted(one.labels.items()))}": one.value
        for family in parse(answer.text)
        for one in family.samples
    }


def service(**options: Any) -> FastAPI:
    app = web.create("Test", "A service.", **options)

    @app.post("/people/{number}")
    async def person(number: str, text: str = Body()) -> int:
        return len(number + text)

    @app.get("/fault")
    async def fault() -> None:
        raise ZeroDivisionError(ID)

    @app.websocket("/ws")
    async def talk(link: WebSocket) -> None:
        await link.accept()
        await link.send_text(await link.receive_text())

    return app


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(service(), base_url="http://127.0.0.1", client=LOCAL, raise_server_exceptions=False) as client:
        yield client


# --- alive and ready ------------------------------------------------------------------------------------------------


def test_every_service_is_alive_and_ready_and_counts(tmp_path: Path) -> None:
    with office(tmp_path) as desk:
        for app in (service(), hsm.create(EncryptionMachine()), create(desk.office)):
            client = TestClient(app, base_url="http://127.0.0.1")
            assert client.get("/healthz").json() == {"alive": True}
            assert client.get("/readyz").json()["ready"] is True
            assert samples(app)["sscard_http_requests_totalmethod=GET,route=/healthz,status=200"] == 1


def test_what_is_not_ready_is_named_without_any_place_of_this_machine() -> None:
    def gone() -> None:
        raise NotFound("/home/somebody/register.db is gone")

    app = service(ready={"register": gone, "cards": lambda: None, "readers": lambda: 1 // 0})
    answer = TestClient(app, base_url="http://127.0.0.1").get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False, "parts": {"register": "missing", "cards": "ready", "readers": "ZeroDivisionError"}
    }  # fmt: skip


def test_an_office_whose_cards_or_register_are_gone_is_not_ready(tmp_path: Path) -> None:
    with office(tmp_path) as desk:
        client = TestClient(create(desk.office), base_url="http://127.0.0.1")
        (tmp_path / "drawer").rmdir()
        assert client.get("/readyz").json()["parts"] == {"register": "ready", "cards": "unknown"}
        with desk.register.transaction() as session:
            session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'another'")
        assert client.get("/readyz").json()["parts"]["register"] == "broken"


def test_an_office_whose_file_was_taken_away_or_replaced_is_not_ready_and_writes_nothing(tmp_path: Path) -> None:
    with office(tmp_path) as desk:
        client = TestClient(create(desk.office), base_url="http://127.0.0.1")
        file = desk.register.path
        away = file.rename(tmp_path / "away.db")
        assert client.get("/readyz").json()["parts"]["register"] == "broken"
        with pytest.raises(RegisterError, match="is not there any more"):
            desk.applied(citizen(31))
        shutil.copy(away, file)
        assert client.get("/readyz").json()["parts"]["register"] == "broken"
        with pytest.raises(RegisterError, match="another is in its place"):
            desk.applied(citizen(31))
        away.rename(file)
        assert client.get("/readyz").json()["ready"] is True
        assert desk.applied(citizen(31))


# --- metrics --------------------------------------------------------------------------------------------------------


def test_metrics_are_for_this_machine_unless_a_token_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    app = service()
    far = TestClient(app, base_url="http://127.0.0.1", client=("192.0.2.7", 5))
    near = TestClient(app, base_url="http://127.0.0.1", client=LOCAL)
    assert near.get("/metrics").status_code == 200
    assert near.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 403, "a proxy asks for others"
    bearer = {"authorization": "Bearer abc"}
    assert far.get("/metrics").status_code == far.get("/metrics", headers=bearer).status_code == 403
    assert far.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403
    monkeypatch.setenv(health.TOKEN, "abc")
    assert far.get("/metrics", headers=bearer).status_code == 200
    assert far.get("/metrics", headers={"authorization": "Bearer abd"}).status_code == 403


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
def test_what_is_counted_is_what_was_asked(client: TestClient, accept: str) -> None:
    assert client.post(f"/people/{ID}", json="x").status_code == 200
    assert client.post("/people/2", json=5).status_code == 422
    assert client.get("/fault").status_code == 500
    assert client.get(f"/nobody/{ID}").status_code == 404
    client.request("BREW" + ID, "/people/1")
    with client.websocket_connect("ws://127.0.0.1/ws") as link:
        link.send_text(ID)
        link.receive_text()
    found = samples(client.app, accept=accept)  # type: ignore[arg-type]
    counted = {name: value for name, value in found.items() if name.startswith("sscard_http_requests_total")}
    assert counted == {
        "sscard_http_requests_totalmethod=POST,route=/people/{number},status=200": 1,
        "sscard_http_requests_totalmethod=POST,route=/people/{number},status=422": 1,
        "sscard_http_requests_totalmethod=GET,route=/fault,status=500": 1,
        "sscard_http_requests_totalmethod=GET,route=unmatched,status=404": 1,
        "sscard_http_requests_totalmethod=OTHER,route=/people/{number},status=405": 1,
        "sscard_http_requests_totalmethod=WEBSOCKET,route=/ws,status=101": 1,
    }
    assert found["sscard_http_requests_in_flight"] == 1, "this very request"
    assert found["sscard_refusals_totalkind=fault"] == found["sscard_refusals_totalkind=input"] == 1
    assert not any(one in name for name in found for one in PLANTED)


# --- the log --------------------------------------------------------------------------------------------------------


def test_a_line_says_who_asked_for_what_and_how_it_ended_and_nothing_of_anybody(tmp_path: Path, log: Path) -> None:
    with office(tmp_path) as desk:
        app = create(desk.office)
        with desk.register.transaction() as session:
            token = tokens.give(session, seed.MAKER, desk.clock.now())
        client = TestClient(app, base_url="http://127.0.0.1")
        with web.logged(app, str(log)):
            bearer = {"authorization": f"Bearer {token}"}
            asked = {"person": citizen().model_dump(mode="json"), "bank": "bank-a", "shown": [], "electronic_pin": PIN}
            refused = client.post("/operations/apply", json=asked, headers=bearer)
            client.post(f"/operations/apply?{ID}=s3cret-in-query", json=NAME, headers=bearer)
            client.get("/trail", headers={"authorization": "Bearer Zm9yZWlnbg-token"})
            client.get(
                f"/{ID}/{NAME}",
                headers=[(b"x-request-id", ID.encode()), (b"user-agent", NAME.encode()), (b"cookie", PIN.encode())],
            )
            client.get("/cards/A00000011", headers=bearer)
    assert refused.status_code == 409
    lines = entries(log)
    assert [(one["route"], one["status"], one["kind"], one["rule"], one["who"], one["role"]) for one in lines] == [
        ("/operations/apply", 409, "refused", refused.json()["error"]["rule"], "clerk-maker", "clerk"),
        ("/operations/apply", 422, "input", "", "clerk-maker", "clerk"),
        ("/trail", 401, "token", "", "", ""),
        ("unmatched", 404, "http", "", "", ""),
        ("/cards/{card}", 404, "unknown", "", "clerk-maker", "clerk"),
    ]
    assert set(lines[0]) == {
        "time", "id", "method", "route", "status", "ms", "client", "who", "role", "kind", "rule"
    }  # fmt: skip
    text = log.read_text(encoding="utf-8")
    assert not [one for one in (*PLANTED, token) if one in text or json.dumps(one)[1:-1] in text]
    found = samples(app)
    assert found["sscard_auth_failures_totalkind=token"] == 1
    assert found["sscard_register_write_wait_seconds_count"] >= 2


def test_an_id_is_taken_over_where_it_can_only_be_one(client: TestClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    for headers, expected in (
        ({"x-request-id": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"}, "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ({"x-request-id": trace}, trace),
        ({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, trace),
    ):
        assert client.get("/healthz", headers=headers).headers["x-request-id"] == expected
    for planted in (ID, 'a"}\n{"id": "b', "6" * 33, "x" * 32):
        told = client.get("/healthz", headers={"x-request-id": planted.replace("\n", " ")}).headers["x-request-id"]
        assert len(told) == 32
        assert planted[:18] not in told
    assert client.get("/fault", headers={"x-request-id": trace}).headers["x-request-id"] == trace


def test_what_a_client_writes_cannot_make_a_line(log: Path) -> None:
    app = service()
    with web.background(app) as url, web.logged(app, str(log)):
        port = int(url.rpartition(":")[2])
        evil = b"GET /x%0a%7b%22id%22%3a1%7d?\xe2\x80\xa8 HTTP/1.1\r\n" + HOST + b'X-Request-ID: {"a": 1}\\n{}\r\n\r\n'
        talk(port, evil.replace(b"\xe2\x80\xa8", b"%E2%80%A8"))
        talk(port, b'P"\\\x1b[2J / HTTP/1.1\r\n' + HOST + b"\r\n")
    assert [(one["route"], one["status"], one["kind"]) for one in entries(log)] == [
        ("unmatched", 404, "http"), ("connection", 400, "http"),
    ]  # fmt: skip


def test_slow_and_broken_clients_are_told_of_too(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_TIME", 0.2)
    app = service(body_limit=100)
    with web.background(app) as url, web.logged(app, str(log)):
        port = int(url.rpartition(":")[2])
        assert talk(port, b"GET / HT")  # 408
        talk(port, b"nothing of HTTP\r\n\r\n")
        talk(port, b"POST /people/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST /people/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n1")
        talk(port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        monkeypatch.setattr(connection, "MOST", 1)
        with (
            socket.create_connection(("127.0.0.1", port)) as first,
            socket.create_connection(("127.0.0.1", port)) as second,
        ):
            first.settimeout(20)
            first.recv(1)
            second.settimeout(20)
            second.recv(1)
    kinds = [(one["route"], one["status"], one["kind"]) for one in entries(log)]
    assert kinds[:3] == [("connection", 408, "time"), ("connection", 400, "http"), (PERSON, 413, "size")]
    assert (PERSON, None, "gone") in kinds
    assert ("connection", None, "connections") in kinds
    found = samples(app)
    assert found["sscard_refusals_totalkind=time"] >= 1
    assert found["sscard_refusals_totalkind=connections"] == 1


def test_a_log_that_was_moved_goes_on_under_its_name(tmp_path: Path, log: Path) -> None:
    app = service()
    client = TestClient(app, base_url="http://127.0.0.1")
    with web.logged(app, str(log)):
        client.get("/healthz")
        log.rename(tmp_path / "requests.jsonl.1")
        client.get("/readyz")
    assert [one["route"] for one in entries(tmp_path / "requests.jsonl.1")] == ["/healthz"]
    assert [one["route"] for one in entries(log)] == ["/readyz"]


def test_a_log_that_cannot_be_begun_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestLogError, match="cannot be written"):
        RequestLog(str(tmp_path / "nowhere" / "log"))


def test_a_full_disk_costs_lines_and_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    app = service()
    client = TestClient(app, base_url="http://127.0.0.1")
    with web.logged(app, "/dev/full"):
        assert [client.get("/healthz").status_code for _ in range(3)] == [200] * 3
    assert capsys.readouterr().err.count("lines are lost") == 1
