"""How things are timed: the median of several runs, in commands a second."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

RUNS, SECONDS = 5, 0.3


def rate(transmit: Callable[[bytes], bytes], command: bytes) -> float:
    """Commands a second, the median of five runs of 0.3 s each."""
    batch = 200
    rates = []
    for _ in range(RUNS):
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < SECONDS:
            for _ in range(batch):
                transmit(command)
            count += batch
        rates.append(count / spent)
    return statistics.median(rates)
