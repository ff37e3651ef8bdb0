"""This tree beside an earlier revision of it, one after the other in one run: see ``walks``.

``python -m tests.benchmarks.against [REVISION…]``. Each revision is checked out into a folder of its own for as long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BEFORE = ("aac0547", "0eccadd")
"""The last revision without a catalogue, and the last that parsed the layout again for each vector and session."""
AT_LEAST = {"aac0547": {"iReadCardBas": 10}, "0eccadd": {"300 vectors": 4}}
"""By the revision that had not yet what made each of them so."""


def measure(revision: str) -> dict[str, Any]:
    """CPU milliseconds before and now on the earlier vectors, and how many times less it is."""
    with tempfile.TemporaryDirectory(prefix="sscard-before-") as folder:
        tree = Path(folder, "tree")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            before, now = (_walks(path, tree / "vectors") for path in (tree, ROOT))
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
    wanted = AT_LEAST.get(revision, {})
    return {
        name: {
            "before": round(before[name], 2),
            "now": round(now[name], 2),
            "times": round(before[name] / now[name], 1),
        }
        | ({"at least": wanted[name]} if name in wanted else {})
        for name in before
    }


def _walks(tree: Path, vectors: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("walks.py")), str(vectors)],
        env={**os.environ, "PYTHONPATH": str(tree)}, cwd=tree, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps({one: measure(one) for one in sys.argv[1:] or BEFORE}, indent=1))
