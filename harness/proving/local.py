"""Runs in processes of this machine: one that dies takes its own run with it and no other."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from emulator.errors import SscardError
from emulator.messages import _
from emulator.override import override
from harness.verdicts import workers

PARENT_DIED = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
P = ParamSpec("P")
T = TypeVar("T")


class WorkerDied(SscardError, RuntimeError):
    """A process ended in the middle of a run: whatever it ran ended it, the machine had no memory left, or somebody
    killed it.
    """


class LocalProcesses(Executor):
    """So many processes, each at one run at a time. A run whose process dies ends with WorkerDied; another process
    takes that one's place. ``stop()``: what is being done is ended too.

    A standard pool cannot say whose run it was when a process dies, and gives all of them up; here each process is a
    pool of its own.
    """

    def __init__(self, jobs: int) -> None:
        self._free: SimpleQueue[_Process] = SimpleQueue()
        self._busy: set[_Process] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._every = [_Process() for _ in range(jobs)]  # forked from here, before there are threads
        for process in self._every:
            self._free.put(process)
        self._waiting = ThreadPoolExecutor(jobs, "sscard-run")

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._waiting.submit(self._done, fn, *args, **kwargs)

    def _done(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        process = self._free.get()
        with self._lock:
            self._busy.add(process)
        try:
            return process.pool.submit(_alone, fn, args, kwargs).result()
        except BrokenProcessPool:
            process.gone = True
            raise WorkerDied(
                _("process {pid} of this machine died in the middle of a run").format(pid=process.pid)
            ) from None
        finally:
            with self._lock:
                self._busy.discard(process)
                if process.gone and not self._stopped:
                    self._every.remove(process)
                    process.pool.shutdown()
                    process = _Process()
                    self._every.append(process)
            self._free.put(process)

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._waiting.shutdown(wait, cancel_futures=cancel_futures)
        with self._lock:
            self._stopped = True
        if wait:
            for process in self._every:
                process.pool.shutdown()

    def stop(self) -> None:
        """Ends what is being done, which cleans up after itself, and forgets what was not begun."""
        with self._lock:
            self._stopped = True
            for process in self._busy:
                process.end()
        self.shutdown(cancel_futures=True)


class _Process:
    """One process. ``gone``: it is no more."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, initializer=_begin, initargs=(os.getpid(),))
        self.pid = self.pool.submit(os.getpid).result()
        self.gone = False

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)


_at_work = False
"""Whether this process, one of those above, is in the middle of a run."""
_parent = 0


def _begin(parent: int) -> None:
    """Before the first run: Ctrl-C is for the one that asked, and that one's death is this one's end."""
    global _parent
    _parent = parent
    workers.leave_interrupts()
    signal.signal(signal.SIGTERM, _ended)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def _ended(_signal: int, _frame: object) -> None:
    if _at_work:
        raise KeyboardInterrupt  # what runs cleans up as it does after Ctrl-C
    os._exit(1)


def _alone(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    global _at_work
    _at_work = True
    try:
        return fn(*args, **kwargs)
    finally:
        _at_work = False
        if sys.platform == "linux" and os.getppid() != _parent:
            os._exit(1)  # nobody is left to be told
