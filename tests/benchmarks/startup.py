"""Start-up: CPU time from nothing to the end, the least of several runs, beside ``python -c pass`` in the same run."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RUNS = 9
COMMAND = "from sscard.command import main; main()"
PYTEST = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
LIMITS = {"--version": 6, "office --help": 15, "pytest plugin": 3}
"""Times ``python -c pass``, at most; the plugin's is what it adds."""


def cpu(*arguments: str, runs: int = RUNS) -> float:
    """Milliseconds of CPU time that a Python process takes, the least of several."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    least = float("inf")
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return least * 1000


def _added(arguments: list[str], without: list[str]) -> float:
    """What some arguments more would spare, the two taken in turns: it is a small part of both."""
    runs = [(cpu(*arguments, runs=1), cpu(*arguments, *without, runs=1)) for _ in range(RUNS)]
    return min(one for one, _ in runs) - min(other for _, other in runs)


def measure() -> dict[str, Any]:
    """Milliseconds, times ``python -c pass``, and whether that is within the limits."""
    bare = cpu("-c", "pass")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_own.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        own = [*PYTEST, "--rootdir", folder, folder]
        taken = {
            "import click": cpu("-c", "import click"),
            "--version": cpu("-c", COMMAND, "--version"),
            "--help": cpu("-c", COMMAND, "--help"),
            "office --help": cpu("-c", COMMAND, "office", "--help"),
            "pytest plugin": _added(own, ["-p", "no:sscard"]),
        }
    rows = {name: {"ms": round(spent, 1), "times": round(spent / bare, 1)} for name, spent in taken.items()}
    for name, limit in LIMITS.items():
        rows[name] |= {"limit": limit, "within": taken[name] <= limit * bare}
    return {"python -c pass": {"ms": round(bare, 1), "times": 1.0}, **rows}
