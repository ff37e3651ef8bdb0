"""The chip in this process, beside vicc's card class in one of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.benchmarks.timing import RUNS, SECONDS, rate
from tests.kit.cards import SSSE, VERIFY, Card, new_card

READ_RECORD = "00B2012C12"


def external_authentications(card: Card) -> float:
    """EXTERNAL AUTHENTICATION with its GET CHALLENGE, the terminal's own arithmetic taken out, a second."""
    rates = []
    for _ in range(RUNS):
        count, card_time, start = 0, 0.0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            before = time.perf_counter()
            card.send("0084000008")
            card_time += time.perf_counter() - before
            proof = bytes.fromhex(card.proof("UKSSSE"))
            before = time.perf_counter()
            answer = card.chip.transmit(proof)
            card_time += time.perf_counter() - before
            assert answer == b"\x90\x00"
            count += 1
        rates.append(count / card_time)
    return statistics.median(rates)


def _peer() -> dict[str, float]:
    """vicc's rates; none, and a line that says why, where it cannot be had: ours are worth having alone."""
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.peer"], capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.splitlines() or ["no reason given"])[-1]
        print(f"vicc is not timed ({why}): it needs `scripts/setup.sh bench`, as `make bench` does", file=sys.stderr)
        return {}
    rates: dict[str, float] = json.loads(done.stdout)
    return rates


def measure() -> list[dict[str, Any]]:
    """One row a command: ours, vicc's, and the ratio."""
    peer = _peer()
    card = new_card()
    card.ok(SSSE)
    transmit = card.chip.transmit
    ours = {
        "SELECT": rate(transmit, bytes.fromhex(SSSE)),
        "READ": rate(transmit, bytes.fromhex(READ_RECORD)),
        "VERIFY": rate(transmit, bytes.fromhex(VERIFY)),
        "GET CHALLENGE": rate(transmit, bytes.fromhex("0084000008")),
        "EXTERNAL AUTHENTICATION": external_authentications(card),
    }
    return [
        {
            "command": {"READ": "READ RECORD, 16-byte item (vicc: READ BINARY, 16 bytes)"}.get(name, name),
            "per_second": round(value),
            "vicc_per_second": round(peer[name]) if name in peer else None,
            "ratio": round(value / peer[name], 1) if name in peer else None,
        }
        for name, value in ours.items()
    ]
