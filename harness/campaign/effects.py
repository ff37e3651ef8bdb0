"""What one command may do to a card's memory, whatever it was: held against the memory before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from emulator.filesystem.memory.cells import Cell, CellKey, CellKind
from emulator.messages import because

Cells: TypeAlias = Mapping[CellKey, Cell]
COUNTING = frozenset({0x20, 0x5E, 0x82, 0x24})
"""INS of commands that may touch a counter; others do only under secure messaging."""
SECURED = 0x04
HARMLESS = frozenset({"67", "6A", "6B", "6D", "6E", "6C"})
"""First bytes of status words of commands that were not even begun, but for 6A80."""


def wrong(command: bytes, answer: bytes, before: Cells, after: Cells) -> str:
    """What should not have become of the memory; empty if all is as it may be."""
    if len(answer) < 2:
        return because("an answer has two bytes at least")
    if after == before:
        return ""  # whatever was answered, nothing below could be wrong
    sw = answer[-2:].hex().upper()
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    counters = {name for name in changed if name.kind is CellKind.TRIES}
    secured = len(command) > 5 and command[0] & SECURED
    if counters and not secured and command[1:2] and command[1] not in COUNTING:
        return because(f"the command has nothing to do with tries, yet touched {_named(counters)}")
    if len(counters) > 1:
        return because(f"one command touched several counters: {_named(counters)}")
    if sw != "9000" and sw[:2] != "61" and changed - counters:
        return because(f"it was refused with {sw}, yet changed {_named(changed - counters)}")
    if sw[:2] in HARMLESS and sw != "6A80":
        return because(f"it was not even begun ({sw}), yet touched {_named(counters)}")
    return ""


def _named(cells: set[CellKey]) -> str:
    return ", ".join(sorted(map(str, cells)))
