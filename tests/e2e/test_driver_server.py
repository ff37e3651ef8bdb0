"""The server behind the library: not there, stopped, killed, none at all, started on demand, over PC/SC."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.driver.codes import Code, words
from harness.readers import pcsc
from tests import native
from tests.kit import served as run
from tests.kit.served import DEADLINE, SSCARD
from tests.native import CARD, NUMBER, Library, basic

POLL = "7 "
"""How /proc tells that a thread waits in poll."""


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
    stop(server)
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
    stop(server)
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


def stop(server: subprocess.Popen[bytes]) -> None:
    """Stops a server; returns when all its threads stand."""
    server.send_signal(signal.SIGSTOP)
    threads = Path(f"/proc/{server.pid}/task")
    within(lambda: all((one / "stat").read_text().rpartition(")")[2].split()[0] == "T" for one in threads.iterdir()))


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


def test_a_trace_has_the_cards_of_this_process_and_the_calls(library: Library, tmp_path: Path) -> None:
    """A run in CI, without pcscd: the monitor judges what the program did, and its calls stand there."""
    trace = tmp_path / "t.jsonl"
    with native.serving(*CARD, "--socket", f"{tmp_path}/s", "--trace", str(trace)):
        basic(library)
        assert library("iScriptPad", "111111")[0] == 0
        assert library("iVerifyPIN", 1)[0] == -51
    shown = subprocess.run([SSCARD, "trace", "show", str(trace)], capture_output=True, text=True, check=True).stdout
    assert "⇒ iReadCardBas(iType=3) → 0" in shown
    assert "⇒ iVerifyPIN(iType=1) → -51 密码错误" in shown
    assert "→ 0020000003******" in shown
    told = trace.read_text(encoding="utf-8")
    assert '"slot": 1' in told, "the PSAM's too"
    assert "111111" not in told
    judged = subprocess.run([SSCARD, "monitor", str(trace)], capture_output=True, text=True, check=False)
    assert judged.returncode in (0, 1), judged.stderr


# --- over PC/SC ----------------------------------------------------------------------------------------------------


@pytest.mark.pcsc
@pytest.mark.parametrize("named", [False, True], ids=["found", "named"])
def test_cards_in_readers(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool) -> None:
    """Without names the PSAM is found by its application, though its slot may be the first."""
    with run.serving("--private", "--persona", "psam", "--persona", "adult-mianyang", cards=2) as cards:
        own, reader = cards.readers
        monkeypatch.setenv(pcsc.SOCKET_VARIABLE, cards.seen[0].partition("=")[2])
        names = ("--reader", reader, "--psam-reader", own) if named else ()
        trace = tmp_path / "t.jsonl"
        with native.serving("--socket", f"{tmp_path}/s", "--trace", str(trace), *names):
            assert library("iReadCardBas", 1)[1].split("|")[9] == "510100000001", "its terminal number"
            shown = subprocess.run([SSCARD, "trace", "show", str(trace)], capture_output=True, text=True, check=True)
            assert "⇒ iReadCardBas(iType=1) → 0" in shown.stdout
            assert "SSSE/EF05/07" in shown.stdout, "the card's files are known by its version"
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
