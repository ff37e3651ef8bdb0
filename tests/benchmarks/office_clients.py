"""``python -m tests.benchmarks.office_clients [--base REVISION]``: fifty clients at the office's HTTP service, of this
tree and of an earlier one, in turns on one machine, with the same register to begin with.

The mix is a day at the counters: lists, queries, the trail, what is late and what waits, and two operations in twelve
that change the register. Every answer must be 200.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
BASE = "5d74436"
"""The last revision whose reads took the lock that writers take."""
AT_LEAST = 3
"""Times the requests a second of that revision."""
CLIENTS, ROUNDS, SECONDS = 50, 3, 8.0
COMMAND = (sys.executable, "-c", "from harness.cli import main; main()", "office")
CLERK, OFFICER = "clerk-maker", "officer"
REGISTER = ("office.db",)


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request, ready to be sent."""

    name: str
    data: bytes

    @classmethod
    def of(cls, name: str, path: str, token: str, body: object = None) -> Ask:
        """As a client on a connection that stays open sends it."""
        content = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token}",
            *(["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []),
        ]
        return cls(name, "\r\n".join(head).encode() + b"\r\n\r\n" + content)


@dataclass(slots=True)
class Figures:
    """What one run came to."""

    seconds: float
    server_seconds: float = 0.0
    """CPU time of the server."""
    latencies: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(map(len, self.latencies.values()))


class World:
    """A register with a card for each client, made by the earlier revision, so that both can open it."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        office(tree, folder, "init")
        issued = json.loads(office(tree, folder, "issue", "--made-up", str(CLIENTS), "--seed", "7", "--json"))
        self.cards = [(str(one["card"]), str(one["holder"])) for one in issued]
        self.clerk, self.officer = (
            json.loads(office(tree, folder, "token", name, "--json"))["token"] for name in (CLERK, OFFICER)
        )

    def mix(self, at: int) -> list[Ask]:
        """What the client of this number asks, over and over."""
        card, holder = self.cards[at]
        kind, number = holder.split(":")
        person = {"type": kind, "number": number}
        query = Ask.of("query", "/operations/query", self.clerk, {"holder": person, "shown": [person]})
        return [
            Ask.of("outlets", "/outlets?region=5101", self.clerk),
            Ask.of("cards", "/cards?most=20", self.clerk),
            query,
            Ask.of("people", "/people?most=20", self.clerk),
            Ask.of("suspend", "/operations/suspend", self.officer, {"card": card, "why": "信息待核查"}),
            Ask.of("late", "/late?every=true", self.clerk),
            query,
            Ask.of("trail", "/trail?last=20", self.officer),
            Ask.of("applications", "/applications?most=20", self.clerk),
            Ask.of("unsuspend", "/operations/unsuspend", self.officer, {"card": card}),
            query,
            Ask.of("pending", "/pending", self.clerk),
        ]


def office(tree: Path, folder: Path, *arguments: str, register: Sequence[str] = REGISTER) -> str:
    """A command of the office in a folder, run from a source tree; what it says. ``register``: what ``--register`` is
    told, and options after it.
    """
    given = [*COMMAND, "--register", *register, *arguments]
    return subprocess.run(
        given, env=_environment(tree), cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _environment(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree)}


@contextlib.contextmanager
def served(tree: Path, folder: Path, register: Sequence[str] = REGISTER) -> Iterator[tuple[tuple[str, int], int]]:
    """The service over a register, from a source tree: where it listens, and its process."""
    given = [*COMMAND, "--register", *register, "serve", "--port", "0", "--rate", "1000000/minute"]
    server = subprocess.Popen(given, env=_environment(tree), cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = urlsplit(server.stdout.readline().split()[-1])
        assert url.hostname
        assert url.port
        yield (url.hostname, url.port), server.pid
    finally:
        server.terminate()
        server.wait()


async def _client(where: tuple[str, int], asks: list[Ask], start: int, until: float, figures: Figures) -> None:
    reader, writer = await asyncio.open_connection(*where)
    held = False
    for one in itertools.islice(itertools.cycle(asks), start, None):
        begun = time.perf_counter()
        if begun >= until and not held:  # the card is left in service
            break
        held = one.name == "suspend" or (held and one.name != "unsuspend")
        writer.write(one.data)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200"), (one.name, head, body)
        figures.latencies.setdefault(one.name, []).append(time.perf_counter() - begun)
    writer.close()


async def load(where: tuple[str, int], world: World, seconds: float) -> Figures:
    """All clients at once for so many seconds. ExceptionGroup of AssertionError where an answer is not 200."""
    figures = Figures(seconds)
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for at in range(CLIENTS):
            # Each begins elsewhere in the mix, but with the card in service.
            start = at % 4 if at % 2 else 10 + at % 2
            group.create_task(_client(where, world.mix(at), start, until, figures))
    figures.seconds = time.perf_counter() - (until - seconds)
    return figures


def run(tree: Path, world: World, seconds: float) -> Figures:
    """Requests for so long at a service of its own over a copy of the world."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as name:
        folder = Path(name, "office")
        shutil.copytree(world.folder, folder)
        with served(tree, folder) as (where, process):
            asyncio.run(load(where, world, 1.0))  # imports, caches and connections are not what is compared
            before = _cpu_seconds(process)
            figures = asyncio.run(load(where, world, seconds))
            figures.server_seconds = _cpu_seconds(process) - before
            return figures


def _cpu_seconds(process: int) -> float:
    """CPU time that a process has taken, in user and kernel mode, as Linux tells it."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def worktree(revision: str) -> Iterator[Path]:
    """The files of an earlier revision, in a folder of their own while they are needed."""
    with tempfile.TemporaryDirectory(prefix="sscard-base-") as name:
        tree = Path(name, "tree")
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=ROOT, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def measure(revision: str = BASE, seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Requests a second of both and their ratio, the server's CPU milliseconds a request, which what else runs on the
    machine changes less, and each request's median in milliseconds.
    """
    with worktree(revision) as tree, tempfile.TemporaryDirectory(prefix="sscard-bench-") as name:
        world = World(tree, Path(name, "office"))
        found: dict[str, list[Figures]] = {"base": [], "here": []}
        for _ in range(rounds):
            for what, source in (("base", tree), ("here", ROOT)):
                found[what].append(run(source, world, seconds))
    rates = {what: statistics.median(one.rate for one in runs) for what, runs in found.items()}
    return {
        "clients": CLIENTS,
        "base_revision": revision,
        "base_per_second": round(rates["base"], 1),
        "here_per_second": round(rates["here"], 1),
        "ratio": round(rates["here"] / rates["base"], 2),
        **({"at_least": AT_LEAST} if revision == BASE else {}),
        "server_cpu_ms": {what: round(_server_ms(runs), 2) for what, runs in found.items()},
        "median_ms": {what: _medians(runs) for what, runs in found.items()},
    }


def _server_ms(runs: list[Figures]) -> float:
    return 1000 * statistics.median(one.server_seconds / one.requests for one in runs)


def _medians(runs: list[Figures]) -> dict[str, float]:
    names = runs[0].latencies
    return {
        name: round(1000 * statistics.median(itertools.chain(*(one.latencies.get(name, []) for one in runs))), 1)
        for name in sorted(names)
    }


def main() -> None:
    """Says the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE, help="the revision to hold this tree against")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    print(json.dumps(measure(given.base, given.seconds, given.rounds), indent=1))


if __name__ == "__main__":
    main()
