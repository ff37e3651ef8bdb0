"""What was written is known without comparing snapshots: the same as comparing them says, whatever was done."""

from __future__ import annotations

from random import Random

import pytest

from emulator import catalogue
from emulator.filesystem.memory.cells import Cell, CellKey, CellKind, key_cell
from emulator.filesystem.memory.memory import REMEMBERED, Memory
from emulator.filesystem.memory.nvm import PowerCut


def compared(before: dict[CellKey, Cell], now: dict[CellKey, Cell]) -> list[tuple[CellKey, Cell | None, Cell | None]]:
    """By looking at every cell; those that are gone last."""
    found: list[tuple[CellKey, Cell | None, Cell | None]] = [
        (name, before.get(name), cell) for name, cell in now.items() if before.get(name) != cell
    ]
    return found + [(name, cell, None) for name, cell in before.items() if name not in now]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_two_snapshots_differ_in(seed: int) -> None:
    chance = Random(seed)
    memory = catalogue.card("adult-chengdu", "3.00", "3des").memory
    counters = [name for name in memory.snapshot() if name.kind is CellKind.TRIES]
    files = [name for name in memory.snapshot() if name.kind is CellKind.FILE]
    beginning = memory.snapshot()
    seen, count = memory.snapshot(), memory.written
    for _ in range(60):
        before = dict(seen)
        for __ in range(chance.choice((0, 1, 1, 3))):
            _write(memory, chance, counters, files)
        if chance.random() < 0.1:  # more than is remembered
            for __ in range(2 * REMEMBERED):
                memory.set_counter(chance.choice(counters), chance.randrange(4))
        if chance.random() < 0.05:
            memory.restore(beginning)
        now = memory.snapshot()
        found = memory.differing(count, seen)
        assert found == compared(before, now)
        assert seen == now
        count = memory.written


def _write(memory: Memory, chance: Random, counters: list[CellKey], files: list[CellKey]) -> None:
    """One write of any kind: a counter, a transaction over files and keys, or one that power is cut in."""
    if chance.random() < 0.6:
        memory.set_counter(chance.choice(counters), chance.randrange(4))
        return
    for name in chance.sample(files, 2):
        parts = memory.parts(name)
        if parts and parts[0]:
            memory.put(name, (parts[0][:-1] + chance.randbytes(1), *parts[1:]))
    if chance.random() < 0.3:
        memory.put(key_cell("IRK", chance.choice((1, 2, 3))), chance.randbytes(16))
    if chance.random() < 0.2:
        memory.nvm.cut_after = chance.randrange(12)
    try:
        memory.commit()
    except PowerCut:
        memory.recover()
    memory.nvm.cut_after = None
