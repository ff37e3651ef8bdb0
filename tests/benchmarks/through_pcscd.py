"""Through a real pcscd on one CPU, in alternating batches: the card beside clients that do nothing, one in Python, one
in C, which is the limit, and one behind the card's own slot, which is what the wire costs; beside vicc; and by its
contacts beside itself in a field.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emulator.apdu.transport import follow
from harness.readers import names, pcsc
from harness.readers.connection import Pcsc
from tests.benchmarks.peer import LIBRARY
from tests.kit.cards import SSSE

PORT = 42000
AT_LEAST = 0.95
"""Of the rate of the client in Python that does nothing."""
FIELD_AT_LEAST = {"READ RECORD": 0.85, "SELECT": 1.1}
"""Contactless, of the rate by contacts: as fast for what is one exchange in both, faster for what T=0 makes two of."""
READ_RECORD, CHALLENGE = bytes.fromhex("00B2012C12"), bytes.fromhex("0084000008")
SELECT = bytes.fromhex(SSSE)
CARD = [sys.executable, "-m", "tests.benchmarks.clients", "card"]
CONTACTLESS = [sys.executable, "-m", "tests.benchmarks.clients", "contactless"]
NOTHING = [sys.executable, "-m", "tests.benchmarks.clients", "nothing"]
WIRE = [sys.executable, "-m", "tests.benchmarks.clients", "wire"]
VICC = [sys.executable, "/usr/bin/vicc", "-t", "iso7816", "-P"]


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


def _batch(send: Callable[[bytes], bytes], command: bytes, size: int) -> float:
    start = time.perf_counter()
    for _ in range(size):
        answer = send(command)
        assert answer[-2:] == b"\x90\x00", answer.hex()
    return size / (time.perf_counter() - start)


@dataclass
class Side:
    """One program in its slot: commands a second and CPU microseconds a command, of each of its batches.

    CPU time shows what a program costs on a busy machine too, where rates show who else was running.
    """

    pid: int
    connection: Pcsc
    size: int
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def play(self, command: bytes, *, whole: bool = False) -> None:
        """One batch. ``whole``: what T=0 has fetched is fetched."""
        before = _cpu_seconds(self.pid)
        send = partial(follow, self.connection.send) if whole else self.connection.send
        self.rates.append(_batch(send, command, self.size))
        self.cpu.append((_cpu_seconds(self.pid) - before) / self.size * 1e6)

    def over(self, other: Side) -> float:
        """The median ratio of rates, of batches that ran beside each other."""
        return round(statistics.median(mine / theirs for mine, theirs in zip(self.rates, other.rates, strict=True)), 2)


def compare(
    other: list[str],
    command: bytes,
    *,
    pairs: int,
    size: int,
    other_size: int,
    limits: Mapping[str, list[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """The card in one slot, another program in the next, in further ones what it cannot beat, each by its name: rates,
    the median ratios, median CPU time per command of each.
    """
    programs = [(CARD, size), (other, other_size), *((limit, size) for limit in limits.values())]
    with contextlib.ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-bench-")), "pcscd.comm")
        stack.enter_context(pcsc.pcscd(len(programs), PORT, path))
        pids = [stack.enter_context(_program([*one, str(PORT + at)])) for at, (one, _) in enumerate(programs)]
        os.environ[pcsc.SOCKET_VARIABLE] = str(path)
        readers = pcsc.virtual_readers(len(programs))
        assert all(pcsc.wait_card(reader) for reader in readers)
        sides = [
            Side(pid, stack.enter_context(Pcsc(reader)), batch)
            for pid, reader, (_, batch) in zip(pids, readers, programs, strict=True)
        ]
        sides[0].connection.send(bytes.fromhex(SSSE))
        for pair in range(pairs):
            # Whoever goes first has the colder caches: they take turns.
            for side in sides if pair % 2 else reversed(sides):
                side.play(command)
    card, beside, *bounds = sides
    figures = {
        "per_second": round(statistics.median(card.rates)),
        "other_per_second": round(statistics.median(beside.rates), 1),
        "ratio": card.over(beside),
        "card_cpu_us_per_command": round(statistics.median(card.cpu), 1),
        "other_cpu_us_per_command": round(statistics.median(beside.cpu), 1),
    }
    for name, one in zip(limits, bounds, strict=True):
        figures |= {
            f"{name}_per_second": round(statistics.median(one.rates)),
            f"ratio_to_{name}": card.over(one),
            f"{name}_cpu_us_per_command": round(statistics.median(one.cpu), 1),
        }
    return figures


def contactless() -> dict[str, Any]:
    """The card in a field beside the same card by its contacts: for a command that is one exchange over both, and for
    one whose answer T=0 has fetched. Each with its least ratio, and whether it is within.
    """
    told: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-bench-")), "pcscd.comm")
        arranged = names.Arrangement.of([names.VIRTUAL, names.VIRTUAL_CONTACTLESS])
        stack.enter_context(pcsc.pcscd(arranged, PORT, path))
        os.environ[pcsc.SOCKET_VARIABLE] = str(path)
        sides = []
        for (reader, offset), program in zip(arranged.used, (CARD, CONTACTLESS), strict=True):
            pid = stack.enter_context(_program([*program, str(PORT + offset)]))
            assert pcsc.wait_card(reader)
            sides.append(Side(pid, stack.enter_context(Pcsc(reader)), 100))
            follow(sides[-1].connection.send, SELECT)
        for name, command in (("READ RECORD", READ_RECORD), ("SELECT", SELECT)):
            for side in sides:
                side.rates.clear()
                side.cpu.clear()
            for pair in range(30):
                for side in sides if pair % 2 else reversed(sides):
                    side.play(command, whole=True)
            by_contacts, in_field = sides
            ratio, least = in_field.over(by_contacts), FIELD_AT_LEAST[name]
            told[name] = {
                "contact_per_second": round(statistics.median(by_contacts.rates)),
                "contactless_per_second": round(statistics.median(in_field.rates)),
                "ratio": ratio,
                "at_least": least,
                "within": ratio >= least,
                "contact_cpu_us_per_command": round(statistics.median(by_contacts.cpu), 1),
                "contactless_cpu_us_per_command": round(statistics.median(in_field.cpu), 1),
            }
    return told


@contextlib.contextmanager
def _in_c() -> Iterator[list[str]]:
    """The do-nothing client in C, made for this run."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        program = str(Path(folder, "nothing"))
        source = str(Path(__file__).with_name("nothing.c"))
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
        yield [program]


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
        with _in_c() as limit:
            limits = {"limit": limit, "wire": WIRE}
            figures = compare(NOTHING, READ_RECORD, pairs=60, size=100, other_size=100, limits=limits)
            return figures | {"at_least": AT_LEAST, "within": figures["ratio"] >= AT_LEAST}
    if what == "contactless":
        return contactless()
    if what == "vicc as shipped":
        return compare(VICC, CHALLENGE, pairs=6, size=200, other_size=20)
    _quickack_route()
    return compare(VICC, CHALLENGE, pairs=24, size=200, other_size=200)


COMPARISONS = ("do-nothing client", "contactless", "vicc as shipped", "vicc, quickack route")
