"""What `sscard driver serve --web` says of itself, asked of the command: ready, counted, logged."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from harness.cli import main
from harness.driver import wire
from harness.driver.codes import Code
from harness.driver.server import Server
from harness.readers import pcsc
from harness.web import app as web

PIN, WRONG = "142857", "142858"
"""The changed PIN of persona pin-changed, and one that is none."""
VERIFY = {"function": "iVerifyPIN", "iType": 3}
READER = "Virtual PCD 00 00"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the command, and meanwhile what is given, with the service's address; the command then ends by itself."""
    urls: list[str] = []
    background, serve = web.background, Server.serve

    @contextmanager
    def told(app: FastAPI, port: int) -> Iterator[str]:
        with background(app, port) as url:
            urls.append(url)
            yield url

    def run(meanwhile: Callable[[httpx2.Client], None], *options: str) -> None:
        def serving(server: Server) -> None:
            with ThreadPoolExecutor(1) as one, httpx2.Client(base_url=urls[-1], timeout=20, trust_env=False) as client:
                done = one.submit(meanwhile, client)
                done.add_done_callback(lambda _: server.stop())
                serve(server)
                done.result()

        monkeypatch.setattr(Server, "serve", serving)
        ended = CliRunner().invoke(main, ["driver", "serve", "--web", "0", *options], catch_exceptions=False)
        assert ended.exit_code == 0, ended.output

    monkeypatch.setattr(web, "background", told)
    return run


def counted(client: httpx2.Client, family: str, *labels: str) -> dict[tuple[str, ...], float]:
    """One family's totals, by the values of these labels."""
    found = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}[family]
    return {
        tuple(one.labels[name] for name in labels): one.value for one in found.samples if one.name.endswith("_total")
    }


def over_the_wire(place: Path, *parts: str) -> int:
    """The code of one call as the C library makes it."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(20)
        link.connect(str(place))
        wire.receive(link)
        link.sendall(wire.frame(*(part.encode() for part in parts)))
        return int(wire.receive(link).split(b"\0")[0])


def test_calls_of_every_front_are_counted_and_requests_logged(served: Callable[..., None], tmp_path: Path) -> None:
    log, place = tmp_path / "requests.jsonl", tmp_path / "s"

    def use(client: httpx2.Client) -> None:
        assert client.get("/healthz").json() == {"alive": True}
        assert client.get("/readyz").json() == {"ready": True, "parts": {}}, "cards in the process need no reader"
        assert client.post("/call", json={**VERIFY, "pad": [PIN]}).json()["success"] == "1"
        assert client.post("/call", json={**VERIFY, "pad": [WRONG]}).json()["success"] == str(int(Code.PIN_WRONG))
        assert client.post(f"/call/{PIN}").status_code == 404
        with connect(f"ws://127.0.0.1:{client.base_url.port}/test/ws", proxy=None) as link:
            link.send(json.dumps({"function": "iReadCardBas", "iType": 9}))
            link.recv(20)
        assert over_the_wire(place, "iVerifyPIN", "3") == Code.PIN_TIMED_OUT, "no pad was given anything"
        assert counted(client, "sscard_driver_calls", "function", "code") == {
            ("iScriptPad", "0"): 2, ("iVerifyPIN", "0"): 1, ("iVerifyPIN", str(int(Code.PIN_WRONG))): 1,
            ("iReadCardBas", str(int(Code.WRONG_TYPE))): 1, ("iVerifyPIN", str(int(Code.PIN_TIMED_OUT))): 1,
        }  # fmt: skip
        assert counted(client, "sscard_pin_failures", "where") == {("card",): 1}
        asked = counted(client, "sscard_http_requests", "route", "method", "status")
        assert asked["/call", "POST", "200"] == 2
        assert asked["unmatched", "POST", "404"] == 1
        far = client.get("/metrics", headers={"x-forwarded-for": "192.0.2.7"})
        assert (far.status_code, far.json()["error"]["kind"]) == (403, "metrics")

    served(use, "--persona", "pin-changed", "--socket", str(place), "--request-log", str(log))
    text = log.read_text(encoding="utf-8")
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    told = [(one["method"], one["route"], one["status"], one["kind"]) for one in lines if one["route"] != "/metrics"]
    assert sorted(told) == [
        ("GET", "/healthz", 200, ""), ("GET", "/readyz", 200, ""), ("POST", "/call", 200, ""),
        ("POST", "/call", 200, ""), ("POST", "unmatched", 404, "http"), ("WEBSOCKET", "/test/ws", 101, ""),
    ]  # fmt: skip
    assert ("/metrics", 403, "metrics") in [(one["route"], one["status"], one["kind"]) for one in lines]
    assert PIN not in text
    assert WRONG not in text


def test_readers_make_it_ready_and_their_loss_unready(
    served: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[str] = []
    monkeypatch.setattr(pcsc, "reader_names", lambda: there)

    def use(client: httpx2.Client) -> None:
        for names, status, word in ([], 503, "reader"), ([READER], 200, "ready"), (["Other 01 00"], 503, "reader"):
            there[:] = names
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()) == (status, {"ready": status == 200, "parts": {"reader": word}})
            assert client.get("/healthz").status_code == 200, "alive all the same"
        assert READER not in answer.text

    served(use, "--reader", "Virtual PCD", "--no-socket")
