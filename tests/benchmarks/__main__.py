"""``make bench``: what the chip, its way through PC/SC and the office's service cost. Ratios within one run; these are
no tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.benchmarks import against, in_process, memory, office_clients, proving, startup, sweeps, through_pcscd
from tests.kit import isolation


def main() -> None:
    """All benchmarks, as text or with --json; ``--only NAME`` is one comparison, in a namespace of its own."""
    if "--only" in sys.argv:
        isolation.enter()
        print(json.dumps(through_pcscd.measure(sys.argv[sys.argv.index("--only") + 1])))
        return
    _begin("in-process")
    rows = in_process.measure()
    _begin("memory")
    kept = memory.measure()
    _begin("start-up")
    started = startup.measure()
    earlier = {}
    for revision in against.BEFORE:
        _begin(f"beside revision {revision}")
        earlier[revision] = against.measure(revision)
    _begin("the office")
    office = office_clients.measure()
    _begin("registers in a file and on a server")
    registers = _apart("registers")
    _begin("a run of a terminal")
    proven = proving.measure()
    _begin("a sweep")
    swept = sweeps.measure()
    _begin("campaigns, and runs on two workers")
    campaigns = _apart("campaigns")
    _begin("the live page")
    page = _apart("page")
    _begin("one who hears a run's events")
    heard = _apart("subscriber")
    through = {}
    for what in through_pcscd.COMPARISONS:
        _begin(f"through pcscd: {what}")
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks", "--only", what], capture_output=True, text=True, check=False
        )
        through[what] = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr.splitlines()[-1:]}
    if "--json" in sys.argv:
        print(
            json.dumps(
                {
                    "in_process": rows,
                    "memory": kept,
                    "startup": started,
                    "against": earlier,
                    "office_clients": office,
                    "registers": registers,
                    "proving": proven,
                    "sweep": swept,
                    "page": page,
                    "subscriber": heard,
                    "campaigns": campaigns,
                    "through_pcscd": through,
                },
                indent=1,
            )
        )
        return
    print("In-process, one core: commands a second, the median of five runs")
    for row in rows:
        print(_line(row))
    print(f"\nMemory: {json.dumps(kept)}")
    print("\nStart-up, CPU time, the least of several runs, beside python -c pass")
    for what, figures in started.items():
        print(f"  {what:22} {json.dumps(figures)}")
    for revision, table in earlier.items():
        print(f"\nCPU milliseconds beside revision {revision}, on its vectors")
        for what, figures in table.items():
            print(f"  {what:22} {json.dumps(figures)}")
    print(f"\n{office['clients']} clients of the office's service, beside revision {office['base_revision']}")
    for what in ("base_per_second", "here_per_second", "ratio", "at_least", "server_cpu_ms", "median_ms"):
        print(f"  {what:22} {json.dumps(office[what])}")
    print("\nThe same clients, the register in a file and on a PostgreSQL server")
    for what, figures in registers.items():
        print(f"  {what:22} {json.dumps(figures)}")
    print(f"\nOne run of a terminal, seconds: {json.dumps(proven)}")
    print(f"\nA sweep of a terminal: {json.dumps(swept)}")
    print(f"\nThe live page, commands a second of the cards beside it: {json.dumps(page)}")
    print("\nOne who hears a run's events: a command's time at 1,000 a second without, over that with one")
    for what, figures in heard.items():
        print(f"  {what:22} {json.dumps(figures)}")
    print("\nCampaigns beside the bare chip, and how many times as fast two are as one")
    for what, figures in campaigns.items():
        print(f"  {what:22} {json.dumps(figures)}")
    print("\nThrough pcscd, one CPU: the card beside another program in the next slot, alternating batches")
    for what, figures in through.items():
        print(f"  {what:22} {json.dumps(figures)}")


def _apart(name: str) -> dict[str, Any]:
    """A benchmark with a process of its own; of one that fails, why."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}"], capture_output=True, text=True, check=False
    )
    figures: dict[str, Any] = (
        json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr.splitlines()[-1:]}
    )
    return figures


def _begin(what: str) -> None:
    """The next part, on standard error: all of them take minutes."""
    print(f"bench: {what}…", file=sys.stderr, flush=True)


def _line(row: dict[str, Any]) -> str:
    peer = f"   vicc {row['vicc_per_second']:>8,}   x{row['ratio']}" if row["ratio"] else ""
    return f"  {row['command']:55} {row['per_second']:>9,}{peer}"


if __name__ == "__main__":
    main()
