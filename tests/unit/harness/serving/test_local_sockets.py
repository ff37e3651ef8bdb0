"""Sockets of this user's own, as Unix sockets and as ports of loopback, which is what Windows has."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.serving import control, local_sockets
from harness.serving.control import ControlError
from harness.serving.local_sockets import NONCE, PROOF, Listener


@pytest.fixture(params=["unix", "tcp"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "unix" and sys.platform == "win32":
        pytest.skip("Python has no Unix sockets there")
    monkeypatch.setenv(local_sockets.VARIABLE, request.param)
    return str(request.param)


@contextlib.contextmanager
def admitting(listener: Listener) -> Iterator[list[bool]]:
    """Takes one who connects, and says whether it was admitted."""
    found: list[bool] = []

    def take() -> None:
        stream, __ = listener.sock.accept()
        with stream:
            found.append(listener.admits(stream))
            if found[-1]:
                stream.sendall(b"welcome")

    thread = threading.Thread(target=take)
    thread.start()
    yield found
    thread.join()


def test_who_reads_the_path_is_let_in(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run-1.sock"
    with local_sockets.listen(path) as listener, admitting(listener), local_sockets.connect(path, 5) as stream:
        assert stream.recv(7) == b"welcome"
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.is_socket() is (kind == "unix")
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        local_sockets.connect(path, 5)


def test_what_a_killed_one_left_refuses(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run-1.sock"
    listener = local_sockets.listen(path)
    listener.sock.close()
    with pytest.raises(ConnectionRefusedError):
        local_sockets.connect(path, 5)
    with local_sockets.listen(path) as again, admitting(again), local_sockets.connect(path, 5) as stream:
        assert stream.recv(7) == b"welcome", kind


@pytest.mark.parametrize(
    "told", [b"", b"\0" * 5, b"\0" * (NONCE + PROOF), b"GET / HTTP/1.1\r\n\r\n".ljust(NONCE + PROOF)]
)
def test_who_cannot_prove_itself_is_not_admitted(told: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(local_sockets.VARIABLE, "tcp")
    path = tmp_path / "run-1.sock"
    with local_sockets.listen(path) as listener:
        port = json.loads(path.read_text(encoding="utf-8"))["port"]
        with admitting(listener) as admitted, socket.create_connection(("127.0.0.1", port), 5) as stream:
            stream.sendall(told)
            stream.shutdown(socket.SHUT_WR)
            rest = stream.makefile("rb").read()
        assert admitted == [False]
        assert len(rest) == NONCE, "a challenge, and nothing about the cards"


def test_who_took_the_port_over_learns_nothing_and_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that replays whatever it is sent knows the secret no more than before."""
    monkeypatch.setenv(local_sockets.VARIABLE, "tcp")
    path = tmp_path / "run-1.sock"
    heard = b""
    with socket.create_server(("127.0.0.1", 0)) as impostor:
        secret = "5a" * PROOF
        path.write_text(json.dumps({"port": impostor.getsockname()[1], "secret": secret}), encoding="utf-8")

        def pretend() -> None:
            nonlocal heard
            stream, __ = impostor.accept()
            with stream:
                stream.sendall(b"\0" * NONCE)
                heard = stream.recv(NONCE + PROOF, socket.MSG_WAITALL)
                stream.sendall(heard[NONCE:])

        thread = threading.Thread(target=pretend)
        thread.start()
        with pytest.raises(ConnectionRefusedError):
            local_sockets.connect(path, 5)
        thread.join()
    assert bytes.fromhex(secret) not in heard


def test_a_path_that_says_nothing_of_a_port_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(local_sockets.VARIABLE, "tcp")
    for text in ("", "{}", '{"port": "x", "secret": ""}', '{"port": 1, "secret": "zz"}'):
        path = tmp_path / "run-1.sock"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConnectionRefusedError):
            local_sockets.connect(path, 5)


def test_a_run_is_asked_and_answers(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def handler(request: dict[str, object]) -> dict[str, object]:
        if request["op"] == "refuse":
            raise ValueError("not that")
        return {"port": 40000, "seen": request}

    with control.serve(handler) as name:
        (run,) = control.runs()
        assert (run.id, run.port) == (name, 40000)
        assert control.ask(run, {"op": "list", "text": "测试"})["seen"] == {"op": "list", "text": "测试"}
        with pytest.raises(ControlError, match="not that"):
            control.ask(run, {"op": "refuse"})
    with pytest.raises(ControlError, match="has ended"):
        control.ask(run, {"op": "list"})
    control.path(control.PREFIX, "dead").write_text('{"port": 1, "secret": "00"}', encoding="utf-8")
    if kind == "tcp":
        assert control.runs() == []
        assert control.sockets() == [], "what a killed run left is removed"
