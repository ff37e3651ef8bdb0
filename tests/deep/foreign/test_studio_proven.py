"""Debian's own programs, proven and swept as the page does it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.studio.verdicts import command, digest, outcome
from harness.studio.verdicts.jobs import Jobs
from harness.studio.verdicts.programs import parsed
from harness.studio.verdicts.requests import ProveRequest, SweepRequest
from harness.studio.verdicts.store import Store

DEADLINE = 300.0
SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
GUESSED = f"{SSSE}\n00C000001E\n0020000003888888\n0020000003000000\n00B2072C0B\n"
"""PINs that are usual elsewhere are tried, and it reads on whatever the card says."""


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    commands = tmp_path / "commands"
    commands.write_text(GUESSED)
    named = [
        f"opensc=opensc-tool --reader 0 --card-driver default --send-apdu {SSSE}",
        f"scriptor=scriptor -p T=0 {shlex.quote(str(commands))}",
    ]
    with contextlib.closing(Jobs(Store(tmp_path / "runs"), parsed(named))) as found:
        yield found


def test_a_program_that_guesses_pins_is_found_out_on_the_map(jobs: Jobs) -> None:
    run = jobs.wait(jobs.start(ProveRequest(program="scriptor", situations=("ordinary",))).id, DEADLINE)
    assert run.came["conclusion"] == "does not conform"
    report = outcome.report_of(jobs.store.folder(run.id) / command.REPORT)
    assert report is not None
    heat = digest.heat(report.table, "prove")
    rows = {row["id"]: cells[0] for row, cells in zip(heat["rows"], heat["cells"], strict=True)}
    assert rows["PIN-UNCONFIRMED"]["verdict"] == rows["PIN-REFUSAL-IGNORED"]["verdict"] == "failed"
    assert rows["PIN-LAST-TRY"]["case"] is not None


def test_a_sweep_that_nobody_says_the_output_of_is_not_green(jobs: Jobs) -> None:
    run = jobs.wait(jobs.start(SweepRequest(program="opensc", limit=3)).id, DEADLINE)
    assert (run.exit_code, run.came["conclusion"]) == (4, "not judged")
    assert (run.progress.done, run.progress.total) == (3, 3)
    report = outcome.report_of(jobs.store.folder(run.id) / command.REPORT)
    assert report is not None
    heat = digest.heat(report.table, "sweep")
    played = [cell for row in heat["cells"] for cell in row if cell and cell["verdict"]]
    assert len(played) == 3
    case = digest.case(report.table, "sweep", played[0]["case"])
    assert case is not None
    assert case["cell"]["again"].startswith("sscard prove ")
