"""Colours: on a terminal that has them and where nobody refuses them; what comes from elsewhere makes none."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from harness.cli.lines import NO_COLOR, Tone, coloured, say

RED, END = "\x1b[31m", "\x1b[0m"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, True), ({NO_COLOR: "1"}, False), ({NO_COLOR: ""}, True), ({"TERM": "dumb"}, False)],
)
def test_who_gets_colours(environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NO_COLOR, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert coloured(Terminal()) is expected
    assert coloured(io.StringIO()) is False


def test_only_the_first_line_has_the_tone_and_no_text_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NO_COLOR, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    say("bad \x1b[32m", "more", tone=Tone.BAD)
    assert shown.getvalue() == f"{RED}bad \\x1b[32m{END}\nmore\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("refused", [False, True])
def test_a_command_on_a_real_terminal(refused: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != NO_COLOR} | {"TERM": "xterm"}
    program = [sys.executable, "-c", "from sscard.command import main; main()", "image", "show", "9.99"]
    done = subprocess.run(
        program, stdout=theirs, stderr=theirs, timeout=60, env=environment | ({NO_COLOR: "1"} if refused else {})
    )
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "9.99" in said
    assert ("\x1b[" in said) is not refused
