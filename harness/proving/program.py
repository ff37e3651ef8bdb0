"""One run of somebody else's program: bounded in time and output, and nothing of it left when it is over."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles import as_json

SUPERVISOR = Path(__file__).with_name("supervisor.py")
GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL."""
ENDING = 10.0
"""Seconds that the end of a supervised program may take at most."""
NEVER = 1e9
"""Seconds of a deadline that does not come."""
FIRST, LAST = 1024 * 1024, 64 * 1024
"""Bytes of the output that are kept, from its beginning and from its end."""
CHUNK = 65536


class ProgramError(SscardError, RuntimeError):
    """The program could not be run here at all: why."""

    kind = ErrorKind.BROKEN
    exit_code = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. ``failure``: the errno that kept it from being executed, else 0; ``hung``: its deadline
    came; ``left``: processes of its own that were still there and were ended; ``output``: both streams as they came,
    its middle left out where ``cut``; ``printed``: bytes in all.
    """

    failure: int
    exit_code: int | None
    signal: int | None
    hung: bool
    seconds: float
    left: int
    output: bytes
    printed: int
    cut: bool


class _Output:
    """Reads a pipe until its end, keeping its beginning and its end."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._first = bytearray()
        self._last: deque[bytes] = deque()
        self._size = self.printed = 0
        self._thread = threading.Thread(target=self._read, name="program's output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := os.read(self._handle, CHUNK):
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        self.printed += len(chunk)
        room = FIRST - len(self._first)
        self._first += chunk[:room]
        if rest := chunk[room:]:
            self._last.append(rest)
            self._size += len(rest)
            while self._size - len(self._last[0]) >= LAST:
                self._size -= len(self._last.popleft())

    def end(self) -> tuple[bytes, bool]:
        """What is kept, and whether something of the middle is not."""
        self._thread.join(ENDING)
        os.close(self._handle)
        last = b"".join(self._last)
        cut = self.printed > len(self._first) + len(last)
        if not cut:
            return bytes(self._first) + last, False
        left_out = self.printed - len(self._first) - len(last)
        return bytes(self._first) + _("\n[… {count} bytes left out …]\n").format(count=left_out).encode() + last, True


class Supervised:
    """A program that was started, with all that it starts: it ends when it is done, at ``deadline`` seconds, when
    ``ask_to_end`` is called, or when this process is gone, and nothing of it is left then.

    ``streams``: handles that its output and its errors go to, which are closed here; ``asking``: the signal by which it
    is asked to end, ``grace`` seconds before SIGKILL; ``folder``, where named, is removed by its supervisor should this
    process be killed. A process that it left and whose command line says ``spared`` is ended but not counted.
    ProgramError, OSError where none can be started.
    """

    def __init__(
        self, argv: Sequence[str], streams: tuple[int, int], *, env: Mapping[str, str], cwd: str,
        deadline: float = NEVER, folder: Path | None = None, spared: str = "", asking: int = signal.SIGTERM,
        grace: float = GRACE,
    ) -> None:  # fmt: skip
        self._grace = grace
        self._lock = threading.Lock()
        self._told, telling = os.pipe()
        life, self._living = os.pipe()
        orders = {
            "argv": list(argv), "cwd": cwd, "deadline": deadline, "grace": grace, "spared": spared,
            "folder": str(folder) if folder else "", "report": telling, "life": life, "asking": int(asking),
        }  # fmt: skip
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SUPERVISOR), json.dumps(orders)],
                stdin=subprocess.DEVNULL,
                stdout=streams[0],
                stderr=streams[1],
                env=dict(env),
                pass_fds=(telling, life),
                start_new_session=True,  # Ctrl-C is for us; we end it
            )
        except OSError:
            _close_all((self._told, self._living))
            raise
        finally:
            _close_all((*{*streams}, telling, life))

    def ask_to_end(self) -> None:
        """Has it end: by its signal first, then by SIGKILL. Once is enough."""
        with self._lock:
            if self._living >= 0:
                _close(self._living)
                self._living = -1

    def wait(self) -> Mapping[str, Any]:
        """What its supervisor says once nothing of it is left: errno, exit, signal, hung, seconds, left, gone.
        ProgramError.
        """
        report = b""
        try:
            report = _read_all(self._told)
        finally:
            self.ask_to_end()  # where we were interrupted, it ends the program
            _close(self._told)
            _wait(self._process, self._grace)
        if not report:
            raise ProgramError(_("what watches the program ended without a word (exit code {code})").format(
                code=self._process.returncode))  # fmt: skip
        told: Mapping[str, Any] = as_json.loads(report.decode())
        return told


def run(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: str, deadline: float, folder: Path, spared: str = ""
) -> Ended:
    """Runs a program to its end, or to ``deadline`` seconds: SIGTERM, then SIGKILL. See ``Supervised``."""
    if sys.platform == "win32":
        raise ProgramError(_("programs are proven on Linux and other systems with POSIX processes, not on Windows"))
    printed, printing = os.pipe()
    try:
        supervised = Supervised(
            argv, (printing, printing), env=env, cwd=cwd, deadline=deadline, folder=folder, spared=spared
        )
    except OSError:
        _close(printed)
        raise
    output = _Output(printed)
    try:
        table = supervised.wait()
    finally:
        kept, cut = output.end()
    return Ended(
        failure=table["errno"], exit_code=table["exit"], signal=table["signal"], hung=table["hung"],
        seconds=table["seconds"], left=table["left"], output=kept, printed=output.printed, cut=cut,
    )  # fmt: skip


def _close_all(handles: Sequence[int]) -> None:
    for one in handles:
        _close(one)


def _close(handle: int) -> None:
    with contextlib.suppress(OSError):
        os.close(handle)


def _read_all(handle: int) -> bytes:
    read = bytearray()
    while chunk := os.read(handle, CHUNK):
        read += chunk
    return bytes(read)


def _wait(supervisor: subprocess.Popen[bytes], grace: float) -> None:
    try:
        supervisor.wait(ENDING + grace)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def why_not(name: str) -> str:
    """Why what is no program that can be executed is none."""
    there = Path(name).exists() if "/" in name else False
    return not_started((name,), errno.EACCES if there else errno.ENOENT)


def not_started(argv: Sequence[str], failure: int) -> str:
    """Why a program could not be executed, and what to do."""
    name = argv[0]
    if failure == errno.ENOENT:
        return _("{program}: there is no such program: give its path, or one that is on PATH").format(program=name)
    if failure == errno.EACCES:
        return _("{program}: it may not be executed: chmod +x it, or name the interpreter before it").format(
            program=name
        )
    if failure == errno.ENOEXEC:
        return _("{program}: the system cannot execute it: begin a script with #!, or name its interpreter").format(
            program=name
        )
    return _("{program}: it cannot be executed ({reason})").format(program=name, reason=os.strerror(failure))
