"""What one who hears the stream of events costs the cards: commands a second through pcscd, with and without.

Card, pcscd and client have one processor, the subscriber the other; batches take turns. Without a subscriber nobody
watches the chip at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from harness.readers.connection import Pcsc
from harness.serving import control
from harness.serving.subscription import Subscription, subscribe
from tests.benchmarks.through_pcscd import Side
from tests.kit import isolation
from tests.kit.cards import SSSE
from tests.kit.served import serving

RATE = 1000
"""Commands a second that a busy terminal sends."""
AT_LEAST = 0.9
"""Of the speed without a subscriber, at that rate: the time that a command takes, from its being sent to its answer."""
SATURATED_AT_LEAST = 0.85
"""Of the rate without a subscriber, where commands come as fast as they can, ten times as many."""
LATEST = 2.0
"""Seconds for the last events to come."""
ROUNDS, SIZE = 20, 300
COMMANDS = {"READ RECORD": "00B2012C12", "VERIFY": "0020000003123456"}
"""One that only reads, and one that writes."""


class Listener:
    """A process of its own that subscribes and lets go when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, word: str) -> str:
        """``on``, or how many commands there were, for it to let go once it heard of as many: what it answers, in the
        end how many those were.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def listening(cpu: int) -> Iterator[Listener]:
    """Such a process on this processor."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.subscriber", "listen", str(cpu)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Listener(process)
        assert process.stdin is not None
        process.stdin.close()


def listen(cpu: int) -> None:
    """The process: words come in, one line goes out for each."""
    os.sched_setaffinity(0, {cpu})
    heard: list[int] = [0]
    stream: Subscription | None = None

    def read(lines: Subscription) -> None:
        for one in lines:
            heard[0] += one["event"] == "apdu"

    thread = threading.Thread()
    for word in sys.stdin:
        if word.strip() == "on":
            heard[0], stream = 0, subscribe(control.chosen())
            next(stream)
            thread = threading.Thread(target=read, args=(stream,))
            thread.start()
            print("hears", flush=True)
        elif stream is not None:
            until = time.monotonic() + LATEST
            while heard[0] < int(word) and time.monotonic() < until:
                time.sleep(0.01)  # the last batch is on its way
            stream.close()
            thread.join()
            print(heard[0], flush=True)


def measure() -> dict[str, Any]:
    """Rates, processor time a command and ratios, by command."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return {"failed": "two processors are needed"}
    os.sched_setaffinity(0, {cpus[0]})  # pcscd and the cards too, which this process starts
    told: dict[str, Any] = {"at_least": AT_LEAST, "saturated_at_least": SATURATED_AT_LEAST}
    with serving() as run, listening(cpus[1]) as listener, Pcsc(run.readers[0]) as connection:
        connection.send(bytes.fromhex(SSSE))
        for name, command in COMMANDS.items():
            told[name] = _compared(run.process.pid, connection, bytes.fromhex(command), listener)
    told["within"] = all(
        told[name]["ratio"] >= AT_LEAST and told[name]["saturated_ratio"] >= SATURATED_AT_LEAST for name in COMMANDS
    )
    return told


def _paced(connection: Pcsc, command: bytes) -> list[float]:
    """Seconds that each of a batch of commands took, sent at ``RATE``."""
    took, due = [], time.perf_counter()
    for __ in range(SIZE):
        due += 1 / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        answer = connection.send(command)
        took.append(time.perf_counter() - began)
        assert answer[-2:] == b"\x90\x00", answer.hex()
    return took


def _compared(pid: int, connection: Pcsc, command: bytes, listener: Listener) -> dict[str, Any]:
    alone, heard = Side(pid, connection, SIZE), Side(pid, connection, SIZE)
    paced: dict[bool, list[float]] = {False: [], True: []}
    for round_ in range(ROUNDS):
        for side in (alone, heard) if round_ % 2 else (heard, alone):
            if side is heard:
                listener.tell("on")
            side.play(command)
            paced[side is heard].append(statistics.median(_paced(connection, command)))
            if side is heard:
                events = int(listener.tell(str(2 * SIZE)))
                assert events == 2 * SIZE, f"{events} events heard of {2 * SIZE}"
    ratios = [without / with_it for without, with_it in zip(paced[False], paced[True], strict=True)]
    return {
        "alone_us": round(statistics.median(paced[False]) * 1e6),
        "heard_us": round(statistics.median(paced[True]) * 1e6),
        "ratio": round(statistics.median(ratios), 2),
        "saturated_alone_per_second": round(statistics.median(alone.rates)),
        "saturated_heard_per_second": round(statistics.median(heard.rates)),
        "saturated_ratio": heard.over(alone),
        "alone_cpu_us_per_command": round(statistics.median(alone.cpu), 1),
        "heard_cpu_us_per_command": round(statistics.median(heard.cpu), 1),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(int(sys.argv[2]))
    else:
        isolation.enter()
        with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
            os.environ["XDG_RUNTIME_DIR"] = folder  # other runs of this user are not meant
            print(json.dumps(measure()))
