"""Where a report goes and what it is of, for every command that writes one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.cli import usage
from harness.trace import read
from harness.trace.copy import masked_copy
from harness.verdicts import report
from harness.verdicts.manifest import Goal


def report_goal(folder: Path | None, sign: Path | None) -> Goal | None:
    """Where --report and --sign put a report, before anything is run; a usage error for --sign alone. ReportError."""
    with usage.of_command(report.SignedNothing):
        return report.goal(folder, sign)


def session_of(trace: Path) -> dict[str, Any]:
    """What names the session of a trace in a report."""
    date = datetime.fromtimestamp(trace.stat().st_mtime).astimezone().isoformat(timespec="seconds")
    return report.session_of(trace.read_bytes(), list(read.events(trace)), date)


def trace_copy(trace: Path, layout: Layout | None) -> str:
    """The trace, masked, for a report."""
    return "".join(masked_copy(read.events(trace), layout or read.layout_of(trace)))


def cut_short(done: str, folder: Path | None) -> str:
    """What is said of a run that Ctrl-C ended, and of its report where it wrote one."""
    if folder is None:
        return _("{done}; what stands here is of those").format(done=done)
    return _("{done}; what stands here is of those, and so is {folder}").format(done=done, folder=folder)
