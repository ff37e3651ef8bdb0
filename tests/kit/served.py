"""``sscard run`` and other services as their user starts them: a process, its ready lines, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

from click.testing import CliRunner

from harness.cli import main

SSCARD = str(Path(sys.executable).with_name("sscard"))
DEADLINE = 60.0


@dataclass
class Served:
    """A running command. ``readers`` by slot, as the ready lines of ``sscard run`` say."""

    process: subprocess.Popen[str]
    lines: Queue[str | None] = field(default_factory=Queue)
    seen: list[str] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The next line of its output."""
        try:
            line = self.lines.get(timeout=DEADLINE)
        except Empty:
            raise AssertionError(f"nothing within {DEADLINE} s after {self.seen}") from None
        assert line is not None, f"it ended: {self.seen}, {self.process.stderr and self.process.stderr.read()}"
        self.seen.append(line)
        return line

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@contextlib.contextmanager
def started(
    *arguments: str, environment: dict[str, str] | None = None, command: Sequence[str] = (SSCARD,)
) -> Iterator[Served]:
    """Starts an ``sscard`` command; ends it afterwards, if the test did not. ``command``: another ``sscard``."""
    with subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        served = Served(process)
        reader = threading.Thread(target=_read, args=(served,))
        reader.start()
        try:
            yield served
        finally:
            if process.poll() is None:
                served.end()
            reader.join(DEADLINE)


@contextlib.contextmanager
def serving(
    *arguments: str, cards: int = 1, environment: dict[str, str] | None = None, command: Sequence[str] = (SSCARD,)
) -> Iterator[Served]:
    """``sscard run``, once so many cards are ready."""
    with started("run", *arguments, environment=environment, command=command) as served:
        while len(served.readers) < cards:
            line = served.line()
            if line.startswith("ready "):
                served.readers.append(line.split(" ", 3)[3])
        yield served


def _read(served: Served) -> None:
    assert served.process.stdout
    for line in served.process.stdout:
        served.lines.put(line.rstrip("\n"))
    served.lines.put(None)


def sscard(*arguments: str, expect: int = 0, environment: dict[str, str] | None = None) -> str:
    """Runs one ``sscard`` command to its end; its output. In this process, which need not import all again: what a
    process does besides, at its start, at signals and at its end, is shown by those that are ``started``.
    """
    done = CliRunner().invoke(main, arguments, env=environment)
    assert done.exit_code == expect, f"{arguments}: {done.exit_code}\n{done.output}\n{done.exception!r}"
    return done.stdout


def ended(*arguments: str, expect: int = 0, environment: dict[str, str] | None = None) -> str:
    """As ``sscard``, but in a process of its own; pcscd's client reads which socket it uses but once in each."""
    done = subprocess.run(
        [SSCARD, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
