"""Which reader has which card, where nobody said so."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.apdu.instructions.select import Select
from emulator.interface import Interface, interface_of
from harness.driver.readers import PcscReaders
from harness.keys.psam import APPLICATION
from harness.readers import pcsc
from harness.readers.connection import Connection, Pcsc
from harness.readers.pcsc import PcscError
from harness.terminal.session import TerminalSession


class FoundReaders:
    """PC/SC readers, of which the one whose card has a PSAM's application is the PSAM's. It is looked for again when
    cards come or go, not with each call: the user's card sees one command more than the terminal's flow has.
    """

    def __init__(self, cards: Sequence[str] = (), *, contactless: Sequence[str] = ()) -> None:
        self._cards, self._contactless = tuple(cards), tuple(contactless)
        self._seen: dict[str, bytes] = {}
        self._readers = PcscReaders(cards, contactless=contactless)

    def card(self, kind: int) -> Connection:
        """Returns the user's card, in the reader that was found for it."""
        return self._found().card(kind)

    def psam(self) -> Connection | None:
        """Returns the PSAM, in the reader that was found for it; None where there is none."""
        return self._found().psam()

    def _found(self) -> PcscReaders:
        seen = pcsc.present()
        if seen != self._seen:
            candidates = [name for name, atr in seen.items() if self._may_be_psam(name, atr)]
            own, certain = _psam_among(candidates)
            self._seen = seen if certain else {}
            self._readers = PcscReaders(self._cards, own, contactless=self._contactless)
        return self._readers

    def _may_be_psam(self, name: str, atr: bytes) -> bool:
        """A PSAM is a contact card: a user's card in a field need not be asked, which would cost it its session."""
        if self._cards and name.startswith(self._cards):
            return False
        return interface_of(atr) is Interface.CONTACT


def _psam_among(readers: Sequence[str]) -> tuple[str | None, bool]:
    """The reader with the PSAM, and whether that is certain: a card that another program uses may be one."""
    certain = True
    for name in readers:
        found = is_psam(name)
        if found:
            return name, True
        certain = certain and found is not None
    return None, certain


def is_psam(reader: str) -> bool | None:
    """True if the card there has a PSAM's application; false where it cannot be asked, None while it is in use."""
    try:
        with Pcsc(reader, reset_at_end=True) as connection:
            return TerminalSession(connection).send(Select.command(APPLICATION)).ok
    except PcscError as error:
        return None if error.result == pcsc.SHARING_VIOLATION else False
