"""A card in a reader by hand, through pcscd: readers, show, the shell at a terminal, a session sent again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.served import DEADLINE, SSCARD, Served, ended, serving

pytestmark = pytest.mark.pcsc


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving("--persona", "adult-chengdu", "--psam", "--trace", str(tmp_path / "t.jsonl"), cards=2) as one:
        yield one


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_readers_tells_what_is_in_them_without_a_command(served: Served, tmp_path: Path) -> None:
    before = (tmp_path / "t.jsonl").read_text().count('"apdu"')
    rows = {one["reader"]: one for one in json.loads(ended("readers", "--json"))}
    card, psam = (rows[name] for name in served.readers)
    assert card["atr"] == "3B6D00000081544C908684510100000000"
    assert (card["region"], card["social_security_card"], psam["card"]) == ("5101", True, True)
    assert "510151010001" not in ended("readers")
    assert (tmp_path / "t.jsonl").read_text().count('"apdu"') == before


def test_show_reads_what_is_free_and_says_what_is_not(served: Served) -> None:
    free = json.loads(ended("show", "--reader", served.readers[0], "--json", expect=4))
    assert free["files"]["SSSE/EF05"]["items"][6]["value"] == "A00000011"
    assert "RKSSSE" in free["files"]["SSSE/EF06"]["unread"]
    opened = json.loads(ended("show", "--reader", served.readers[0], "--keys", "test", "--json", expect=4))
    assert {one["tag"]: one["value"] for one in opened["files"]["SSSE/EF06"]["items"]}["09"] == "测试甲"
    assert sum("unread" in one for one in opened["files"].values()) < sum(
        "unread" in one for one in free["files"].values()
    )


def test_a_wrong_pin_costs_the_card_one_try_over_programs(served: Served) -> None:
    ended("show", "--reader", served.readers[0], "--pin", "111111", expect=1)
    for __ in range(3):
        ended("show", "--reader", served.readers[0], "--pin", "111111", expect=1)
    assert json.loads(ended("pin", "state", "--reader", served.readers[0], "--json"))["tries_left"] == 2


def test_a_recorded_session_is_sent_to_a_card_in_a_reader(served: Served, tmp_path: Path) -> None:
    ended("apdu", "--reader", served.readers[0], "--keys", "test", "select:SSSE", "auth:RKSSSE", "read:EF06/09")
    arguments = ("trace", "send", str(tmp_path / "t.jsonl"), "--reader", served.readers[0], "--card")
    assert "passed" in ended(*arguments, "3B6D00000081544C908684510151010001", "--keys", "test")
    assert "not the card" in _stderr(*arguments, "3B00")


def _stderr(*arguments: str) -> str:
    done = subprocess.run([SSCARD, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode
    return done.stderr


def _at_a_terminal() -> None:
    """Makes standard input the terminal of a session of its own, so that Ctrl-C comes from it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


TRIES = 6


class Typed:
    """A program at a terminal: what is typed, and what stands on the screen."""

    def __init__(self, *arguments: str) -> None:
        self.master, other = pty.openpty()
        self.process = subprocess.Popen(
            [SSCARD, *arguments], stdin=other, stdout=other, stderr=other, close_fds=True,
            env={**os.environ, "TERM": "dumb"}, preexec_fn=_at_a_terminal,
        )  # fmt: skip
        os.close(other)
        self.screen, self.seen = "", 0

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def stands(self, text: str, seconds: float) -> bool:
        """Reads until a text stands on the screen, after the one that was waited for before; false if it does not."""
        end = time.monotonic() + seconds
        while (found := self.screen.find(text, self.seen)) < 0:
            if not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
                return False
            with contextlib.suppress(OSError):
                self.screen += os.read(self.master, 4096).decode(errors="replace")
        self.seen = found + len(text)
        return True

    def until(self, text: str) -> None:
        assert self.stands(text, DEADLINE), self.screen

    def interrupt(self, prompt: str) -> None:
        """Presses Ctrl-C until the prompt stands there anew: Python's line editor does not see one that comes just
        before it begins to wait for a key.
        """
        for __ in range(TRIES):
            self.type("\x03")
            if self.stands(prompt, DEADLINE / TRIES):
                return
        raise AssertionError(self.screen)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self.master)


@pytest.fixture
def typed(served: Served) -> Iterator[Typed]:
    one = Typed("shell", "--reader", served.readers[0], "--keys", "test")
    yield one
    one.close()


def test_the_shell_at_a_terminal(typed: Typed, state: Path) -> None:
    """Completion, a PIN without echo, Ctrl-C, the history, the end."""
    typed.until("SSSE> ")
    typed.type("au\tRKS\t\n")
    typed.until("EXTERNAL AUTHENTICATION")
    typed.until("9000")
    typed.until("SSSE> ")
    typed.type("read EF06/09\n")
    typed.until("测试甲")
    typed.until("SSSE> ")
    typed.type("half a line")
    typed.until("half a line")
    typed.interrupt("SSSE> ")
    typed.type("verify\n")
    typed.until("PIN: ")
    typed.type("123456\n")
    typed.until("9000")
    typed.until("SSSE> ")
    typed.type("update EF06/09 某人\n")
    typed.until("SSSE> ")
    typed.type("exit\n")
    assert typed.process.wait(DEADLINE) == 0
    assert "123456" not in typed.screen
    kept = (state / "shell-history").read_text(encoding="utf-8")
    assert kept.splitlines()[-3:] == ["auth RKSSSE", "read EF06/09", "verify"]
