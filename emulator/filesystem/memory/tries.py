"""Try counters: how often a PIN or a key may still fail."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.filesystem.memory.cells import CellKey
from emulator.filesystem.memory.memory import Memory

UNLIMITED = 0xF
"""The x of 63Cx where nothing is counted: the most that it can say. [D]"""


@dataclass(frozen=True, slots=True)
class TryCounter:
    """How often a PIN or key may still fail; ``limit`` 0: as often as it likes.

    ``spend`` comes before the comparison, so a power cut buys no try. [P]
    """

    memory: Memory
    cell: CellKey
    limit: int

    @property
    def left(self) -> int:
        """Tries left; 0 is locked. ``UNLIMITED`` where nothing is counted."""
        return self.memory.counter(self.cell) if self.limit else UNLIMITED

    def spend(self) -> int:
        """Takes one try and gives how many are left."""
        if not self.limit:
            return UNLIMITED
        left = self.memory.counter(self.cell) - 1
        self.memory.set_counter(self.cell, left)
        return left

    def restore(self) -> None:
        """Sets the counter back to its limit."""
        if self.memory.counter(self.cell) != self.limit:
            self.memory.set_counter(self.cell, self.limit)
