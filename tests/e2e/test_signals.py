"""A signal that wakes nobody ends a service all the same: one that comes between Python's last look and its going to
sleep is such a one, and on Windows each is. Here another thread than the main one gets it.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.kit.served import DEADLINE, Served, serving, started
from tests.native import CARD
from tests.unit.harness.studio.session.sessions import as_trace, every_kind

BESIDE = (
    "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start();"
    "from harness.cli import main; main(prog_name='sscard')"
)
"""`sscard` with a thread that sleeps beside its main one."""
ASLEEP = 20
COMMAND = (sys.executable, "-c", BESIDE)


def asleep(pid: int) -> None:
    """Returns once the main thread has been found asleep so many times that it waits for something to happen."""
    found, until = 0, time.monotonic() + DEADLINE
    while found < ASLEEP and time.monotonic() < until:
        state = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        found = found + 1 if state == "S" else 0
        time.sleep(0.01)


def ended_unwoken(served: Served) -> int:
    """Ends it by a signal to a thread that is not the main one; its exit code."""
    process = served.process
    asleep(process.pid)
    threads = [int(one.name) for one in Path(f"/proc/{process.pid}/task").iterdir()]
    beside = next(one for one in sorted(threads) if one != process.pid)
    assert ctypes.CDLL(None, use_errno=True).tgkill(process.pid, beside, signal.SIGTERM) == 0
    try:
        return process.wait(DEADLINE)
    finally:
        process.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("run", "--private"), marks=pytest.mark.pcsc),
        ("driver", "serve", *CARD, "--no-socket", "--tcp", "0"),
        ("driver", "serve", *CARD, "--no-socket", "--tcp", "0", "--idle", "600"),
        ("machine", "serve", "--port", "0"),
        ("studio", "--port", "0"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_service_ends_though_the_signal_wakes_nobody(arguments: tuple[str, ...]) -> None:
    with started(*arguments, command=COMMAND) as served:
        while not served.line().startswith(("ready ", "listening ")):
            pass
        assert ended_unwoken(served) == 0


@pytest.mark.pcsc
def test_a_subscriber_ends_though_the_signal_wakes_nobody() -> None:
    with serving("--private"), started("events", command=COMMAND) as heard:
        assert '"slots"' in heard.line()
        assert ended_unwoken(heard) == 0


def test_a_trace_is_followed_no_more_though_the_signal_wakes_nobody(tmp_path: Path) -> None:
    trace = tmp_path / "session.jsonl"
    trace.write_bytes(as_trace(every_kind()))
    with started("trace", "show", str(trace), "--follow", command=COMMAND) as followed:
        followed.line()
        assert ended_unwoken(followed) == 0
