"""docs/tutorial: every command of every page, in order, as it is written there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "tutorial"
NAMES = ("pcsc", "driver", "report", "prove")
FENCE = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:# |/\* )([\w.]+)(?: \*/)?\n")
PATIENCE = 180.0
DONE = "=done="


class Terminal:
    """A shell, or a program that a page gives a terminal of its own; its output line by line, errors too."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        """``command``: what goes on until Ctrl-C; a shell where it is empty."""
        self._goes_on = bool(command)
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"] if command else ["bash"],
            cwd=folder, env=environment, text=True, encoding="utf-8", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def line(self) -> str | None:
        """The next line; None at the end."""
        return self._lines.get(timeout=PATIENCE)

    def run(self, command: str) -> tuple[list[str], int]:
        """Of a shell: what a command says, and its exit code."""
        assert self.process.stdin
        self.process.stdin.write(f"{command}\nprintf '\\n{DONE}%s\\n' $?\n")
        self.process.stdin.flush()
        said: list[str] = []
        while (line := self.line()) is not None and not line.startswith(DONE):
            said.append(line)
        assert line is not None, said
        if said and not said[-1]:
            said.pop()
        return said, int(line.removeprefix(DONE))

    def end(self) -> int:
        """Nothing more is typed, which ends a shell; Ctrl-C for what goes on. Its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        if self._goes_on and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


def pattern(expected: list[str]) -> str:
    """What the page shows as an expression over the lines that came: `…` is anything in a line, alone any lines."""
    return "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r" *\n" for line in expected
    )


def steps(block: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a block, each with what stands under it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        yield command, expected


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_works_as_it_is_written(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    folder.mkdir()
    shutil.copytree(ROOT / "examples", folder / "examples")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SSCARD_STATE": str(tmp_path / "state"),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "LANG": "C.UTF-8",
    }
    with contextlib.ExitStack() as opened:
        shell = Terminal("", folder, environment)
        opened.callback(shell.end)
        own: Terminal | None = None
        for kind, body in FENCE.findall((PAGES / f"{name}.md").read_text(encoding="utf-8")):
            if kind == "shell-session":
                ((command, expected),) = steps(body)
                if own:
                    assert own.end() in (0, 130)
                own = Terminal(command, folder, environment)
                opened.callback(own.end)
                for line in expected:
                    came = own.line()
                    assert came is not None
                    assert re.fullmatch(pattern([line]), f"{came}\n"), came
            elif kind == "console":
                for command, expected in steps(body):
                    said, code = shell.run(command)
                    text = "".join(f"{line}\n" for line in said)
                    assert code == 0, f"{command}: {code}\n{text}"
                    assert re.fullmatch(pattern(expected), text), f"{command}\n{text}"
            else:
                file = FILE.match(body)
                assert file, "a block of code names its file in its first line"
                (folder / file[1]).write_text(body, encoding="utf-8")


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_both_languages_have_the_same_steps(name: str) -> None:
    both = [FENCE.findall((PAGES / f"{name}{ending}").read_text(encoding="utf-8")) for ending in (".md", ".zh-CN.md")]
    assert both[0] == both[1]
