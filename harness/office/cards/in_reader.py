"""The card in the reader, as a clerk's terminal sees it before any operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from emulator import catalogue
from emulator.apdu.status import SW
from emulator.interface import chip_factor
from harness.readers.connection import Connection
from harness.terminal.terminal import Refused, Terminal

Root = Callable[[str, int], bytes]


@dataclass(frozen=True, slots=True)
class CardInReader:
    """A powered card. ``chip``: the ATR's last 8 bytes in hex; ``refused``: the status word of a card that was asked
    and does not tell what it is, else 0.
    """

    terminal: Terminal
    chip: str
    refused: int = 0

    @classmethod
    def unread(cls, connection: Connection, roots: Root) -> Self:
        """Known by its ATR alone: no command is sent."""
        return cls(Terminal(connection, roots=roots), chip_factor(connection.atr).hex().upper())

    @classmethod
    def read(cls, connection: Connection, roots: Root) -> Self:
        """Asked who it is. PcscError, TerminalError where it says nothing that can be understood."""
        card = cls.unread(connection, roots)
        try:
            card.terminal.begin()
        except Refused as refused:
            return replace(card, refused=refused.sw)
        return card

    @property
    def blocked(self) -> bool:
        """The environment is blocked, or the whole card."""
        return self.refused in (SW.APPLICATION_BLOCKED, SW.FUNCTION_NOT_SUPPORTED)

    def with_layout(self, name: str) -> None:
        """The card's layout where it says nothing itself."""
        self.terminal.layout = catalogue.layout(name)
