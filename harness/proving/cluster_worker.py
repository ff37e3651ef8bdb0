"""What every worker of a cluster is told when it joins: to offer what its machine has."""

from __future__ import annotations

from distributed import Worker, WorkerPlugin

from emulator.override import override
from emulator.version import VERSION
from harness.proving import machine
from harness.proving.machine import RUN, Need, resource


class Capabilities(WorkerPlugin):
    """Offers a machine's abilities as Dask's resources, also on workers that join later. One with another version of
    this program offers nothing.
    """

    name = "sscard-capabilities"
    idempotent = False

    def __init__(self) -> None:
        self._version = VERSION

    @override
    async def setup(self, worker: Worker) -> None:
        own = machine.here()
        same = own.version == self._version
        offered = {RUN: float(same)}
        offered |= {resource(need): float(same and not own.why_not(frozenset({need}))) for need in Need}
        await worker.set_resources(**offered)
