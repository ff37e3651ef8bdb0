"""Work on all processors."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor


def processors() -> int:
    """Returns how many processors there are, 1 at least."""
    return os.cpu_count() or 1


def pool() -> ProcessPoolExecutor:
    """A process for each. Ctrl-C, which a terminal sends to all of them, is for the one that asked: it takes what the
    others are at, and ends them.
    """
    return ProcessPoolExecutor(processors(), initializer=leave_interrupts)


def leave_interrupts() -> None:
    """Has this process leave Ctrl-C to the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
