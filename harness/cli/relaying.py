"""Cards in readers, relayed into virtual ones that are free: for `record` and `monitor --reader`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from emulator.filesystem.layouts.specs import Layout
from harness.monitor.relay import Relayed, relayed_both
from harness.readers import pcsc
from harness.serving import control
from harness.serving.pcsc_service import running
from harness.trace.record import Trace

PORT = click.option(
    "--port", type=click.IntRange(1, pcsc.LAST_PORT - 1),
    help="vpcd's port of the virtual reader that the card appears in. [of one that is free]",
)  # fmt: skip


@contextmanager
def relayed_into_free(
    reader: str, psam_reader: str | None, port: int | None, trace: Trace, layout: Layout | None
) -> Iterator[list[Relayed]]:
    """As ``relayed_both``, into virtual readers that are free, or those at ``port`` and the next. PcscError."""
    pcsc.find_reader(reader)
    with ExitStack() as stack:
        with control.starting():  # whoever starts meanwhile must not take the same
            ports = _ports(2 if psam_reader else 1, port)
            cards = stack.enter_context(relayed_both(reader, psam_reader, ports, trace, layout))
        yield cards


def _ports(count: int, first: int | None) -> list[int]:
    service = None if first is not None else running()
    if service is not None:
        return [one.port for one in service.lent(count)]
    first = first or pcsc.DEFAULT_PORT  # where no pcscd answers there is no card either, and the reader is named
    return list(range(first, first + count))
