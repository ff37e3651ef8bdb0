"""Runs on the workers of a Dask cluster."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from emulator.errors import Misuse
from emulator.messages import _
from harness import extras
from harness.proving import machine
from harness.proving.machine import RUN, CannotRun, Machine, Need, resource

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = re.compile(r"(tcp|tls)://[^/:\s]+:[0-9]{1,5}")
CONNECTING = 10.0
"""Seconds that a scheduler has to answer."""


class ClusterLost(CannotRun):
    """The scheduler cannot be reached, or is no more."""


@contextmanager
def connected(address: str, say: Callable[[str], object]) -> Iterator[Cluster]:
    """The cluster of the scheduler at this address, as ``tcp://HOST:8786``. ``say`` is told of workers that cannot do
    what others can. Misuse, ClusterLost, MissingExtra.
    """
    if not ADDRESS.fullmatch(address):
        raise Misuse(_("expected a scheduler like tcp://HOST:8786, found {address!r}").format(address=address))
    try:
        from distributed import Client

        from harness.proving import cluster_worker
    except ModuleNotFoundError as error:
        lacking = extras.missing(error, _("a cluster"), "cluster")
        raise lacking or error from None
    try:
        parts = urlsplit(address)
        # Dask goes on trying for as long as it may, also where nobody listens.
        socket.create_connection((parts.hostname or "", parts.port or 0), CONNECTING).close()
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECTING, set_as_default=False, name="sscard"
        )
    except (OSError, ValueError) as error:
        raise ClusterLost(
            _("no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`").format(
                address=address, error=str(error) or type(error).__name__
            )
        ) from None
    with client:
        client.register_plugin(cluster_worker.Capabilities())
        yield Cluster(client, address, say)


class Cluster:
    """A scheduler's workers."""

    def __init__(self, client: Client, address: str, say: Callable[[str], object]) -> None:
        self._client = client
        self.address = address
        self._say = say
        self._told: set[str] = set()

    def executor(self, needs: frozenset[Need]) -> Executor:
        """Gives runs of these needs to those workers that meet them. The scheduler has another begin the runs again
        whose worker died, a few times.
        """
        asked: dict[str, float] = dict.fromkeys((RUN, *map(resource, needs)), 1)
        made: Executor = self._client.get_executor(pure=False, resources=asked)  # type: ignore[no-untyped-call]
        return made

    def able(self, needs: frozenset[Need]) -> list[Machine]:
        """The workers that can do such runs, now; says of each other one, once, why it cannot. ClusterLost."""
        found = []
        for worker, one in self._machines().items():
            why = one.why_not(needs) if isinstance(one, Machine) else _no_sscard(one)
            if not why:
                assert isinstance(one, Machine)
                found.append(one)
            elif worker not in self._told:
                self._told.add(worker)
                self._say(_("worker {worker} gets other work: {why}").format(worker=worker, why=why))
        return found

    def demand(self, needs: frozenset[Need]) -> list[Machine]:
        """The workers that can do such runs; CannotRun where there is none, ClusterLost."""
        if able := self.able(needs):
            return able
        if not self._machines():
            raise CannotRun(
                _("the scheduler at {address} has no workers: `dask worker {address} --nthreads 1` starts one").format(
                    address=self.address
                )
            )
        raise CannotRun(_("no worker of {address} can do these runs").format(address=self.address))

    def _machines(self) -> dict[str, Machine | BaseException]:
        try:
            told: dict[str, Any] = self._client.run(machine.here, on_error="return")
        except (OSError, RuntimeError) as error:
            raise lost(self.address, error) from None
        return told


def lost(address: str, error: BaseException) -> ClusterLost:
    """The error of a scheduler that is no more."""
    return ClusterLost(
        _("the scheduler at {address} is gone ({error}): runs that it had not reported are not done").format(
            address=address, error=str(error) or type(error).__name__
        )
    )


def _no_sscard(error: BaseException) -> str:
    return _("cannot load sscard ({error}): install it there with the extra [cluster], the same version").format(
        error=f"{type(error).__name__}: {error}"
    )
