"""Programs that are ended at any moment: forks of this process, which need no second for their imports."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

Say = Callable[[str], None]


@dataclass
class Forked:
    """A running program. ``lines``: what it says."""

    pid: int
    lines: TextIO

    def kill(self) -> None:
        """As kill -9."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> int:
        """Waits for its end: its exit code, or minus the signal that ended it."""
        self.lines.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def forked(work: Callable[[Say], object]) -> Forked:
    """Does this in a process of its own. Databases must be closed here: no connection of theirs survives a fork."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return Forked(pid, os.fdopen(read, encoding="utf-8"))
    code = 1
    try:
        os.close(read)
        with os.fdopen(write, "w", encoding="utf-8") as told:
            work(lambda line: print(line, file=told, flush=True))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # what this process would do at its end is its parent's to do
