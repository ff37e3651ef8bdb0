"""Somebody else's program is bounded in time and output, and nothing of it is left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.proving import program
from harness.proving.program import Ended

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX processes")


def run(*argv: str, deadline: float = 20.0, spared: str = "") -> Ended:
    return program.run(
        argv, env=os.environ, cwd="", deadline=deadline, folder=Path("/nowhere"), spared=spared
    )  # fmt: skip


def sh(script: str, *, deadline: float = 20.0, spared: str = "") -> Ended:
    return run("sh", "-c", script, deadline=deadline, spared=spared)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_exit_code_and_both_streams_are_told() -> None:
    ended = sh("echo out; echo err >&2; exit 3")
    assert (ended.exit_code, ended.signal, ended.output, ended.printed) == (3, None, b"out\nerr\n", 8)


def test_a_program_that_is_killed_is_told_with_its_signal() -> None:
    ended = sh("kill -SEGV $$")
    assert (ended.exit_code, ended.signal, ended.hung) == (None, 11, False)


@pytest.mark.parametrize(("name", "told"), [("/nowhere/terminal", "no such program"), ("/etc/passwd", "chmod")])
def test_a_program_that_cannot_be_executed_is_told_with_its_remedy(name: str, told: str) -> None:
    ended = run(name)
    assert ended.failure
    assert told in program.not_started((name,), ended.failure)


def test_a_program_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "GRACE", 0.2)
    ended = sh("trap '' TERM; while :; do sleep 0.05; done", deadline=0.2)
    assert (ended.hung, ended.signal) == (True, 9)


def test_processes_that_leave_the_program_s_session_are_ended_and_counted() -> None:
    ended = sh("setsid sleep 600 & echo $!; (setsid setsid sleep 600 & echo $!); exit 0")
    left = list(map(int, ended.output.split()))
    assert ended.exit_code == 0
    assert ended.left >= 2
    assert [pid for pid in left if alive(pid)] == []


def test_a_server_of_ours_is_ended_and_not_counted() -> None:
    ended = sh("setsid tail -f /dev/null /tmp/our-very-own.sock 2>&1 & exit 0", spared="/tmp/our-very-own.sock")
    assert ended.left == 0


def test_gigabytes_are_cut_and_their_beginning_and_end_are_kept() -> None:
    ended = sh("echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert ended.printed == 6 + 20_000_000 + 1 + 5
    assert ended.cut
    assert ended.output.startswith(b"first\n")
    assert ended.output.endswith(b"last\n")
    assert len(ended.output) < program.FIRST + 2 * program.LAST


def test_output_just_within_bounds_is_whole() -> None:
    size = program.FIRST + program.LAST // 2
    ended = sh(f"head -c {size} /dev/zero")
    assert (ended.output, ended.cut) == (bytes(size), False)
