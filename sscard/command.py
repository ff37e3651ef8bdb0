"""The command ``sscard``, as it is installed."""

from __future__ import annotations

import sys

from emulator.version import VERSION


def main() -> None:
    """Runs it. The version alone is said without the commands being looked at."""
    if sys.argv[1:] == ["--version"]:
        print(f"sscard, version {VERSION}")
        return
    from harness.cli import main as command

    command(prog_name="sscard")
