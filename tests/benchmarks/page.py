"""What the live page costs the cards: commands a second through pcscd with the page open, closed, and with no page.

Cards, pcscd and client have one processor, the page's server and the browser the other. Batches take turns, in one run:
a thousand commands a second, where what counts is how long each takes; and as many as there can be.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from harness.readers.connection import Pcsc
from tests.kit import browsers, isolation
from tests.kit.cards import SSSE
from tests.kit.served import Served, serving

AT_LEAST = 0.9
"""Of the rate with the page closed, and of that of cards that have no page, at a thousand commands a second."""
PACE = 1000
"""Commands a second."""
SMOOTH = 250.0
"""Milliseconds between two frames of the page, at most, for it to be called responsive."""
ROUNDS, SIZE = 15, 400
READ_RECORD = bytes.fromhex("00B2012C12")
FRAMES = """() => {
  window.gaps = [];
  let before = performance.now();
  const frame = (now) => {
    window.gaps.push(now - before);
    before = now;
    window.watching = requestAnimationFrame(frame);
  };
  requestAnimationFrame((now) => { before = now; frame(now); });
}"""
LONGEST = "() => { cancelAnimationFrame(window.watching); return Math.max(...window.gaps); }"


@dataclass
class Side:
    """A card, and how fast it answered in each state."""

    connection: Pcsc
    rates: dict[str, list[float]] = field(default_factory=dict)

    def play(self, state: str, pace: int = 0) -> None:
        """One batch, of so many commands a second, else as fast as can be; the rate counts what commands take alone."""
        began, took = time.perf_counter(), 0.0
        for number in range(SIZE):
            if pace and (early := began + number / pace - time.perf_counter()) > 0:
                time.sleep(early)
            start = time.perf_counter()
            answer = self.connection.send(READ_RECORD)
            took += time.perf_counter() - start
            assert answer[-2:] == b"\x90\x00", answer.hex()
        self.rates.setdefault(f"{state} at {pace}" if pace else state, []).append(SIZE / took)


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from _children(child)


def _pin(pid: int, cpu: int) -> None:
    """All threads of a process."""
    with contextlib.suppress(OSError):  # one ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {cpu})


def _apart(cards: list[Served], cpus: list[int]) -> None:
    """Cards, pcscd and this client on the first processor, what the page is made of on the second."""
    mine = {one.process.pid for one in cards}
    for pid in [os.getpid(), *_children(os.getpid())]:
        told = Path(f"/proc/{pid}/cmdline").read_bytes() if Path(f"/proc/{pid}").exists() else b""
        of_cards = pid == os.getpid() or pid in mine or b"pcscd" in told
        _pin(pid, cpus[0] if of_cards else cpus[1])


def _ratio(rates: dict[str, list[float]], one: str, other: str) -> float:
    return round(statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True)), 3)


def _play(browser: Browser, url: str, plain: Side, watched: Side, cards: list[Served]) -> list[float]:
    """The batches; the longest time between two frames of the page in each."""
    gaps = []
    cpus = sorted(os.sched_getaffinity(0))[:2]
    with browsers.opened(browser, f"{url}/#/session") as page:
        page.wait_for_selector("main h1")
        _apart(cards, cpus)
        for round_ in range(ROUNDS):
            for state in ("open", "closed", "none") if round_ % 2 else ("none", "closed", "open"):
                for pace in (PACE, 0):
                    gaps += _batch(page, url, state, plain, watched, pace)
    return gaps


def _batch(page: Page, url: str, state: str, plain: Side, watched: Side, pace: int) -> list[float]:
    page.goto(f"{url}/#/session" if state == "open" else "about:blank")
    if state != "open":
        (plain if state == "none" else watched).play(state, pace)
        return []
    page.wait_for_selector("main h1")
    page.evaluate(FRAMES)
    watched.play(state, pace)
    return [float(page.evaluate(LONGEST))]


def measure() -> dict[str, Any]:
    """Rates and ratios, and how smooth the page was."""
    if len(os.sched_getaffinity(0)) < 2:
        return {"failed": "two processors are needed"}
    with (
        serving("--persona", "adult-chengdu") as without,
        browsers.studio(private=False) as (with_page, url),
        Pcsc(without.readers[0]) as first,
        Pcsc(with_page.readers[0]) as second,
        browsers.chromium() as browser,
    ):
        plain, watched = Side(first), Side(second)
        for side in (plain, watched):
            side.connection.send(bytes.fromhex(SSSE))
        gaps = _play(browser, url, plain, watched, [without, with_page])
    rates = plain.rates | watched.rates
    paced = {f"open_to_{other}": _ratio(rates, f"open at {PACE}", f"{other} at {PACE}") for other in ("closed", "none")}
    return {
        "commands_per_second": PACE,
        **paced,
        "at_least": AT_LEAST,
        "longest_frame_ms": round(max(gaps), 1),
        "median_longest_frame_ms": round(statistics.median(gaps), 1),
        "within": min(paced.values()) >= AT_LEAST and max(gaps) <= SMOOTH,
        "as_fast_as_can_be": {
            **{f"{state}_per_second": round(statistics.median(rates[state])) for state in ("none", "closed", "open")},
            **{f"open_to_{other}": _ratio(rates, "open", other) for other in ("closed", "none")},
        },
    }


if __name__ == "__main__":
    isolation.enter()
    print(json.dumps(measure()))
