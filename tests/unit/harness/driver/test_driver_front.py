"""The interface, the wire and the WebSocket and HTTP front, over a card in this process."""

from __future__ import annotations

import contextlib
import inspect
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from emulator.chip import Chip
from harness.driver import endpoint, wire
from harness.driver.clients import Client, Clients
from harness.driver.codes import ERROR_MOST, Code, DriverError, error_text, words
from harness.driver.interface import EXPORTED, FUNCTIONS, IN_MOST, OUT_MOST, VENDORS
from harness.driver.library import SSCardDriver
from harness.driver.lock import HOLD
from harness.driver.readers import Given
from harness.driver.server import Server
from harness.hsm.machine import EncryptionMachine
from harness.readers.connection import Connection, InProcess
from harness.readers.pcsc import UNKNOWN_READER, PcscError
from harness.serving.control import ControlError
from harness.web import driver as front
from harness.web.app import BODY_LIMIT, background
from tests.kit.cards import new_card

BASIC = {"function": "iReadCardBas", "iType": 3}
BROKEN = [
    (b"\0", -13), (b"iReadCardBas", -23), (b"iReadCardBas\0", -14), (b"iReadCardBas\x003", -23),
    (b"iReadCardBas\x003\x003\0", -14), (b"iReadCardBas\x00x\0", -14), (b"iReadCardBas\x0099999999999\0", -14),
    (b"iReadCardBas\x00\xb2\xb3\0", -14), (b"iReadCardBas\x00\xff\0", -41), (b"__class__\0", -13), (b"close\0", -13),
    (b"iReadCard\x003\x002\x00" + b"x" * IN_MOST + b"\x00x\0", -14), (b"iReadCardBas\x007\0", -1),
]  # fmt: skip


def clients(*script: str, most: int = 64) -> Clients:
    card, own = new_card().chip, Chip(new_card("psam", "3des", "psam").chip.image)
    return Clients(Given(lambda _: InProcess(card), lambda: InProcess(own)), script, most)


# --- the interface -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_python_class_has_each_function(name: str) -> None:
    taken = list(inspect.signature(getattr(SSCardDriver, name)).parameters)
    assert taken == ["self", *(one.name for one in FUNCTIONS[name].given)]


def test_the_python_class_has_no_other_function() -> None:
    assert {name for name in dir(SSCardDriver) if re.match("i[A-Z]|PKI_", name)} == {*FUNCTIONS, *VENDORS}


def test_declarations() -> None:
    assert EXPORTED["iReadCardBas"].declared == "long iReadCardBas(int iType, char *pOutInfo)"
    assert EXPORTED["iScriptPad"].declared == "long iScriptPad(char *pEntries)"
    assert [name for name, one in FUNCTIONS.items() if one.step == 3] == [
        "iReloadPIN_HSM_Step3",
        "iUnblockPIN_HSM_Step3",
    ]


# --- the wire ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(path: Path, most: int = 64, idle: float | None = None, those: Clients | None = None) -> Iterator[Path]:
    """A server in a thread of this process."""
    listener = endpoint.unix(path)
    server = Server(those or clients(most=most), [listener], idle)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield path
    finally:
        if thread.is_alive():
            server.stop()
        thread.join()
        server.close()


class Link:
    """A client that says what it likes."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.greeting = self.answer()

    def answer(self) -> tuple[int, str]:
        code, out = wire.receive(self.socket, 2 * OUT_MOST).decode("gbk").split("\0")[:2]
        self.socket.settimeout(20)
        return int(code), out

    def say(self, data: bytes) -> tuple[int, str]:
        self.socket.sendall(data)
        return self.answer()

    def ask(self, *parts: str) -> tuple[int, str]:
        return self.say(wire.frame(*(part.encode("gbk") for part in parts)))

    def rest(self) -> bytes:
        """Whatever comes until the server closes; it may do so without reading all that was said."""
        found = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.shutdown(socket.SHUT_WR)
            while more := self.socket.recv(65536):
                found += more
        return found


def test_what_is_no_frame_is_a_code_and_the_server_lives_on(tmp_path: Path) -> None:
    with served(tmp_path / "s") as path:
        link = Link(path)
        assert link.greeting == (0, "SSCardDriver 1")
        for body, code in BROKEN:
            assert link.say(len(body).to_bytes(4, "big") + body)[0] == code, body
            assert link.ask("iReadCardBas", "3")[0] == 0
        for length in (0, wire.REQUEST_MOST + 1, 0xFFFFFFFF):
            link = Link(path)
            assert link.say(length.to_bytes(4, "big"))[0] == -23
            assert link.socket.recv(1) == b"", "where the next frame begins is not known"
        for part in (b"\0", b"\0\0\0", b"\0\0\0\x10iRead"):
            link = Link(path)
            link.socket.sendall(part)
            assert link.rest() == b""
        assert Link(path).ask("iReadCardBas", "3")[0] == 0


def test_a_frame_that_has_begun_must_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FRAME_TIMEOUT", 0.05)
    with served(tmp_path / "s") as path:
        link = Link(path)
        link.socket.sendall(b"\0\0")
        assert link.socket.recv(1) == b""


def test_only_so_many_clients(tmp_path: Path) -> None:
    with served(tmp_path / "s", most=2) as path:
        held = [Link(path), Link(path)]
        assert Link(path).greeting[0] == -11
        held.pop().socket.close()
        while (link := Link(path)).greeting[0] != 0:
            pass  # the server has to see that the other one went
        assert link.ask("iReadCardBas", "3")[0] == 0


def test_where_there_are_no_more_threads_one_client_goes_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with served(tmp_path / "s", most=2) as path:
        first = Link(path)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            for _ in range(3):
                with socket.socket(socket.AF_UNIX) as refused:
                    refused.settimeout(20)
                    refused.connect(str(path))
                    assert refused.recv(1) == b""
        assert first.ask("iReadCardBas", "3")[0] == 0
        assert Link(path).ask("iReadCardBas", "3")[0] == 0, "nobody is counted who is not there"


def test_steps_and_pad_live_and_die_with_the_connection(tmp_path: Path) -> None:
    with served(tmp_path / "s") as path:
        first, second = Link(path), Link(path)
        assert first.ask("iScriptPad", "123456")[0] == 0
        request = first.ask("iReadCardBas_HSM_Step1", "3")[1]
        first.socket.close()
        begun = time.monotonic()
        assert second.ask("iVerifyPIN", "1")[0] == -32
        assert time.monotonic() - begun < HOLD / 2, "the card is free at once"
        assert second.ask("iReadCardBas_HSM_Step2", EncryptionMachine().basic(request))[0] == -12


def test_a_fault_of_ours_ends_one_connection_and_is_logged_without_what_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Client, *arguments: object) -> None:
        raise KeyError(*arguments)

    with served(tmp_path / "s") as path:
        link, other = Link(path), Link(path)
        with monkeypatch.context() as patch:
            patch.setattr(Client, "call", fail)
            link.socket.sendall(wire.frame(b"iScriptPad", b"246802"))
            assert link.socket.recv(1) == b""
        assert other.ask("iReadCardBas", "3")[0] == 0
    assert "KeyError, which nobody foresaw" in caplog.text
    assert "246802" not in caplog.text


def test_it_ends_when_nobody_is_there(tmp_path: Path) -> None:
    with served(tmp_path / "s", idle=0.1) as path:
        deadline = time.monotonic() + 20
        while path.exists():
            assert time.monotonic() < deadline


def test_a_path_has_one_server(tmp_path: Path) -> None:
    with served(tmp_path / "s") as path, pytest.raises(endpoint.PlaceError, match="another driver"):
        endpoint.unix(path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(endpoint.PlaceError, match="name another"):
        endpoint.unix(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    listener = endpoint.unix(path)
    assert path.stat().st_mode & 0o777 == 0o600
    listener.close()
    assert not path.exists()


def test_the_usual_folder_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder, elsewhere = endpoint.default().parent, tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    for target in (elsewhere, tmp_path / "nowhere"):
        folder.symlink_to(target)
        with pytest.raises(ControlError, match="not this user's alone"):
            endpoint.unix(endpoint.default())
        folder.unlink()
    folder.mkdir()
    folder.chmod(0o770)
    with pytest.raises(ControlError, match="not this user's alone"):
        endpoint.unix(endpoint.default())
    folder.chmod(0o700)
    endpoint.unix(endpoint.default()).close()
    assert not list(elsewhere.iterdir())


# --- WebSocket and HTTP --------------------------------------------------------------------------------------------


@pytest.fixture
def web() -> TestClient:
    return TestClient(front.create(clients("123456"), ["https://counter.example"]), base_url="http://127.0.0.1")


def said(link: WebSocketTestSession, message: Any) -> dict[str, str]:
    link.send_text(message if isinstance(message, str) else json.dumps(message))
    told: dict[str, str] = link.receive_json()
    return told


@pytest.mark.parametrize("path", ["/", "/ws"])
def test_a_websocket_reads_a_card(web: TestClient, path: str) -> None:
    with web.websocket_connect(f"ws://127.0.0.1{path}") as link:
        told = said(link, BASIC)
        assert (told["functionName"], told["success"]) == ("iReadCardBas", "1")
        assert told["pOutInfo"].split("|")[4] == "测试甲"
        address = {"iAuthType": 2, "pCardInfo": "||", "pFileAddr": "SSSEEF05|07|$", "pOutInfo": ""}
        assert said(link, {"function": "iReadCard", "iType": 3, **address})["pOutInfo"] == "SSSEEF05|A00000011|$"


WRONG: list[tuple[Any, str, str]] = [
    ("not JSON", "", "-23"), ("[" * 10000, "", "-23"), ("[]", "", "-23"), ("", "", "-23"), ({}, "", "-13"),
    ({"function": 7}, "7", "-13"), ({"function": "iFoo"}, "iFoo", "-13"), ({"function": "close"}, "close", "-13"),
    ({"function": "iReadCardBas"}, "iReadCardBas", "-14"), ({**BASIC, "iType": "x"}, "iReadCardBas", "-14"),
    ({**BASIC, "iType": True}, "iReadCardBas", "-14"), ({**BASIC, "iType": 2**31}, "iReadCardBas", "-14"),
    ({**BASIC, "iType": 3.0}, "iReadCardBas", "-14"), ({**BASIC, "other": 1}, "iReadCardBas", "-14"),
    ({**BASIC, "iType": 9}, "iReadCardBas", "-1"), ({"function": "pad", "entries": "123456"}, "pad", "-14"),
    ({"function": "pad", "entries": [123456]}, "pad", "-14"), ({"function": "pad"}, "pad", "-14"),
    ({"function": "iReloadPIN", "iType": 1, "pCardInfo": "a\0b"}, "iReloadPIN", "-14"),
    ('{"function": "\\ud800"}', "", "-23"), ('{"function": "iVerifyPIN", "iType": 1, "pad": ["\\udfff"]}', "", "-23"),
    ('{"function": "iVerifyPIN", "function": "iReadCardBas", "iType": 1}', "", "-23"), ("9" * 5000, "", "-23"),
]  # fmt: skip


def test_what_is_no_message_is_a_code_and_the_connection_lives_on(web: TestClient) -> None:
    with web.websocket_connect("ws://127.0.0.1/ws") as link:
        for message, name, code in WRONG:
            told = said(link, message)
            assert (told["functionName"], told["success"], bool(told["pOutInfo"])) == (name, code, True), message
        link.send_bytes(b"\xff\xfe")
        assert link.receive_json()["success"] == "-23"
        assert said(link, BASIC)["success"] == "1"


def test_a_websocket_is_a_session(web: TestClient) -> None:
    verify = {"function": "iVerifyPIN", "iType": 1}
    with web.websocket_connect("ws://127.0.0.1/") as one, web.websocket_connect("ws://127.0.0.1/") as other:
        assert said(one, {"function": "pad", "entries": ["cancel", "111111"]}) == {
            "functionName": "pad",
            "success": "1",
            "pOutInfo": "",
        }
        assert said(other, verify)["success"] == "-35", "its own pad, with what every client begins with"
        assert [said(one, verify)["success"] for _ in range(3)] == ["-31", "-51", "-32"]
        assert said(one, {**verify, "pad": ["cancel"]})["success"] == "-31"
        request = said(one, {"function": "iReadCardBas_HSM_Step1", "iType": 3})["pOutInfo"]
        key = EncryptionMachine().basic(request)
        assert said(one, {"function": "iReadCardBas_HSM_Step2", "pKey": key})["success"] == "1"


def test_clients_that_wait_do_not_keep_the_one_between_two_steps_from_going_on() -> None:
    with background(front.create(clients("123456"))) as url, contextlib.ExitStack() as stack:
        links = [stack.enter_context(connect(f"{url.replace('http', 'ws')}/ws")) for _ in range(60)]
        links[0].send(json.dumps({"function": "iReadCardBas_HSM_Step1", "iType": 3}))
        request = json.loads(links[0].recv(20))["pOutInfo"]
        for other in links[1:]:
            other.send(json.dumps(BASIC))
        key = EncryptionMachine().basic(request)
        begun = time.monotonic()
        links[0].send(json.dumps({"function": "iReadCardBas_HSM_Step2", "pKey": key}))
        assert json.loads(links[0].recv(HOLD))["success"] == "1"
        assert time.monotonic() - begun < HOLD / 2
        assert json.loads(links[-1].recv(HOLD))["success"] == "1", "the others have their turns then"


def test_calls_over_http(web: TestClient) -> None:
    def call(message: Any) -> dict[str, str]:
        told: dict[str, str] = web.post(
            "/call", content=message if isinstance(message, str) else json.dumps(message)
        ).json()
        return told

    assert call(BASIC)["pOutInfo"].split("|")[4] == "测试甲"
    for message, name, code in WRONG:
        expected = "-13" if name == "pad" else code
        assert (call(message)["functionName"], call(message)["success"]) == (name, expected), message
    assert call({"function": "iVerifyPIN", "iType": 1, "pad": ["cancel"]})["success"] == "-31"
    assert call({"function": "iReadCardBas_HSM_Step1", "iType": 3})["success"] == "-13", "steps need a session"


def test_the_schema_has_every_whole_function(web: TestClient) -> None:
    body = web.get("/openapi.json").json()["paths"]["/call"]["post"]["requestBody"]
    told = {one["title"]: one["required"][1:] for one in body["content"]["application/json"]["schema"]["oneOf"]}
    assert told == {name: [given.name for given in one.given] for name, one in FUNCTIONS.items() if not one.step}


def test_pages_of_other_origins_are_refused(web: TestClient) -> None:
    evil = {"origin": "https://evil.example"}
    assert web.post("/call", json=BASIC, headers=evil).status_code == 403
    with pytest.raises(WebSocketDisconnect), web.websocket_connect("ws://127.0.0.1/ws", headers=evil):
        pass
    good = {"origin": "https://counter.example"}
    with web.websocket_connect("ws://127.0.0.1/ws", headers=good) as link:
        assert said(link, BASIC)["success"] == "1"


def test_only_so_many_sessions() -> None:
    web = TestClient(front.create(clients(most=1)), base_url="http://127.0.0.1")
    with web.websocket_connect("ws://127.0.0.1/ws") as link:
        assert said(link, BASIC)["success"] == "1"
        assert web.post("/call", json=BASIC).json()["success"] == "-11"
        with pytest.raises(WebSocketDisconnect) as refused, web.websocket_connect("ws://127.0.0.1/ws") as second:
            second.receive_text()
        assert refused.value.code == front.TRY_AGAIN_LATER
        assert said(link, BASIC)["success"] == "1"


def test_a_message_has_a_limit() -> None:
    with background(front.create(clients())) as url, connect(f"{url.replace('http', 'ws')}/ws") as link:
        link.send(json.dumps({**BASIC, "other": "x" * BODY_LIMIT}))
        with pytest.raises(ConnectionClosed) as closed:
            link.recv(20)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009


def test_the_page_needs_no_network(web: TestClient) -> None:
    page = web.get("/")
    assert page.url.path == "/test"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"(src|href)=", page.text)


# --- errors --------------------------------------------------------------------------------------------------------

READERS = [f"测试读卡器 {number} Virtual Reader of a long name, 公司" for number in range(9)]


def crowded() -> Clients:
    """Of a machine with many readers, none of which will do: the error lists them."""

    def none(_: int) -> Connection:
        raise PcscError(f"no reader of this kind; there are {READERS}", UNKNOWN_READER)

    return Clients(Given(none, lambda: None))


def test_an_error_has_127_bytes_at_most_whoever_calls(tmp_path: Path) -> None:
    with served(tmp_path / "s", those=crowded()) as path:
        code, text = Link(path).ask("iReadCardBas", "3")
    web = TestClient(front.create(crowded()), base_url="http://127.0.0.1")
    told = web.post("/call", json=BASIC).json()
    with web.websocket_connect("ws://127.0.0.1/ws") as talk:
        assert said(talk, BASIC) == told
    assert (code, told["success"]) == (-11, "-11")
    assert text == told["pOutInfo"], "the same at each front"
    assert ERROR_MOST - 3 < len(text.encode()) <= ERROR_MOST
    assert f"no reader of this kind; there are {READERS}".startswith(text.partition(": ")[2])


@pytest.mark.parametrize("text", ["密" * 200, "x" + "码" * 200, "𠮷" * 99, "é" * 200, "\ud800" * 200, "a" * 128])
def test_an_errors_text_is_cut_at_a_whole_character(text: str) -> None:
    cut = error_text(text)
    assert text.startswith(cut)
    longest = max(len(cut.encode(encoding, "replace")) for encoding in ("gbk", "utf-8"))
    assert ERROR_MOST - 4 < longest <= ERROR_MOST
    assert DriverError(-14, text).text == cut


def test_a_short_error_stays_whole() -> None:
    assert error_text("a" * ERROR_MOST) == "a" * ERROR_MOST
    assert all(len(words(code, 9).encode()) <= ERROR_MOST for code in Code)
