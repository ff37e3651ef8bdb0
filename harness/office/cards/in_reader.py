"""The card in the reader, as a clerk's terminal sees it before any operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from emulator import catalogue
from emulator.apdu.status import SW
from harness.readers.connection import Connection
from harness.terminal.terminal import Refused, Terminal

Root = Callable[[str, int], bytes]


@dataclass(frozen=True, slots=True)
class Presented:
    """A powered card. ``chip``: the ATR's last 8 bytes in hex; ``refused``: the status word of a card that does not
    tell what it is, else 0.
    """

    terminal: Terminal
    chip: str
    refused: int = 0

    @classmethod
    def look(cls, connection: Connection, roots: Root) -> Self:
        """Reads who the card is. PcscError, TerminalError where it says nothing that can be understood."""
        terminal = Terminal(connection, roots=roots)
        chip = connection.atr[-8:].hex().upper()
        try:
            terminal.begin()
        except Refused as refused:
            return cls(terminal, chip, refused.sw)
        return cls(terminal, chip)

    @property
    def blocked(self) -> bool:
        """The environment is blocked, or the whole card."""
        return self.refused in (SW.APPLICATION_BLOCKED, SW.FUNCTION_NOT_SUPPORTED)

    def with_layout(self, name: str) -> None:
        """The card's layout where it says nothing itself."""
        self.terminal.layout = catalogue.layout(name)
