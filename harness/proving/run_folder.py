"""A folder for each run, gone with it; what runs that were killed left behind goes with the next one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emulator import filelock

PREFIX = "sscard-prove-"


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """A new folder, this run's alone, locked for as long as it is in use. OSError where none can be made."""
    sweep()
    path, handle = _made()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def _made() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # swept away before it was opened
        filelock.take(handle, wait=True)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(handle)):
                return path, handle
        os.close(handle)  # swept away before it was locked


def sweep() -> None:
    """Removes the folders of runs of this user that are no more."""
    if sys.platform == "win32":
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                if os.fstat(handle).st_uid == os.getuid():
                    filelock.take(handle, wait=False)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)
