"""The encryption machine as a service: statuses, its OpenAPI page, what its client makes of machines that misbehave."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openapi_spec_validator import validate

from harness.hsm.client import MachineClient
from harness.hsm.machine import EncryptionMachine, MachineError
from harness.web import app as web
from harness.web import hsm as service
from harness.web import refusals
from harness.web.hsm import CARD, EXAMPLES

EXTERNAL = EXAMPLES["/external"][0]


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(service.create(EncryptionMachine()), base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def schema(client: TestClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json()
    return told


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("input", {"factor": "00"}),
        ("input", {"pin": "123456"}),
        ("algorithm", {"card": {**CARD, "algorithm": "02"}}),
        ("region", {"card": {**CARD, "region": "440100"}}),
        ("address", {"address": "0173"}),
        ("level", {"levels": 3}),
    ],
)
def test_every_kind_has_a_status(client: TestClient, kind: str, wrong: dict[str, Any]) -> None:
    answer = client.post("/external", json={**EXTERNAL, **wrong})
    assert (answer.status_code, answer.json()["error"]["kind"]) == (refusals.status(MachineError(kind, "")), kind)


def test_keys_have_no_values(client: TestClient) -> None:
    rows = client.get("/keys").json()
    assert {row["address"]: row["name"] for row in rows} == EncryptionMachine().addresses
    assert {name for row in rows for name in row} == {"address", "name", "levels", "purpose", "purpose_zh"}


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_schema_is_openapi(schema: dict[str, Any]) -> None:
    validate(schema)


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_work(client: TestClient, schema: dict[str, Any], path: str) -> None:
    operation = schema["paths"][path]["post"]
    asked = operation["requestBody"]["content"]["application/json"]["example"]
    told = client.post(path, json=asked)
    assert told.status_code == 200
    assert told.json() == operation["responses"]["200"]["content"]["application/json"]["example"]


def bilingual(text: str) -> bool:
    return any("一" <= one <= "鿿" for one in text) and any(one.isascii() and one.isalpha() for one in text)


def test_everything_is_described_in_both_languages(schema: dict[str, Any]) -> None:
    assert bilingual(schema["info"]["title"])
    assert bilingual(schema["info"]["description"])
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert len(operations) == 9
    for one in operations:
        assert bilingual(one["summary"])
        assert bilingual(one["description"])
        assert all(bilingual(told["description"]) for status, told in one["responses"].items() if status != "200")
    for name, model in schema["components"]["schemas"].items():
        assert bilingual(model["description"]), name


def test_every_field_that_comes_in_is_limited(schema: dict[str, Any]) -> None:
    fields = 0
    for name in ("Basic", "External", "Pin", "Debit", "Proof", "CardBody"):
        model = schema["components"]["schemas"][name]
        assert model["additionalProperties"] is False
        for label, field in model["properties"].items():
            if "$ref" in field or field.get("type") == "boolean":
                continue
            kinds = [one for one in field.get("anyOf", [field]) if one["type"] != "null"]
            assert all({"pattern", "maxLength"} <= set(one) or {"minimum", "maximum"} <= set(one) for one in kinds), (
                label
            )
            assert bilingual(field["description"])
            fields += 1
    assert fields > 25


# --- the client ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:35990", "ftp://127.0.0.1", "http://", "http://h:port", "http://me:secret@h"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(MachineError, match="expected one like http://") as error:
        MachineClient(url)
    assert error.value.word == "input"
    assert "secret" not in str(error.value)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_dead_machine_is_a_sentence() -> None:
    port = free_port()
    with pytest.raises(MachineError, match=f"no encryption machine answers at 127.0.0.1:{port}: .*refused") as error:
        MachineClient(f"http://127.0.0.1:{port}").basic("1|")
    assert error.value.word == "link"


def test_a_mute_machine_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        client = MachineClient(f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.2)
        with pytest.raises(MachineError, match="timed out") as error:
            client.basic("1|")
    assert error.value.word == "link"


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[MachineClient]:
    """Something at an address that answers one request, whatever it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_one() -> None:
            link, _ = listener.accept()
            with link:
                link.recv(65536)
                link.sendall(answer)

        thread = threading.Thread(target=answer_one)
        thread.start()
        yield MachineClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=5)
        thread.join()


def response(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", response("<html>"), response("{}"),
        response('{"answer": 5}'), response("[" * 60000), response("null"), response("no", "404 Not Found"),
        response('{"error": 5}', "500 Oops"), b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{",
        response("", "302 Found\r\nLocation: file:///etc/hostname"),
    ],
)  # fmt: skip
def test_what_is_no_machine(answer: bytes) -> None:
    with answering(answer) as client, pytest.raises(MachineError, match=r"127\.0\.0\.1:\d+") as error:
        client.basic("1|")
    assert error.value.word == "link"


def test_keys_of_what_is_no_machine() -> None:
    with answering(response(json.dumps([{"name": "x"}]))) as client, pytest.raises(MachineError) as error:
        _ = client.addresses
    assert error.value.word == "link"


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with web.background(service.create(EncryptionMachine())) as url:
        assert MachineClient(url).addresses["0173"] == "STK"


def test_a_refusal_of_the_service_itself_keeps_its_kind() -> None:
    with web.background(service.create(EncryptionMachine(), rate="1/minute")) as url:
        client = MachineClient(f"{url}/")
        assert client.addresses
        with pytest.raises(MachineError) as error:
            _ = client.addresses
    assert error.value.word == "rate"
