"""Where runs are done: one executor in the shape of ``concurrent.futures``, of processes here or of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from emulator.errors import Misuse
from emulator.messages import _, ngettext
from harness.proving import cluster, machine
from harness.proving.cluster import Cluster
from harness.proving.local import LocalProcesses, WorkerDied
from harness.proving.machine import CannotRun, Machine, Need
from harness.verdicts import workers

AGAIN = 1
"""How often a run is begun again whose process died: once by chance, twice is the run's own doing."""
QUIET = 15.0
"""Seconds without any run done, after which it is asked whether anybody is left to do one."""
Asked = TypeVar("Asked")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Done(Generic[Asked, Found]):
    """One run that came to its end. ``number``: its place among those asked for, from 0; ``found``: what it gave, None
    where it gave nothing, and then ``trouble`` says why; ``where``: host and process; ``repeated``: how often it was
    begun again because a process of this machine had died with it.
    """

    number: int
    asked: Asked
    found: Found | None
    trouble: str = ""
    where: str = ""
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Sent(Generic[Asked]):
    number: int
    asked: Asked
    repeated: int = 0


class Runs:
    """Does runs, so many at once. ``machines``: who does them."""

    def __init__(
        self, executor: Executor, machines: list[Machine], still_able: Callable[[], int], say: Callable[[str], object]
    ) -> None:
        self.executor = executor
        self.machines = machines
        self._still_able = still_able
        self._at_once = len(machines)
        self._say = say

    def completed(
        self, work: Callable[[Asked], Found], asked: Iterable[Asked]
    ) -> Generator[Done[Asked, Found], None, None]:
        """Each run as it comes to its end, in no order; ``number`` has theirs. ``work``: a function that other
        processes can import. ``asked`` is taken from only as there is room, so it may go on for as long as it likes.

        A run that raises is done too, and says so. CannotRun where nobody is left who could do what is to be done,
        ClusterLost where the scheduler is gone; what was not given until then was not done.
        """
        left = enumerate(asked)
        waiting: dict[Future[tuple[str, Found]], _Sent[Asked]] = {}

        def send(one: _Sent[Asked]) -> None:
            waiting[self.executor.submit(_told, work, one.asked)] = one

        try:
            while True:
                while len(waiting) < 2 * self._at_once and (following := next(left, None)) is not None:
                    send(_Sent(*following))
                if not waiting:
                    return
                ended, __ = wait(waiting, timeout=QUIET, return_when=FIRST_COMPLETED)
                if not ended:
                    self._at_once = self._still_able()
                for future in ended:
                    sent = waiting.pop(future)
                    error = _error(future)
                    if isinstance(error, WorkerDied) and sent.repeated < AGAIN:
                        self._say(_("{error}; the run is begun again").format(error=error))
                        send(_Sent(sent.number, sent.asked, sent.repeated + 1))
                    elif isinstance(error, CancelledError):
                        self._still_able()  # says what became of the scheduler
                        yield self._failed(sent, error)
                    elif error is not None:
                        yield self._failed(sent, error)
                    else:
                        where, found = future.result()
                        yield Done(sent.number, sent.asked, found, "", where, sent.repeated)
        finally:
            for future in waiting:
                future.cancel()

    def _failed(self, sent: _Sent[Asked], error: BaseException) -> Done[Asked, Found]:
        words = str(error) if isinstance(error, WorkerDied) else f"{type(error).__name__}: {error}"
        return Done(sent.number, sent.asked, None, words, "", sent.repeated)


def _error(future: Future[tuple[str, Found]]) -> BaseException | None:
    return CancelledError() if future.cancelled() else future.exception()


def _told(work: Callable[[Asked], Found], asked: Asked) -> tuple[str, Found]:
    """What a run gave, and where it was done."""
    return machine.name(), work(asked)


@contextmanager
def opened(
    scheduler: str = "", jobs: int = 0, needs: frozenset[Need] = frozenset(),
    say: Callable[[str], object] = lambda _text: None,
) -> Iterator[Runs]:  # fmt: skip
    """Where runs of these needs are done: on the cluster whose Dask scheduler is at ``scheduler``, or here, in so many
    processes, one for each processor where ``jobs`` is 0. ``say`` is told what a user should know, a sentence each.

    CannotRun where no machine has what they need; ClusterLost, MissingExtra; Misuse for both at once.
    """
    if scheduler and jobs:
        raise Misuse(_("a cluster has as many processes as it has workers: leave --jobs out"))
    if scheduler:
        with cluster.connected(scheduler, say) as found:
            yield from _on(found, needs, say)
        return
    own = machine.here()
    if why := own.why_not(needs):
        raise CannotRun(why)
    jobs = jobs or workers.processors()
    executor = LocalProcesses(jobs)
    try:
        yield Runs(executor, [own] * jobs, lambda: jobs, say)
    except BaseException:
        executor.stop()
        raise
    executor.shutdown()


def _on(found: Cluster, needs: frozenset[Need], say: Callable[[str], object]) -> Iterator[Runs]:
    able = found.demand(needs)
    say(
        ngettext(
            "{count} worker of {address} does the runs", "{count} workers of {address} do the runs", len(able)
        ).format(count=len(able), address=found.address)
    )
    yield Runs(found.executor(needs), able, lambda: len(found.demand(needs)), say)
