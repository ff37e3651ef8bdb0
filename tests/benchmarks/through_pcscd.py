"""Through a real pcscd on one CPU: the card beside a do-nothing client, and beside vicc, in alternating batches."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.readers import pcsc
from harness.readers.connection import Pcsc
from tests.benchmarks.peer import LIBRARY
from tests.support import SSSE

PORT = 42000
READ_RECORD, CHALLENGE = bytes.fromhex("00B2012C12"), bytes.fromhex("0084000008")
CARD = [sys.executable, "-m", "tests.benchmarks.clients", "card", str(PORT)]
NOTHING = [sys.executable, "-m", "tests.benchmarks.clients", "nothing", str(PORT + 1)]
VICC = [sys.executable, "/usr/bin/vicc", "-t", "iso7816", "-P", str(PORT + 1)]


@contextlib.contextmanager
def _program(command: list[str]) -> Iterator[int]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": f".:{LIBRARY}"}
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, from the scheduler's own account."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _batch(connection: Pcsc, command: bytes, size: int) -> float:
    start = time.perf_counter()
    for _ in range(size):
        answer = connection.send(command)
        assert answer[-2:] == b"\x90\x00", answer.hex()
    return size / (time.perf_counter() - start)


def compare(other: list[str], command: bytes, *, pairs: int, size: int, other_size: int) -> dict[str, Any]:
    """The card in one slot, another program in the next: rates, the median ratio, CPU time per command of the card."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        path = Path(folder, "pcscd.comm")
        with pcsc.pcscd(2, PORT, path), _program(CARD) as card, _program(other):
            os.environ[pcsc.SOCKET_VARIABLE] = str(path)
            names = pcsc.virtual_readers(2)
            assert all(pcsc.wait_card(name) for name in names)
            with Pcsc(names[0]) as ours, Pcsc(names[1]) as theirs:
                ours.send(bytes.fromhex(SSSE))
                ratios, our_rates, their_rates = [], [], []
                before = _cpu_seconds(card)
                for pair in range(pairs):
                    # Whoever goes first has the colder caches: they take turns.
                    order = (True, False) if pair % 2 else (False, True)
                    for mine in order:
                        if mine:
                            our_rates.append(_batch(ours, command, size))
                        else:
                            their_rates.append(_batch(theirs, command, other_size))
                    ratios.append(our_rates[-1] / their_rates[-1])
                spent = _cpu_seconds(card) - before
    return {
        "per_second": round(statistics.median(our_rates)),
        "other_per_second": round(statistics.median(their_rates), 1),
        "ratio": round(statistics.median(ratios), 2),
        "card_cpu_us_per_command": round(spent / (pairs * size) * 1e6, 1),
    }


def _quickack_route() -> None:
    """What vicc lacks is given to it by the route itself; the namespace is ours, so nobody else is touched."""
    for destination in ("127.0.0.0/8", "127.0.0.1"):
        subprocess.run(
            ["ip", "route", "change", "local", destination, "dev", "lo", "table", "local", "proto", "kernel",
             "scope", "host", "src", "127.0.0.1", "quickack", "1"],
            check=True,
        )  # fmt: skip


def measure(what: str) -> dict[str, Any]:
    """One comparison, by name; pins this process and its children to one CPU. libpcsclite remembers its socket for
    the life of a process, so each comparison has a process of its own.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if what == "do-nothing client":
        return compare(NOTHING, READ_RECORD, pairs=24, size=200, other_size=200)
    if what == "vicc as shipped":
        return compare(VICC, CHALLENGE, pairs=6, size=200, other_size=20)
    _quickack_route()
    return compare(VICC, CHALLENGE, pairs=24, size=200, other_size=200)


COMPARISONS = ("do-nothing client", "vicc as shipped", "vicc, quickack route")
