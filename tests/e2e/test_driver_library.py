"""libSSCardDriver.so as counter software has it: loaded from C and Python, its server started, stopped and killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import pcsc
from harness.driver.codes import Code, words
from harness.driver.interface import EXPORTED, IN_MOST, OUT_MOST
from tests import native
from tests.e2e import served as run
from tests.e2e.served import DEADLINE, SSCARD
from tests.native import CARD, Library

NUMBER = "A00000011"
ADDRESS = "SSSEEF05|07|$"
READ = (0, f"SSSEEF05|{NUMBER}|$")
POLL = "7 "
"""How /proc tells that a thread waits in poll."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native.built(tmp_path_factory.mktemp("built"))


@pytest.fixture
def library(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """With a socket of its own where nobody listens yet, and nothing to start."""
    monkeypatch.setenv("SSCARD_DRIVER", f"unix:{tmp_path}/s")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "/nowhere/sscard")
    loaded = Library(built, tmp_path)
    yield loaded
    loaded.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with native.serving(*CARD, "--socket", f"{tmp_path}/s") as (process, _):
        yield process


def basic(library: Library) -> list[str]:
    code, out = library("iReadCardBas", 3)
    assert code == 0, out
    return out.split("|")


# --- its interface -------------------------------------------------------------------------------------------------


def test_the_header_declares_what_the_interface_says(built: Path) -> None:
    header = (built / "SSCardDriver.h").read_text(encoding="utf-8")
    declared = re.findall(r"^SSCARD_API (.+?);$", header, re.MULTILINE)
    assert [one.replace("SSCARD_CALL ", "") for one in declared] == [one.declared for one in EXPORTED.values()]
    assert f"SSCARD_OUT_MAX {OUT_MOST}\n" in header
    assert f"SSCARD_IN_MAX {IN_MOST}\n" in header


def test_it_exports_the_real_names_and_no_other(built: Path) -> None:
    told = subprocess.run(
        ["nm", "-D", "--defined-only", str(built / "libSSCardDriver.so")], capture_output=True, text=True, check=True
    )
    assert {line.split()[-1] for line in told.stdout.splitlines()} == set(EXPORTED)


# --- calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_strings_are_gbk_both_ways(library: Library) -> None:
    assert "测试甲".encode("gbk") in library.raw("iReadCardBas", 3)[1]
    meant, address, data = b"||", b"SSSEEF06|09|$", "SSSEEF06|欧阳测试|$".encode("gbk")
    assert library.raw("iWriteCard", 3, meant, address, data) == (0, b"")
    assert library.raw("iReadCard", 3, 2, meant, address) == (0, data)
    assert library.raw("iReadCard", 3, 2, meant, b"\xff\xff") == (-41, words(Code.ILLEGAL_CHARACTER).encode("gbk"))


@pytest.mark.usefixtures("server")
def test_what_is_no_string_or_too_long_is_refused(library: Library) -> None:
    refused = (-14, words(Code.BAD_PARAMETER).encode("gbk"))
    assert library.raw("iReadCard", 3, 2, None, ADDRESS.encode()) == refused
    assert library.raw("iReadCard", 3, 2, b"||", b"x" * IN_MOST) == refused
    assert library.raw("iReadCard", 3, 2, b"||", b"x" * (IN_MOST - 1))[0] == -23
    assert library.without_out("iReadCardBas", 3) == -14
    assert library.raw("iScriptPad", None)[0] == -14
    assert library("iReadCard", 3, 2, "||", ADDRESS) == READ, "it lives on"


@pytest.mark.usefixtures("server")
def test_an_answer_that_does_not_fit_is_empty(library: Library) -> None:
    def wanted(count: int) -> tuple[int, str]:
        return library("iReadCard", 3, 2, "||", f"SSSEEF05|{'07|' * count}$")

    fits = (OUT_MOST - len("SSSEEF05|$") - 1) // len(f"{NUMBER}|")
    code, out = wanted(fits)
    assert (code, len(out)) == (0, len("SSSEEF05|$") + fits * len(f"{NUMBER}|"))
    assert wanted(fits + 1) == (-42, "")


@pytest.mark.usefixtures("server")
def test_the_pin_is_entered_at_the_pad_of_this_client(library: Library, built: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Library(built, tmp_path / "other")
    assert library("iScriptPad", "999999,cancel")[0] == 0
    assert other("iVerifyPIN", 1)[0] == -32
    assert library("iVerifyPIN", 1) == (-51, words(Code.PIN_WRONG, 2))
    assert library("iVerifyPIN", 1)[0] == -31
    other.close()


@pytest.mark.usefixtures("server")
def test_eight_threads(library: Library) -> None:
    expected, wrong = library("iReadCardBas", 3), []

    def work(number: int) -> None:
        for _ in range(25):
            if number % 2 and library("iReadCardBas", 3) != expected:
                wrong.append(number)
            if not number % 2 and library("iReadCard", 3, 2, "||", ADDRESS) != READ:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.usefixtures("server")
def test_threads_of_a_c_program(built: Path, library: Library, tmp_path: Path) -> None:
    del library  # for its environment
    program = native.compiled(tmp_path / "calls", "-pthread")
    done = subprocess.run(
        [program, built / "libSSCardDriver.so", "8", "25"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "the same each time\n")


@pytest.mark.usefixtures("server")
def test_a_forked_child_has_a_connection_of_its_own(library: Library) -> None:
    expected = basic(library)
    child = os.fork()
    if child == 0:
        os._exit(0 if library("iReadCardBas", 3)[1].split("|") == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert basic(library) == expected


# --- a server that is not there, or goes ---------------------------------------------------------------------------


def test_nobody_listens_and_nothing_can_be_started(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = library("iReadCardBas", 3)
    assert code == -5
    assert out.startswith(words(Code.NOT_LOADED))
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "no-such-program-here")
    assert "no no-such-program-here on PATH" in library("iReadCardBas", 3)[1]
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", SSCARD)
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", "--persona nobody")
    assert "no persona 'nobody'" in library("iReadCardBas", 3)[1], "what the server said"
    monkeypatch.setenv("SSCARD_DRIVER", "udp:1")
    assert "SSCARD_DRIVER is unix:PATH or tcp:HOST:PORT" in library("iReadCardBas", 3)[1]


def test_a_stopped_server_is_a_code_in_time(
    library: Library, server: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    basic(library)
    monkeypatch.setenv("SSCARD_DRIVER_TIMEOUT", "1")
    server.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    assert library("iReadCardBas", 3) == (-4, words(Code.MUTE)), "in mid-call"
    assert library("iReadCardBas", 3) == (-4, words(Code.MUTE)), "at the greeting"
    assert 1.9 < time.monotonic() - begun < 20
    server.send_signal(signal.SIGCONT)
    monkeypatch.delenv("SSCARD_DRIVER_TIMEOUT")
    assert basic(library)[2] == NUMBER


def test_a_server_killed_in_mid_call(
    library: Library, server: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    basic(library)
    server.send_signal(signal.SIGSTOP)
    told: list[tuple[int, str]] = []
    caller = threading.Thread(target=lambda: told.append(library("iReadCardBas", 3)))
    caller.start()
    state = Path(f"/proc/self/task/{caller.native_id}/syscall")
    within(lambda: state.read_text().startswith(POLL))
    server.kill()
    caller.join(10)
    assert told == [(-11, words(Code.READER_LINK))]
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", SSCARD)
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", " ".join(CARD))
    assert basic(library)[2] == NUMBER, "the next call starts one anew, over what the killed one left"
    native.end(native.server_of(tmp_path / "s"))


def within(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("kind", native.FOREIGN)
def test_a_server_that_is_none(library: Library, tmp_path: Path, kind: str) -> None:
    greeting, answer, code = native.FOREIGN[kind]
    with native.foreign(tmp_path / "s", greeting, answer):
        told, out = library("iReadCardBas", 3)
    assert (told, bool(out)) == (code, code != -42)


# --- started on demand ---------------------------------------------------------------------------------------------

ONE = """
import sys
from pathlib import Path
from tests.native import Library
library = Library(Path(sys.argv[1]), Path(sys.argv[2]))
print("loaded", flush=True)
sys.stdin.readline()
print(*library("iReadCardBas", 3), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each server that is started writes its process id here."""
    log, program = tmp_path / "started", tmp_path / "start"
    program.write_text(f'#!/bin/sh\necho $$ >> {log}\nexec {SSCARD} "$@"\n')
    program.chmod(0o700)
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", str(program))
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", " ".join((*CARD, "--idle", "30")))
    return log


def test_two_programs_at_once_start_one_server(
    library: Library, built: Path, starts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del library  # for its environment
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", " ".join((*CARD, "--idle", "2")))
    programs = []
    for name in "ab":
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", ONE, str(built), str(tmp_path / name)]
        programs.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for step in ("loaded", "0 510100"):
        for program in programs:
            assert program.stdout
            assert program.stdout.readline().startswith(step)
        for program in programs if step == "loaded" else ():
            assert program.stdin
            program.stdin.write("\n")
            program.stdin.flush()
    serving = native.server_of(tmp_path / "s")
    started = [int(line) for line in starts.read_text().split()]
    assert serving in started
    assert all(native.gone(pid) for pid in started if pid != serving)
    for program in programs:
        program.communicate("\n", timeout=DEADLINE)
    assert native.gone(serving), "idle, it ends by itself"
    assert not (tmp_path / "s").exists()


def test_a_server_outlives_the_program_that_started_it(
    library: Library, built: Path, starts: Path, tmp_path: Path
) -> None:
    (tmp_path / "first").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", ONE, str(built), str(tmp_path / "first")],
        input="\n\n", capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip
    assert f"|{NUMBER}|" in done.stdout
    assert basic(library)[2] == NUMBER
    (pid,) = map(int, starts.read_text().split())
    assert native.server_of(tmp_path / "s") == pid
    assert os.getsid(pid) == os.getpgid(pid) != os.getsid(0), "apart from the terminal"
    native.end(pid)


def test_over_tcp(library: Library, starts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with native.serving(*CARD, "--no-socket", "--tcp", "0") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        assert basic(library)[2] == NUMBER
        assert not starts.exists()
    assert basic(library)[2] == NUMBER, "started at the same port"
    native.end(int(starts.read_text()))


def test_a_second_server_says_that_there_is_one(server: subprocess.Popen[bytes], tmp_path: Path) -> None:
    done = subprocess.run(
        [SSCARD, "driver", "serve", *CARD, "--socket", f"{tmp_path}/s"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("sscard: another driver serves")
    assert server.poll() is None


# --- over PC/SC ----------------------------------------------------------------------------------------------------


@pytest.mark.pcsc
@pytest.mark.parametrize("named", [False, True], ids=["found", "named"])
def test_cards_in_readers(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool) -> None:
    """Without names the PSAM is found by its application, though its slot may be the first."""
    with run.serving("--private", "--persona", "psam", "--persona", "adult-mianyang", cards=2) as cards:
        own, reader = cards.readers
        monkeypatch.setenv(pcsc.SOCKET_VARIABLE, cards.seen[0].partition("=")[2])
        names = ("--reader", reader, "--psam-reader", own) if named else ()
        with native.serving("--socket", f"{tmp_path}/s", *names):
            assert library("iReadCardBas", 1)[1].split("|")[9] == "510100000001", "its terminal number"
            assert library("iReadCardBas", 2)[0] == -11, "no contactless reader"
            card("remove")
            assert library("iReadCardBas", 1)[0] == -2
            card("insert")
            assert basic(library)[0] == "510700"
    code, out = library("iReadCardBas", 1)
    assert code == -5, out


@pytest.mark.pcsc
def test_no_pcsc_service(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pcsc.SOCKET_VARIABLE, f"{tmp_path}/nobody")
    with native.serving("--socket", f"{tmp_path}/s"):
        assert library("iReadCardBas", 1)[0] == -11


def card(operation: str) -> None:
    run.sscard("card", operation, "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--persona", "nobody"), "no persona 'nobody'"),
        (("--persona", "adult-chengdu", "--psam", "adult-chengdu"), "no PSAM 'adult-chengdu'"),
        (("--psam",), "--psam goes with --persona"),
        (("--persona", "adult-chengdu", "--reader", "x"), "--reader takes the card that is there"),
        (("--no-socket",), "nothing to listen at"),
        (("--origin", "http://x"), "--origin is for --web"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    command = [SSCARD, "driver", "serve", "--socket", f"{tmp_path}/s", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert not (tmp_path / "s").exists()
