"""What keeping a card costs: durable, relaxed and no image beside each other; forks and snapshots; sizes."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulator.chip import Chip
from emulator.filesystem.memory import image as images
from tests.kit.cards import SSSE, Card, new_card

ROUNDS, BATCH = 7, 100
UPDATE = bytes.fromhex("00DC05280605" + "0420260101"), bytes.fromhex("00DC05280605" + "0420270101")


def _ready(chip: Chip) -> Chip:
    chip.power_on()
    card = Card(chip)
    card.ok(SSSE)
    assert card.authenticate("UKSSSE") == "9000"
    return chip


def _updates(chip: Chip) -> float:
    start = time.perf_counter()
    for number in range(BATCH):
        assert chip.transmit(UPDATE[number % 2]) == b"\x90\x00"
    return BATCH / (time.perf_counter() - start)


def _microseconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(500):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1e6, 1)


def measure() -> dict[str, Any]:
    """UPDATE RECORD a second in three settings, in alternating batches; microseconds; bytes."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        paths = Path(folder, "durable.json"), Path(folder, "relaxed.json")
        fresh = new_card().chip.image
        with images.held(paths[0], fresh) as durable, images.held(paths[1], fresh, durable=False) as relaxed:
            chips = {
                "none": _ready(Chip(fresh.fork())),
                "relaxed": _ready(Chip(relaxed)),
                "durable": _ready(Chip(durable)),
            }
            rates: dict[str, list[float]] = {name: [] for name in chips}
            for _ in range(ROUNDS):
                for name, chip in chips.items():
                    rates[name].append(_updates(chip))
        size = paths[0].stat().st_size
    memory = fresh.memory
    snapshot = memory.snapshot()
    median = {name: round(statistics.median(values)) for name, values in rates.items()}
    return {
        "update_record_per_second": median,
        "no_image_to_durable": round(median["none"] / median["durable"], 1),
        "no_image_to_relaxed": round(median["none"] / median["relaxed"], 1),
        "fork_us": _microseconds(fresh.fork),
        "snapshot_us": _microseconds(memory.snapshot),
        "restore_us": _microseconds(lambda: memory.restore(snapshot)),
        "image_bytes": size,
        "content_bytes": sum(sum(map(len, cell)) for cell in snapshot.values() if isinstance(cell, tuple)),
    }
