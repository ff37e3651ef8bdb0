"""One chip in a PC/SC reader for a while: what ``sscard.reader`` is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from emulator.chip import Chip
from emulator.interface import Interface
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
            service.wait_taken(slot, place)
        yield place.reader
