"""``sscard doctor``: each fault with the remedy that mends it, and no fault where there is none."""

from __future__ import annotations

import builtins
import ctypes
import errno
import importlib.util
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.readers import pcsc
from harness.readers.pcsc import PcscError
from harness.serving import doctor


def finding(check: str, *arguments: str) -> dict[str, str]:
    """The finding of one check, whatever the exit code."""
    result = CliRunner().invoke(main, ["doctor", "--json", *arguments])
    found: list[dict[str, str]] = json.loads(result.stdout)
    return next(one for one in found if one["check"] == check)


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's own PC/SC socket, elsewhere."""
    path = tmp_path / "pcscd" / "pcscd.comm"
    path.parent.mkdir()
    monkeypatch.setattr(pcsc, "DEFAULT_SOCKET", path)
    return path


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, socket_path: Path) -> Path:
    """A pcscd that runs there."""
    monkeypatch.setattr(pcsc, "reach", lambda _: 0)
    return socket_path


def test_a_taken_usual_port_is_no_fault_and_a_taken_chosen_one_is(socket_path: Path) -> None:
    del socket_path
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", pcsc.DEFAULT_PORT))
        squatter.listen()
        assert finding("ports")["detail"].startswith(f"{pcsc.DEFAULT_PORT + 2} and ")
        taken = finding(f"port {pcsc.DEFAULT_PORT}", "--port", str(pcsc.DEFAULT_PORT))
    assert (taken["level"], f"--port {pcsc.DEFAULT_PORT + 2} is one" in taken["remedy"]) == ("fault", True)


def test_a_socket_that_one_may_not_connect_to_is_not_called_unserved(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket_path.touch()
    monkeypatch.setattr(pcsc, "reach", lambda _: errno.EACCES)
    found = finding("PC/SC socket")
    assert (found["level"], "may not connect" in found["detail"]) == ("fault", True)
    assert f"chmod 666 {socket_path}" in found["remedy"]


def test_a_variable_left_over_from_a_private_run_is_to_be_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pcsc.SOCKET_VARIABLE, str(tmp_path / "gone" / "deep" / "pcscd.comm"))
    found = finding("PC/SC socket")
    assert (found["level"], f"unset {pcsc.SOCKET_VARIABLE}" in found["remedy"]) == ("fault", True)
    monkeypatch.setenv(pcsc.SOCKET_VARIABLE, str(tmp_path / "pcscd.comm"))
    assert f"unset {pcsc.SOCKET_VARIABLE}" in finding("PC/SC socket")["remedy"]


@pytest.mark.parametrize(
    ("driver", "configured", "systemd", "remedies"),
    [
        (None, False, True, ("apt-get install vsmartcard-vpcd", "systemctl restart pcscd.socket pcscd", "--private")),
        ("/x.so", False, True, ("--reinstall vsmartcard-vpcd", "systemctl restart pcscd.socket pcscd")),
        ("/x.so", True, True, ("it started before vpcd was there", "systemctl restart pcscd.socket pcscd")),
        ("/x.so", True, False, ("it started before vpcd was there", "kill its process")),
    ],
)
def test_a_pcscd_without_virtual_readers(
    driver: str | None,
    configured: bool,
    systemd: bool,
    remedies: tuple[str, ...],
    running: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del running
    monkeypatch.setattr(pcsc, "driver_path", lambda: driver)
    monkeypatch.setattr(pcsc, "reader_names", lambda: ["ACS ACR39U 00 00"])
    monkeypatch.setattr(doctor, "configured", lambda: configured)
    monkeypatch.setattr(doctor, "has_systemd", lambda: systemd)
    found = finding("virtual reader")
    assert "only ACS ACR39U 00 00" in found["detail"]
    assert all(one in found["remedy"] for one in remedies), found["remedy"]
    assert ("systemctl" in found["remedy"]) is systemd


def test_readers_that_are_full_deaf_or_denied(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del running
    monkeypatch.setattr(pcsc, "reader_names", lambda: ["Virtual PCD 00 00", "Virtual PCD 00 01"])
    monkeypatch.setattr(pcsc, "wait_card", lambda *_, **__: False)
    full = finding("virtual reader")
    assert (full["level"], "--private" in full["remedy"], "card remove" in full["remedy"]) == ("warning", True, True)
    monkeypatch.setattr(pcsc, "wait_card", lambda name, **_: name.endswith("01"))
    deaf = finding("virtual reader")
    assert f"nobody listens at its port {pcsc.DEFAULT_PORT + 1} here" in deaf["detail"]
    monkeypatch.setattr(pcsc, "listening", lambda port: port == pcsc.DEFAULT_PORT + 1)
    free = finding("virtual reader")
    assert (free["level"], "none says that it is contactless" in free["detail"]) == ("ok", True)
    names = ["Virtual PCD 00 00", "Virtual PCD 00 01", "Virtual PCD Contactless 00 00"]
    monkeypatch.setattr(pcsc, "reader_names", lambda: names)
    assert "contactless:" not in finding("virtual reader")["detail"]

    def denied() -> list[str]:
        raise PcscError("no PC/SC service: access denied", 0x8010006A)

    monkeypatch.setattr(pcsc, "reader_names", denied)
    assert "polkit" in finding("virtual reader")["remedy"]


def test_pyscard_without_its_library_is_not_called_uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def lacking(name: str, *more: Any, **named: Any) -> Any:
        if name == "smartcard":
            raise ImportError("libpcsclite.so.1: cannot open shared object file: No such file or directory")
        return usual(name, *more, **named)

    def not_there(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(PcscError, match="does not load"):
        pcsc.scard()
    monkeypatch.setattr(ctypes, "CDLL", not_there)
    with pytest.raises(PcscError, match="apt-get install libpcsclite1"):
        pcsc.scard()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PcscError, match="python3-dev; pip install"):
        pcsc.scard()


def test_the_remedy_against_the_open_ports_brings_loopback_up() -> None:
    """In a fresh namespace it is down, and no card could reach its reader."""
    assert "ip link set lo up" in finding("network")["remedy"]
