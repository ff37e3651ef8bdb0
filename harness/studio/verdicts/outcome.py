"""What a run came to: conforms, does not conform, or not judged. Decided for the page in this one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError
from harness.studio.verdicts.store import Run, State
from harness.verdicts.conclusion import CHINESE, Conformity

JSON = "report.json"
BY_CODE = {0: Conformity.CONFORMS, 1: Conformity.FAILS}
"""What the exit codes of a command that judges mean; all others: not judged."""


def report_of(folder: Path) -> dict[str, Any] | None:
    """A report as report.json has it; None where there is none, or none that is whole."""
    try:
        table = as_json.load(folder / JSON)
    except (OSError, FormatError):
        return None
    return table if isinstance(table, dict) and isinstance(table.get("results"), list) else None


def of_run(run: Run, folder: Path) -> dict[str, Any]:
    """Of a run that is over ``conclusion`` with ``zh``, what it is ``because`` of, ``counts`` by verdict, ``target``.

    Nothing is green but what ended by itself, with exit code 0 and a report that says so.
    """
    table = report_of(folder) or {}
    told = table.get("conclusion", {})
    verdict = _verdict(run, str(told.get("verdict", "")), there=bool(table))
    because = told.get("because", []) if verdict == told.get("verdict") else []
    return {
        "conclusion": str(verdict),
        "zh": CHINESE[verdict],
        "because": because,
        "counts": table.get("counts", {}),
        "target": table.get("target", ""),
    }


def _verdict(run: Run, told: str, *, there: bool) -> Conformity:
    if not there:
        return Conformity.NOT_JUDGED
    if run.state is not State.ENDED:
        return Conformity.FAILS if told == Conformity.FAILS else Conformity.NOT_JUDGED
    by_code = BY_CODE.get(run.exit_code if run.exit_code is not None else -1, Conformity.NOT_JUDGED)
    if by_code == told:
        return by_code
    return Conformity.FAILS if Conformity.FAILS in (by_code, told) else Conformity.NOT_JUDGED
