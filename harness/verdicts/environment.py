"""What a run was made with: by whom, on which machine and programs, with which options, from when to when."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.version import VERSION

PATIENCE = 5.0
"""Seconds that a program has to tell its version."""
PCSCD = re.compile(r"\bversion (\S+?)\.?\s")
PACKAGE = "vsmartcard-vpcd"
"""Debian's package of the virtual reader's driver, which tells no version itself."""


def now() -> str:
    """The time in ISO 8601, with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def versions(*, readers: bool = False) -> dict[str, str]:
    """This program, Python and the system; with ``readers`` also pcscd and the virtual reader's driver, where they tell
    theirs.
    """
    told = {
        "sscard": VERSION,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "os": platform.platform(),
    }
    if readers:
        found = {"pcscd": _pcscd(), "vpcd": _said("dpkg-query", "-W", "-f=${Version}", PACKAGE).strip()}
        told |= {name: version for name, version in found.items() if version}
    return told


def _pcscd() -> str:
    found = PCSCD.search(_said("pcscd", "--version"))
    return found.group(1) if found else ""


def _said(*command: str) -> str:
    """What a program prints; empty where it is not there or fails."""
    program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            (program, *command[1:]), check=False, capture_output=True, encoding="utf-8", errors="replace",
            stdin=subprocess.DEVNULL, timeout=PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class Environment:
    """``reader``: the reader's name, empty where there was none. ``options``: the command line, what may be secret
    masked. ``seed``: of all that comes by chance, None where nothing was said. ``recorded``: a recording was judged.
    """

    tester: str = ""
    reader: str = ""
    options: tuple[str, ...] = ()
    seed: int | None = None
    recorded: bool = False
    versions: Mapping[str, str] = field(default_factory=versions)
    began: str = field(default_factory=now)

    def as_table(self, product: str, session: Mapping[str, Any], clock: Callable[[], str] = now) -> dict[str, Any]:
        """As report.json has it under ``environment``; it ends now."""
        return {
            "tester": self.tester,
            "product": product,
            "reader": self.reader,
            "versions": dict(self.versions),
            "options": list(self.options),
            "seed": self.seed,
            "trace_sha256": session["sha256"] if self.recorded else "",
            "cards": list(session["cards"]),
            "began": self.began,
            "ended": clock(),
        }
