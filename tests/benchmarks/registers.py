"""``python -m tests.benchmarks.registers``: fifty clients at the office's HTTP service over a register in a file, and
over the same one on a PostgreSQL server, in turns on one machine; both wait for the disk at every transaction.

The mix is that of ``office_clients``. Every answer must be 200, and afterwards the trail holds, nobody has two cards,
and the trail has a line for each answer that leaves one, and no other.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.office_clients import CLIENTS, ROOT, Figures, World, load, office, served
from tests.kit.postgres import Cluster, lacking, running

ROUNDS, SECONDS = 2, 8.0
DURABLY = ("listen_addresses=", "max_connections=150")
"""As a server is that somebody relies on: it waits for the disk."""
WORLD = "world"
LOOKED = frozenset({"outlets", "late", "pending"})
"""What leaves no line on the trail."""


def measure(seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Requests a second, and the 50th, 95th and 99th percentile of an answer in milliseconds, of both. AssertionError
    where an answer was not 200, or a rule does not hold at the end.
    """
    found: dict[str, list[Figures]] = {"file": [], "server": []}
    with running(DURABLY) as cluster, tempfile.TemporaryDirectory(prefix="sscard-bench-") as name:
        world = World(ROOT, Path(name, "office"))
        cluster.sql("postgres", f"CREATE DATABASE {WORLD}")
        secret = str(world.folder / "server.secret")
        before = int(json.loads(office(ROOT, world.folder, "check", "--json"))["lines"])
        office(ROOT, world.folder, "copy", "--to", str(cluster.address(WORLD)), "--to-secret", secret)
        for at in range(rounds):
            folder = Path(name, f"file-{at}")
            shutil.copytree(world.folder, folder)
            found["file"].append(_run(world, folder, ["office.db"], seconds, before))
            with cluster.database(WORLD) as database:
                register = [str(cluster.address(database)), "--secret", secret]
                found["server"].append(_run(world, folder, register, seconds, before))
                _counted(cluster, database)
    return {"clients": CLIENTS, "seconds": seconds, **{what: _figures(runs) for what, runs in found.items()}}


def _run(world: World, folder: Path, register: Sequence[str], seconds: float, before: int) -> Figures:
    """``before``: lines of the trail to begin with."""
    with served(ROOT, folder, register) as (where, __):
        warm = asyncio.run(load(where, world, 1.0))
        figures = asyncio.run(load(where, world, seconds))
    told = json.loads(office(ROOT, folder, "check", "--json", register=register))
    assert told["faults"] == []
    answered = sum(len(times) for one in (warm, figures) for name, times in one.latencies.items() if name not in LOOKED)
    assert told["lines"] == before + answered, "each answer has its line of the trail"
    assert told["cards"] == told["in_drawer"] == CLIENTS
    return figures


def _counted(cluster: Cluster, database: str) -> None:
    """The same in SQL, past the office."""
    gaps = "SELECT count(*) FROM (SELECT id - lag(id, 1, 0) OVER (ORDER BY id) AS step FROM audit) AS s WHERE step <> 1"
    assert cluster.sql(database, gaps) == [(0,)]
    twice = (
        "SELECT count(*) FROM (SELECT 1 FROM card WHERE life = 'issued' GROUP BY person_id HAVING count(*) > 1) AS s"
    )
    assert cluster.sql(database, twice) == [(0,)]


def _figures(runs: list[Figures]) -> dict[str, Any]:
    times = sorted(itertools.chain.from_iterable(one for run in runs for one in run.latencies.values()))
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "per_second": round(statistics.median(one.rate for one in runs), 1),
        "requests": len(times),
        **{f"p{at}_ms": round(1000 * cuts[at - 1], 1) for at in (50, 95, 99)},
    }


def main() -> None:
    """Says the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    if lacking():
        parser.exit(1, f"{lacking()}\n")
    print(json.dumps(measure(given.seconds, given.rounds), indent=1))


if __name__ == "__main__":
    main()
