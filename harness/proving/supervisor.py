"""Runs one program and ends all that it left: a process of its own, started by ``program`` with ``python -I -S``.

Stands alone, as nothing of ours is imported so: its start is part of every run. Reads its orders as JSON from its first
argument; handle ``life`` ends when the one who asked is gone, and then so does everything; one line of JSON on
``report`` says how it went.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time

assert sys.platform != "win32"  # which has no such processes
TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would take long
    from typing import Any

SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36
NAP = 0.05
"""Seconds between two looks at what does not end."""
SETTLING = 0.1
"""Seconds that a program's own processes get to end after it, before they are told of."""
MOST_KILLS = 200
"""Rounds of killing, for a program that forks as fast as it is killed."""


def main() -> None:
    """Plays the orders, and reports."""
    orders = json.loads(sys.argv[1])
    report, life = orders["report"], orders["life"]
    linux = sys.platform.startswith("linux")
    if linux:
        ctypes.CDLL(None).prctl(SET_SUBREAPER, 1)
    waking, woken = os.pipe()
    for end in (waking, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    began = time.monotonic()
    program, failure = _start(orders, (report, life, waking, woken), linux=linux)
    told = {"errno": failure, "exit": None, "signal": None, "hung": False, "left": 0, "seconds": 0.0, "gone": False}
    if program:
        _play(orders, program, began, waking, life, told)
        told["left"] = _end_rest(program, orders["spared"], linux=linux)
    os.write(report, json.dumps(told).encode() + b"\n")
    if told["gone"] and orders["folder"]:
        import shutil  # takes a tenth of a second that the others need not wait

        shutil.rmtree(orders["folder"], ignore_errors=True)


def _start(orders: dict[str, Any], ours: tuple[int, ...], *, linux: bool) -> tuple[int, int]:
    """The program's process id, or 0 and why it could not be executed."""
    reading, writing = os.pipe()  # closed by a successful exec
    pid = os.fork()
    if pid == 0:
        failed = 1
        try:
            os.setsid()
            if linux:
                ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
            for handle in (*ours, reading):
                os.close(handle)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            if orders["cwd"]:
                os.chdir(orders["cwd"])
            os.execvp(orders["argv"][0], orders["argv"])
        except OSError as error:
            failed = error.errno or 1
        finally:
            os.write(writing, str(failed).encode())
            os._exit(127)
    os.close(writing)
    said = os.read(reading, 16)
    os.close(reading)
    if said:
        os.waitpid(pid, 0)
        return 0, int(said)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # the program's alone now
        os.dup2(null, stream)
    os.close(null)
    return pid, 0


def _play(orders: dict[str, Any], program: int, began: float, waking: int, life: int, told: dict[str, Any]) -> None:
    """Waits for the program's end, its deadline, or the end of the one who asked."""
    deadline, forced = began + orders["deadline"], None
    while True:
        now = time.monotonic()
        ready, _, _ = select.select([waking, life], [], [], max(0.0, (forced or deadline) - now))
        if waking in ready:
            os.read(waking, 4096)
            if (status := _reaped(program)) is not None:
                told["seconds"] = time.monotonic() - began
                if os.WIFSIGNALED(status):
                    told["signal"] = os.WTERMSIG(status)
                else:
                    told["exit"] = os.WEXITSTATUS(status)
                return
        if life in ready and forced is None and not os.read(life, 1):
            told["gone"], forced = True, time.monotonic() + orders["grace"]
            _signal(program, orders["asking"])
        elif life in ready:
            time.sleep(NAP)  # its end is known; the program's is waited for
        if forced is None and time.monotonic() >= deadline:
            told["hung"], forced = True, time.monotonic() + orders["grace"]
            _signal(program, signal.SIGTERM)
        elif forced is not None and time.monotonic() >= forced:
            _signal(program, signal.SIGKILL)
            forced = time.monotonic() + orders["grace"]


def _reaped(program: int) -> int | None:
    """The program's status once it has ended; whatever else has, is taken away too."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == program:
            found = status


def _signal(program: int, number: int) -> None:
    """To the program's process group, which no other process is in."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program, number)


def _end_rest(program: int, spared: str, *, linux: bool) -> int:
    """Ends what the program started and left; how many there were, those not counted that are ``spared`` by what stands
    in their command line.
    """
    if not linux:
        _signal(program, signal.SIGKILL)
        return 0
    deadline = time.monotonic() + SETTLING
    while (rest := _descendants()) and time.monotonic() < deadline:
        _reaped(program)
        time.sleep(NAP / 10)
    left = sum(1 for pid in rest if not spared or spared not in _command_line(pid))
    for pid in rest:
        _kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 1.0
    for _ in range(MOST_KILLS):
        _reaped(program)
        rest = _descendants()
        if not rest:
            break
        if time.monotonic() >= deadline:
            for pid in rest:
                _kill(pid, signal.SIGKILL)
        time.sleep(NAP / 10)
    return left


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _descendants() -> list[int]:
    """All living processes below this one: who lost their parent came here, as it is their reaper."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 — pathlib takes longer than all else here
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            below.setdefault(int(parent), []).append(int(name) if state != b"Z" else -int(name))
    found, waiting = [], [os.getpid()]
    while waiting:
        for pid in below.get(waiting.pop(), ()):
            if pid > 0:
                found.append(pid)
            waiting.append(abs(pid))
    return found


def _command_line(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
