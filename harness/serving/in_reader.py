"""One chip in a PC/SC reader for a while: what ``sscard.reader`` is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from emulator.chip import Chip
from emulator.messages import _
from emulator.reader.slot import Slot
from harness.readers import pcsc
from harness.serving import control
from harness.serving.pcsc_service import pcsc_service

SLOTS = 2
"""Of a pcscd that is started here, so that a PSAM may follow its card."""


@contextlib.contextmanager
def in_reader(chip: Chip) -> Iterator[str]:
    """The name of the reader that the chip is in. PcscError, naming the remedy, where there can be none."""
    if lacking := pcsc.missing():
        raise pcsc.PcscError("; ".join(map(str, lacking)))
    with contextlib.ExitStack() as stack:
        with control.starting():
            service = stack.enter_context(pcsc_service(SLOTS))
            place = service.places(1)[0]
            slot = Slot(chip, place.port)
            stack.callback(slot.close)
            slot.insert()
            wait_taken(slot, place.reader)
        yield place.reader


def wait_taken(slot: Slot, reader: str) -> None:
    """Waits until PC/SC has powered this very card and says that it is there; PcscError."""
    if not slot.wait_powered(pcsc.POWER_TIMEOUT) or not pcsc.wait_card(reader):
        raise pcsc.PcscError(
            _(
                "reader {reader!r} did not take the card at port {address} within {power_timeout:g} s: "
                "another card program may hold that slot; see `sscard doctor`"
            ).format(reader=reader, address=slot.address[1], power_timeout=pcsc.POWER_TIMEOUT)
        )
