"""What one run of ``sscard prove`` costs besides the program's own time, in readers that were made ready beforehand."""

from __future__ import annotations

import sys
from statistics import median

from harness.proving import stage
from harness.proving.one_run import play
from harness.proving.runs import RunRequest
from harness.proving.situation import Situation
from harness.verdicts.verdict import Verdict

RUNS = 7
AIM = 0.3
"""Seconds."""
TERMINAL = """
import sys, time
from smartcard.System import readers
card = readers()[0].createConnection(); card.connect()
for command in ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00C000001E", "00B2032C06"):
    card.transmit(list(bytes.fromhex(command)))
time.sleep(0.6)  # as long as pcscd needs to see the next run's card
"""


def measure() -> dict[str, float]:
    """Seconds of overhead, the median and the most of several runs after a first one, and of the program's own."""
    request = RunRequest((sys.executable, "-c", TERMINAL), Situation("ordinary"), deadline=30)
    try:
        first = play(request)
        runs = [play(request) for _ in range(RUNS)]
    finally:
        stage.clear()
    assert all(one.verdict is not Verdict.UNDEFINED for one in runs), runs[0].reasons
    overheads = [one.overhead for one in runs]
    return {
        "overhead": round(median(overheads), 3),
        "overhead_most": round(max(overheads), 3),
        "overhead_first": round(first.overhead, 3),
        "program": round(median(one.seconds for one in runs), 3),
        "aim": AIM,
    }
