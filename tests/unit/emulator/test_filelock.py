"""Locks that keep processes apart, as this system has them and as Windows has them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import filelock

HOLD = """
import sys, time, os
from emulator import filelock
filelock.take(os.open(sys.argv[1], os.O_RDWR), wait=False)
print("held", flush=True)
time.sleep(60)
"""


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def test_one_process_alone_holds_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    handle = opened(path)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            filelock.take(handle, wait=False)
        other.kill()
    filelock.take(handle, wait=True)  # whoever is killed holds nothing any more
    filelock.remove(handle, path)
    assert not path.exists()


class _Locked(types.ModuleType):
    """What Windows locks: a byte of a file, for one open file of it."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: dict[int, int] = {}
        self.attempts = 0

    def locking(self, handle: int, mode: int, size: int) -> None:
        assert (mode, size, os.lseek(handle, 0, os.SEEK_CUR)) == (self.LK_NBLCK, 1, 0)
        self.attempts += 1
        if self.held.setdefault(os.fstat(handle).st_ino, handle) != handle:
            if self.attempts > 3:  # the other one lets go
                self.held.clear()
            raise PermissionError(13, "Permission denied")


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    with monkeypatch.context() as there:
        there.setattr(sys, "platform", "win32")
        there.setitem(sys.modules, "msvcrt", _Locked())
        yield importlib.reload(filelock)
    importlib.reload(filelock)


@pytest.mark.skipif(sys.platform == "win32", reason="the real one is there")
def test_windows_locks_a_byte(windows: types.ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    mine, other = opened(path), opened(path)
    windows.take(mine, wait=False)
    os.write(other, b"somewhere else")
    with pytest.raises(BlockingIOError, match="another process"):
        windows.take(other, wait=False)
    windows.take(other, wait=True)
    windows.remove(other, path)
    assert not path.exists()
    os.close(mine)
