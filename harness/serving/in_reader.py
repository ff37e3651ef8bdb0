"""One chip in a PC/SC reader for a while: what ``sscard.reader`` is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.slot import Slot
from harness.readers import pcsc
from harness.serving import control
from harness.serving.contactless import ContactlessReader
from harness.serving.pcsc_service import CONTACT, CONTACTLESS, pcsc_service


@contextlib.contextmanager
def in_reader(chip: Chip) -> Iterator[str]:
    """The name of the reader that the chip is in, which says Contactless where the chip is spoken to so. PcscError,
    naming the remedy, where there can be none.

    A pcscd that is started for it has room for what may follow: a PSAM or the card's like, in a contact reader.
    """
    if lacking := pcsc.missing():
        raise pcsc.PcscError("; ".join(map(str, lacking)))
    with contextlib.ExitStack() as stack:
        with control.starting():
            in_field = chip.interface is Interface.CONTACTLESS
            wanted = CONTACTLESS if in_field else CONTACT
            service = stack.enter_context(pcsc_service([wanted, CONTACT]))
            place = service.places([wanted])[0]
            slot = Slot(ContactlessReader(chip, chip) if in_field else chip, place.port)
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
