"""What a campaign costs beside the bare chip, and what a second process or a second worker brings."""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from emulator.chip import Chip
from harness.campaign import shard
from harness.campaign.chance import Deeds
from harness.campaign.deeds import Deed, Reset, Send
from harness.campaign.session import Kind, Session
from harness.proving.executor import Runs, opened
from tests.benchmarks.timing import RUNS
from tests.kit import isolation
from tests.kit.cluster import cluster

KIND = Kind("3.00", "3des")
SESSIONS, LENGTH = 40, 200
WAITS, COMPUTES = 0.5, 400_000
"""Seconds that a run waits, and rounds of a hash that one computes, which takes about as long."""
DONE = 12
"""Runs of each kind: waited for half a second each."""


def waits(_number: int) -> None:
    """A terminal that waits for its user."""
    time.sleep(WAITS)


def computes(_number: int) -> None:
    """A terminal that computes."""
    value = b""
    for _ in range(COMPUTES):
        value = hashlib.sha256(value).digest()


def measure() -> dict[str, Any]:
    """Rates of commands beside the bare chip's with the same commands, and ratios of two to one."""
    return {"campaign": {"recorded": recorded(), "generated": generated()}, "two_of": {**local(), **on_a_cluster()}}


def recorded() -> dict[str, float]:
    """The field's flows, as they were recorded, replayed."""
    commands = [one for flow in shard.flows(KIND) for one in flow.commands if one] * 10
    deeds = [Send(one) for one in commands]

    def played() -> None:
        session = Session(Kind(KIND.layout, KIND.algorithm, "expired"), random.Random(1))
        for deed in deeds:
            session.do(deed)

    return _beside(commands, played)


def generated() -> dict[str, float]:
    """Commands by chance, each answer held against the model; made, sent and judged."""
    sent = [_session(number) for number in range(SESSIONS)]
    commands = [command for one in sent for command, _ in one.sent if command]
    return _beside(commands, lambda: [_session(number) for number in range(SESSIONS)])


def _session(number: int) -> Session:
    own = random.Random(number)
    session = Session(KIND, random.Random(number))
    deeds = Deeds(own, session)
    deed: Deed = Reset()
    for _ in range(LENGTH):
        deed = deeds.next()
        session.do(deed)
    return session


def _beside(commands: list[bytes], played: Callable[[], object]) -> dict[str, float]:
    """Commands a second of the processor's time, of both, alternating, the median of several runs, and their ratio."""
    bare, ours = [], []
    for _ in range(RUNS):
        chip = Chip(KIND.image())
        chip.power_on()
        began = time.process_time()
        for command in commands:
            chip.transmit(command)
        bare.append(len(commands) / (time.process_time() - began))
        began = time.process_time()
        played()
        ours.append(len(commands) / (time.process_time() - began))
    per_second = statistics.median(ours)
    ratio = round(per_second / statistics.median(bare), 2)
    return {"bare_per_second": round(statistics.median(bare)), "per_second": round(per_second), "ratio": ratio}


def local() -> dict[str, float]:
    """Two processes of this machine beside one."""
    took = []
    for jobs in (1, 2):
        with opened(jobs=jobs) as runs:
            took.append(_timed(runs))
    return {f"processes, {name}": round(took[0][name] / took[1][name], 2) for name in WORKS}


def on_a_cluster() -> dict[str, float]:
    """Two workers of a Dask cluster beside one."""
    took = []
    for workers in ("a", "ab"):
        with cluster(workers=workers) as found, opened(found.address) as runs:
            list(runs.completed(waits, range(4)))  # each of them has loaded all that it needs
            took.append(_timed(runs))
    return {f"workers, {name}": round(took[0][name] / took[1][name], 2) for name in WORKS}


WORKS: dict[str, Callable[[int], None]] = {"a terminal that waits": waits, "one that computes": computes}


def _timed(runs: Runs) -> dict[str, float]:
    """Seconds that so many runs of each kind take."""
    took = {}
    for name, work in WORKS.items():
        began = time.perf_counter()
        for one in runs.completed(work, range(DONE)):
            assert not one.trouble, one.trouble
        took[name] = time.perf_counter() - began
    return took


if __name__ == "__main__":
    isolation.enter()
    print(json.dumps(measure()))
