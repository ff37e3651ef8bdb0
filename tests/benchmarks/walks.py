"""One revision's share of a comparison: ``iReadCardBas`` in-process, and 300 vectors, in CPU milliseconds.

Run as a program, with the tree to measure first in ``PYTHONPATH``. It speaks to trees of other days too, so it asks for
what it needs under each name that it has had.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

LAYOUT, ALGORITHM = "3.00", "sm4"
VECTORS = 300
CALLS, ROUNDS = 20, 5


def milliseconds(work: Callable[[], object]) -> float:
    """What one piece of work takes of this process's CPU time."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def read_basic() -> Callable[[], tuple[int, str]]:
    """The driver's function on a card and a PSAM, both ready."""
    if Path("sscard", "face.py").exists():
        face: Any = importlib.import_module("sscard")
        driver = face.driver(face.card("adult-chengdu", layout=LAYOUT, algorithm=ALGORITHM), face.psam())
    else:
        counter = importlib.import_module("tests.counter").Counter(LAYOUT, ALGORITHM)
        chip: Any = importlib.import_module("emulator.chip").Chip  # a sound one, as the face has: no faults, no trace
        counter.card, counter.own = chip(counter.image), chip(counter.own.image)
        driver = counter.driver
    return lambda: driver.iReadCardBas(1)


def vectors(folder: Path) -> Callable[[], list[str]]:
    """The first vectors for the card, spread over all there are; gives their verdicts."""
    conformance = "harness.conformance"
    runner = importlib.import_module(f"{conformance}.runner")
    virtual: Any = _virtual()(LAYOUT, ALGORITHM)
    found = importlib.import_module(f"{conformance}.vector").find([folder])
    fit = [one for one in found if runner.applicable(one, virtual, allow_destructive=True) is None]
    chosen = list(islice(fit, 0, None, max(1, len(fit) // VECTORS)))[:VECTORS]
    assert len(chosen) == VECTORS, f"{folder} has {len(chosen)} vectors for {LAYOUT} with {ALGORITHM}"
    return lambda: [str(runner.run_one(one, virtual).verdict) for one in chosen]


def _virtual() -> Any:
    for name in ("targets.virtual", "bench"):
        try:
            return importlib.import_module(f"harness.conformance.{name}").Virtual
        except ModuleNotFoundError:
            continue
    raise SystemExit("this tree has no virtual cards to run vectors on")


def main() -> None:
    """``walks.py VECTORS``: one line of JSON."""
    call = read_basic()
    code, _ = call()
    assert code == 0
    reads = min(milliseconds(call) for _ in range(CALLS) for _ in range(ROUNDS))
    play = vectors(Path(sys.argv[1]))
    first = milliseconds(play)
    again = min(milliseconds(play) for _ in range(2))
    print(
        json.dumps(
            {"iReadCardBas": reads, "300 vectors, first": first, "300 vectors": again, "passed": play().count("passed")}
        )
    )


if __name__ == "__main__":
    main()
