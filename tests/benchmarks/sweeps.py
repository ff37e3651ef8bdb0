"""Sweeps: runs a minute of a terminal with some 40 commands, one and two at once, beside its own time."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from emulator.reader.shape import ReaderShape
from harness.proving import executor
from harness.proving.sweep import store, swept
from harness.proving.sweep.swept import Bounds, Swept
from tests.kit import terminals

CELLS = 24
"""Each is two runs; three more come first."""
SOUND_RUNS = 3
AT_ONCE = (1, 2)


def measure() -> dict[str, Any]:
    """By how many at once: runs a minute, seconds of the sound run, and commands of the terminal."""
    request = terminals.request()
    argv = tuple(one for one in request.argv if one not in ("--telephone", "00000000003"))
    situation = replace(request.situation, layout="2.00", shape=ReaderShape.APDU)
    request = replace(request, argv=argv, situation=situation)
    found: dict[str, Any] = {}
    for jobs in AT_ONCE:
        with executor.opened(jobs=jobs, needs=swept.needs(request)) as runs, store.opened(None) as results:
            began = time.monotonic()
            done: Swept = swept.sweep(request, Bounds(limit=CELLS), runs, results, lambda _so_far: None)
            seconds = time.monotonic() - began
        found["commands"] = len(done.baseline.commands)
        found["sound_run_seconds"] = round(done.baseline.seconds, 3)
        found[f"runs_a_minute_{jobs}"] = round(60 * (SOUND_RUNS + 2 * len(done.played)) / seconds, 1)
    return found
