"""Where cards are: in PC/SC readers, as the library's iType means them, or where a caller says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from emulator.interface import Interface, interface_of
from emulator.messages import _
from harness.readers import names, pcsc
from harness.readers.connection import Connection, Pcsc
from harness.readers.pcsc import PcscError

ORDER = {1: (False,), 2: (True,), 3: (False, True), 4: (True, False)}
"""Contactless or not, by iType, in the order they are tried. [S: reference:terminal Functions]"""
EMPTY = frozenset({pcsc.NO_SMARTCARD, pcsc.REMOVED_CARD, pcsc.UNPOWERED_CARD, pcsc.UNRESPONSIVE_CARD})


class Readers(Protocol):
    """Where cards are."""

    def card(self, kind: int) -> Connection:
        """The user's card for an iType; PcscError."""

    def psam(self) -> Connection | None:
        """The terminal's own card, None if it has none; PcscError."""


@dataclass(frozen=True, slots=True)
class Given:
    """Readers from two functions."""

    card: Callable[[int], Connection]
    psam: Callable[[], Connection | None]


class PcscReaders:
    """Readers by the beginnings of their names: ``cards`` for users' cards (none: every reader but the PSAM's),
    ``psam`` for the terminal's own. ``contactless``: readers that are, whatever they are called and hold.
    """

    def __init__(self, cards: Sequence[str] = (), psam: str | None = None, *, contactless: Sequence[str] = ()) -> None:
        self._cards = tuple(cards)
        self._psam = psam
        self._contactless = tuple(contactless)

    def card(self, kind: int) -> Connection:
        """The first card that is there, in the order that an iType says. PcscError where no reader has one."""
        refused = []
        for name in self._names(kind):
            try:
                return Pcsc(name, reset_at_end=True)
            except PcscError as error:
                if error.result not in EMPTY:
                    raise
                refused.append(error)
        if not refused:
            raise PcscError(
                _("no reader of this kind; there are {value}").format(value=pcsc.reader_names() or "none"),
                pcsc.UNKNOWN_READER,
            )
        raise min(refused, key=lambda error: error.result == pcsc.NO_SMARTCARD)

    def _names(self, kind: int) -> list[str]:
        own, cards = self._own(), pcsc.present()
        mine = [
            name for name in pcsc.reader_names() if name != own and (not self._cards or name.startswith(self._cards))
        ]
        return [name for wanted in ORDER[kind] for name in mine if self._is_contactless(name, cards) == wanted]

    def _is_contactless(self, name: str, cards: Mapping[str, bytes]) -> bool:
        """By what the caller says, by the reader's name, or by the card in it: many readers' names say nothing."""
        if names.says_contactless(name) or name.startswith(self._contactless):
            return True
        return interface_of(cards.get(name, b"")) is Interface.CONTACTLESS

    def _own(self) -> str | None:
        if self._psam is None:
            return None
        return next((name for name in pcsc.reader_names() if name.startswith(self._psam)), None)

    def psam(self) -> Connection | None:
        """The terminal's own card; None where there is no such reader or card. PcscError."""
        name = self._own()
        if name is None:
            return None
        try:
            return Pcsc(name, reset_at_end=True)
        except PcscError as error:
            if error.result not in EMPTY:
                raise
            return None
