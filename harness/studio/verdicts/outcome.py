"""What a run came to: conforms, does not conform, or not judged. Decided for the page in this one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.studio.verdicts.store import Run, State
from harness.verdicts import report_file
from harness.verdicts.conclusion import CHINESE, Conformity
from harness.verdicts.manifest import ReportError
from harness.verdicts.report_file import ReportFile

BY_CODE = {0: Conformity.CONFORMS, 1: Conformity.FAILS}
"""What the exit codes of a command that judges mean; all others: not judged."""


def report_of(folder: Path) -> ReportFile | None:
    """The report in a folder; None where there is none, or none that is whole."""
    try:
        return report_file.load(folder)
    except (ReportError, OSError):
        return None


def of_run(run: Run, folder: Path) -> dict[str, Any]:
    """Of a run that is over: ``conclusion``, ``zh``, what it is ``because`` of, ``counts`` by verdict, ``target``."""
    report = report_of(folder)
    told = report.conclusion if report is not None else None
    verdict = comes_to(run, told.verdict if told is not None else None)
    because = told.as_table()["because"] if told is not None and told.verdict is verdict else []
    return {
        "conclusion": str(verdict),
        "zh": CHINESE[verdict],
        "because": because,
        "counts": report.table["counts"] if report is not None else {},
        "target": report.table["target"] if report is not None else "",
    }


def comes_to(run: Run, told: Conformity | None) -> Conformity:
    """``told``: what its report comes to, None where there is none. Nothing is green but what ended by itself, with
    exit code 0 and a report that says so.
    """
    if told is None:
        return Conformity.NOT_JUDGED
    if run.state is not State.ENDED:
        return Conformity.FAILS if told is Conformity.FAILS else Conformity.NOT_JUDGED
    by_code = BY_CODE.get(run.exit_code if run.exit_code is not None else -1, Conformity.NOT_JUDGED)
    if by_code is told:
        return told
    return Conformity.FAILS if Conformity.FAILS in (by_code, told) else Conformity.NOT_JUDGED
