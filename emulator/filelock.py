"""Locks on open files, which keep processes apart: ``flock`` where there is one, a locked byte on Windows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from emulator.messages import _

PAUSE = 0.05
"""Seconds between attempts on Windows, which wakes nobody up."""

if sys.platform == "win32":
    import msvcrt

    def take(handle: int, *, wait: bool) -> None:
        """Locks an open file for its process alone; BlockingIOError where another has it and none is waited for."""
        while True:
            os.lseek(handle, 0, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
                return
            except OSError as error:
                if not wait:
                    raise BlockingIOError(error.errno, _("another process has locked it")) from None
            time.sleep(PAUSE)

    def remove(handle: int, path: Path) -> None:
        """Lets a lock file go, and away with it; it stays where another process has opened it."""
        os.close(handle)
        with contextlib.suppress(OSError):  # no open file can be removed there
            path.unlink()

else:
    import fcntl

    def take(handle: int, *, wait: bool) -> None:
        """Locks an open file for its process alone; BlockingIOError where another has it and none is waited for."""
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

    def remove(handle: int, path: Path) -> None:
        """Lets a lock file go, and away with it: nobody can take what is there no more."""
        path.unlink(missing_ok=True)
        os.close(handle)
