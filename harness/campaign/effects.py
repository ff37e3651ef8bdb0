"""What one command may do to a card's memory, whatever it was: held against the memory before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from emulator.filesystem.memory.cells import UNBLOCKINGS_CELL, Cell, CellKey, CellKind, tries_cell
from emulator.messages import because
from emulator.security import PIN

Cells: TypeAlias = Mapping[CellKey, Cell]
PIN_TRIES = tries_cell(PIN)
UNBLOCKS = b"\x24"
"""INS of PIN CHANGE/UNBLOCK. Its failures are counted apart from wrong proofs of its key; done, it sets back that count
and the PIN's tries together. [T: part5:6.8, part7:13.3; D: docs/guesses.md]
"""
COUNTED: dict[bytes, Callable[[CellKey], bool]] = {
    b"\x20": lambda name: name != UNBLOCKINGS_CELL,
    b"\x5e": lambda name: name != UNBLOCKINGS_CELL,
    b"\x82": lambda name: name not in (UNBLOCKINGS_CELL, PIN_TRIES),
    UNBLOCKS: lambda name: name == UNBLOCKINGS_CELL,
}
"""What a failure of VERIFY, CHANGE PIN, EXTERNAL AUTHENTICATION, PIN CHANGE/UNBLOCK is counted in, by INS: the tries
of a PIN (the card's, or a certificate application's), those of a key, the unblockings. Nothing else is counted, of
wrong MACs neither. [T: part7:13.1, part7:13.2]
"""
DONE = frozenset({"90", "61"})
"""First bytes of status words of commands that were carried out."""
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
    if sw[:2] in HARMLESS and sw != "6A80":
        return because(f"it was not even begun ({sw}), yet touched {_named(changed)}")
    if counters and (harm := _miscounted(command[1:2], sw, before, after, counters)):
        return harm
    if sw[:2] not in DONE and changed - counters:
        return because(f"it was refused with {sw}, yet changed {_named(changed - counters)}")
    return ""


def _miscounted(ins: bytes, sw: str, before: Cells, after: Cells, counters: set[CellKey]) -> str:
    """What is wrong about the counters that changed. Each failure takes one try from one counter, and each success sets
    back that one; an unblocking sets back the PIN's as well.
    """
    done = sw[:2] in DONE
    if ins not in COUNTED:
        return because(f"the command has nothing to do with tries, yet touched {_named(counters)}")
    together = done and ins == UNBLOCKS
    if foreign := {name for name in counters if not (COUNTED[ins](name) or (together and name == PIN_TRIES))}:
        return because(f"the command has nothing to do with these tries, yet touched {_named(foreign)}")
    if len(counters) > 1 and not together:
        return because(f"one command touched several counters: {_named(counters)}")
    gained = {name: _count(name, after) - _count(name, before) for name in counters}
    if done and (taken := {name for name, more in gained.items() if more < 0}):
        return because(f"it was carried out ({sw}), yet took tries of {_named(taken)}")
    if not done and (odd := {name for name, more in gained.items() if more != -1}):
        return because(f"it was refused with {sw}, yet did not take one try of {_named(odd)}")
    return ""


def _count(name: CellKey, cells: Cells) -> int:
    found = cells.get(name)
    return found if isinstance(found, int) else 0


def _named(cells: set[CellKey]) -> str:
    return ", ".join(sorted(map(str, cells)))
