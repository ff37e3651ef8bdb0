"""No function of the library writes beyond its own text: pOutInfo ends where memory ends, at a page without access."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.driver import wire
from harness.driver.codes import ERROR_MOST
from harness.driver.interface import FUNCTIONS, IN_MOST, OUT_MOST, WHOLE_MOST, Function, Kind
from tests import native
from tests.e2e.test_driver_functions import Program

LONG = "读卡器 reader, " * 20
REFUSALS = {
    "a refusing greeting of 4,095 bytes": (wire.frame(b"-11", b"x" * (OUT_MOST - 1)), b""),
    "a refusing greeting in GBK": (wire.frame(b"-11", LONG.encode("gbk")), b""),
    "a refusing greeting of half characters": (wire.frame(b"-11", b"\xb2" * 301), b""),
    "an error of 4,095 bytes": (native.GREETING, wire.frame(b"-14", b"x" * (OUT_MOST - 1))),
    "an error of 65,535 bytes": (native.GREETING, wire.frame(b"-14", b"x" * (WHOLE_MOST - 1))),
    "a refusing greeting of 65,535 bytes": (wire.frame(b"-11", b"x" * (WHOLE_MOST - 1)), b""),
    "an error in GBK": (native.GREETING, wire.frame(b"-25536", b"x" + LONG.encode("gbk"))),
    "an error in GB 18030": (native.GREETING, wire.frame(b"-15", b"xyz" + "𠮷".encode("gb18030") * 90)),
    "a code above 0 with a text": (native.GREETING, wire.frame(b"7", b"x" * 2000)),
    **{name: (one[0], one[1]) for name, one in native.FOREIGN.items() if one[2] and name != "just too long"},
}


@pytest.fixture(scope="session")
def caller(built: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    program = native.compiled(tmp_path_factory.mktemp("guards") / "calls", "-pthread")
    return str(program), str(built / "libSSCardDriver.so")


@pytest.fixture(autouse=True)
def nothing_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSCARD_DRIVER", f"unix:{tmp_path}/s")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "/nowhere/sscard")


READING = ("iReadCard", "iReadCard_HSM_Step2")
"""What may give transparent files whole."""


def given(function: Function) -> Iterator[int | str]:
    for one in function.given:
        yield 3 if one.kind is Kind.INT else "x"


def every(call: Program) -> dict[str, tuple[int, str]]:
    """Each function of the library, called once."""
    return {name: call(name, *given(one)) for name, one in FUNCTIONS.items()}


@pytest.mark.parametrize("kind", REFUSALS)
def test_128_bytes_hold_every_error(caller: tuple[str, str], tmp_path: Path, kind: str) -> None:
    with native.foreign(tmp_path / "s", *REFUSALS[kind]), Program([*caller, str(ERROR_MOST + 1)]) as call:
        for name, (code, text) in every(call).items():
            assert code != 0, name
            assert len(text.encode("gb18030")) <= ERROR_MOST, name


def test_an_error_is_cut_at_a_whole_character(caller: tuple[str, str], tmp_path: Path) -> None:
    for kind, text in (("an error in GBK", "x" + LONG), ("a refusing greeting in GBK", LONG)):
        with native.foreign(tmp_path / "s", *REFUSALS[kind]), Program([*caller, str(ERROR_MOST + 1)]) as call:
            cut = call("iReadCardBas", 3)[1]
        assert text.startswith(cut)
        assert len(cut.encode("gbk")) in (ERROR_MOST - 1, ERROR_MOST), "as long as whole characters allow"
        (tmp_path / "s").unlink()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 1023, OUT_MOST - 1])
def test_an_answer_needs_no_more_room_than_itself(caller: tuple[str, str], tmp_path: Path, size: int) -> None:
    answer = wire.frame(b"0", b"x" * size)
    told = native.foreign(tmp_path / "s", native.GREETING, answer, lasting=True)
    with told, Program([*caller, str(size + 1)]) as call:
        assert set(every(call).values()) == {(0, "x" * size)}


@pytest.mark.parametrize("size", [OUT_MOST, 2 * 4096 + len("SSSEEF08||$"), WHOLE_MOST - 1])
def test_only_what_reads_files_gives_more_than_4096_bytes_and_never_more_than_its_text(
    caller: tuple[str, str], tmp_path: Path, size: int
) -> None:
    """Other functions' callers hand no more: what is longer is -42 there, and nothing is written but the end."""
    answer = wire.frame(b"0", b"x" * size)
    with native.foreign(tmp_path / "s", native.GREETING, answer, lasting=True):
        with Program([*caller, str(size + 1)]) as call:
            for name in READING:
                assert call(name, *given(FUNCTIONS[name])) == (0, "x" * size)
        with Program([*caller, str(ERROR_MOST + 1)]) as call:
            for name, function in FUNCTIONS.items():
                if name not in READING:
                    assert call(name, *given(function)) == (-42, ""), name


@pytest.mark.usefixtures("server")
def test_a_photograph_needs_no_more_room_than_itself_both_ways(caller: tuple[str, str]) -> None:
    data = f"SSSEEF08|{bytes(range(256)).hex().upper() * 16}|$"
    both = f"SSSEEF05|{native.NUMBER}|${data}"
    with Program([*caller, str(len(both) + 1)]) as call:
        assert call("iWriteCard", 3, "||", "SSSEEF08|$", data) == (0, "")
        assert call("iReadCard", 3, 2, "||", "SSSEEF05|07|$SSSEEF08|$") == (0, both)


@pytest.mark.usefixtures("server")
def test_items_alone_never_need_more_than_4096_bytes(caller: tuple[str, str]) -> None:
    """A program that was built for 4,096 bytes asks for no whole file."""
    address = "SSSEEF05|" + "07|" * 600 + "$"
    with Program([*caller, str(OUT_MOST)]) as call:
        assert call("iReadCard", 3, 2, "||", "DF01EF16|$")[0] == 0
        assert call("iReadCard", 3, 2, "||", address) == (-42, "")


def test_errors_of_the_library_itself(caller: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = str(ERROR_MOST + 1)

    def codes(expected: int) -> None:
        with Program([*caller, room]) as call:
            assert {code for code, _ in every(call).values()} == {expected}

    codes(-5)  # nobody listens, nothing to start
    with Program([*caller, room]) as call:
        assert call("iReadCard", 3, 2)[0] == -14, "null pointers"
        assert call("iReadCard", 3, 2, "||", "x" * IN_MOST)[0] == -14
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "x" * 2000)
    codes(-5)
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\nprintf '%0300d' 7\nexit 1\n")
    failing.chmod(0o700)
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", str(failing))
    codes(-5)  # what it said last is longer than the room
    for nonsense in ("nonsense", "unix:", "unix:" + "x" * 4000, "tcp:" + "x" * 4000 + ":1"):
        monkeypatch.setenv("SSCARD_DRIVER", nonsense)
        codes(-5)


def test_a_server_that_says_nothing(
    caller: tuple[str, str], server: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSCARD_DRIVER_TIMEOUT", "1")
    with Program([*caller, str(ERROR_MOST + 1)]) as call:
        os.kill(server.pid, signal.SIGSTOP)
        assert call("iVerifyPIN", 3)[0] == -4
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.usefixtures("server")
def test_a_card_is_read_into_1024_bytes(caller: tuple[str, str]) -> None:
    with Program([*caller, "1024"]) as call:
        assert call("iReadCardBas", 3)[1].split("|")[4] == "测试甲"
        assert call("iReadCard", 3, 2, "||", "SSSEEF05|07|$") == (0, f"SSSEEF05|{native.NUMBER}|$")
        assert call("iReadCard", 3, 2, "||", "SSSEEF77|07|$")[0] < 0
