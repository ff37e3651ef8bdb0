"""SSCardDriver.dll: what each build exports, and all three under wine."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.driver.codes import Code, words
from harness.driver.interface import EXPORTED
from tests import native
from tests.e2e.test_driver_functions import Program, everything
from tests.kit.served import DEADLINE, SSCARD
from tests.kit.wine import Wine, running
from tests.kit.wine import path as windows_path

BUILDS = {"x64": "pei-x86-64", "x86-stdcall": "pei-i386", "x86-cdecl": "pei-i386"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native.built(tmp_path_factory.mktemp("windows"), "--windows")


def dump(*arguments: str) -> str:
    return subprocess.run(["x86_64-w64-mingw32-objdump", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", BUILDS)
def test_each_build_exports_the_real_names(built: Path, name: str) -> None:
    told = dump("-p", str(built / name / "SSCardDriver.dll"))
    assert f"file format {BUILDS[name]}" in told
    table = told.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    assert set(re.findall(r"\] (\w\S*)$", table, re.MULTILINE)) == set(EXPORTED)
    libraries = set(re.findall(r"DLL Name: (\S+)", told))
    assert libraries <= {"KERNEL32.dll", "msvcrt.dll", "WS2_32.dll", "ADVAPI32.dll"}, "nothing has to come with it"


@pytest.mark.parametrize(("name", "cleans"), [("x86-stdcall", True), ("x86-cdecl", False)])
def test_who_cleans_the_stack(built: Path, name: str, cleans: bool) -> None:
    """`ret $0x8` takes the two arguments of iReadCardBas from the stack; cdecl leaves them to the caller."""
    path = str(built / name / "SSCardDriver.dll")
    told = dump("-p", path)
    at = re.search(r"\[ *(\d+)\] iReadCardBas$", told, re.MULTILINE)
    assert at
    address = re.search(rf"\[ *{at[1]}\] \+base\[ *\d+\] ([0-9a-f]+) Export RVA", told)
    base = re.search(r"ImageBase\s+([0-9a-f]+)", told)
    assert address
    assert base
    start = int(base[1], 16) + int(address[1], 16)
    code = dump("-d", f"--start-address={start:#x}", f"--stop-address={start + 64:#x}", path)
    returned = re.search(r"\bret\b *(\$0x[0-9a-f]+)?", code)
    assert returned
    assert returned[1] == ("$0x8" if cleans else None)


# --- under wine ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=BUILDS)
def build_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def wine(build_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """Wine with a folder of its own, whose server ends with the tests."""
    with running(tmp_path_factory.mktemp("wine"), bits=64 if build_name == "x64" else 32) as used:
        yield used


@pytest.fixture
def program(built: Path, build_name: str, tmp_path: Path, wine: Wine) -> list[str]:
    """tests/native/calls.c, by the header's own convention, with the build that it loads."""
    convention = ("-DSSCARD_CDECL",) if build_name == "x86-cdecl" else ()
    compiled = native.compiled(tmp_path / "calls.exe", *convention, compiler=wine.compiler)
    return wine.command(str(compiled), windows_path(built / build_name / "SSCardDriver.dll"))


def test_every_function(program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with native.serving(*native.CARD, "--no-socket", "--tcp", "0") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        with Program(program) as call:
            everything(call)


def test_a_server_that_is_not_there_or_goes(program: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "no-such-program")
    with native.serving(*native.CARD, "--no-socket", "--tcp", "0") as (server, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        with Program(program) as call:
            assert call("iReadCardBas", 3)[0] == 0
            server.kill()
            server.wait(DEADLINE)
            code, out = call("iReadCardBas", 3)
    assert code == -5
    assert out.startswith(words(Code.NOT_LOADED))


@pytest.fixture
def starter(tmp_path: Path, wine: Wine) -> str:
    """tests/native/starter.c, as wine names it."""
    path = tmp_path / "starter.exe"
    source = str(native.CALLS.with_name("starter.c"))
    subprocess.run([wine.compiler, *native.WARNINGS, "-o", str(path), source, "-lws2_32"], check=True)
    return windows_path(path)


def test_a_server_that_is_never_ready(program: list[str], starter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command itself started keeps the pipe: that is a code in time too."""
    with native.serving(*native.CARD, "--no-socket", "--tcp", "0") as (_, (place,)):
        port = place.rpartition(":")[2]
    monkeypatch.setenv("SSCARD_DRIVER", f"tcp:127.0.0.1:{port}")
    monkeypatch.setenv("SSCARD_DRIVER_TIMEOUT", "2")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", f"cmd /c start /b {starter} /dev/null {port}")
    with Program(program) as call:
        begun = time.monotonic()
        assert call("iReadCardBas", 3)[0] == -5
        assert 1.9 < time.monotonic() - begun < 20


def test_it_starts_a_server(program: list[str], starter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under wine the command is a Windows program, which has the real server started and says when it is ready."""
    with native.serving(*native.CARD, "--no-socket", "--tcp", "0") as (_, (place,)):
        port = place.rpartition(":")[2]
    script, pid = tmp_path / "start.sh", tmp_path / "pid"
    arguments = " ".join((*native.CARD, "--no-socket", "--tcp", port, "--idle", "30"))
    script.write_text(f"#!/bin/sh\necho $$ > {pid}\nexec {SSCARD} driver serve {arguments}\n")
    monkeypatch.setenv("SSCARD_DRIVER", f"tcp:127.0.0.1:{port}")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", f"{starter} {script} {port}")
    with Program(program) as call:
        assert call("iReadCardBas", 3)[1].split("|")[2] == "A00000011"
    native.end(int(pid.read_text()))
