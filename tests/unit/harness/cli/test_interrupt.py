"""Ctrl-C in a long command leaves what was done, says so, and is never green."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.vectors import LAST
from harness.conformance import runner
from harness.conformance.vector import home
from harness.images import tear
from harness.office.desk import instant
from harness.scenarios import runner as scenario_runner
from harness.terminal.personalise import Personaliser
from tests.kit.cards import SSSE

PINS = str(home() / "pin.yaml")
PROFILE = ("--profile", "3.00-3des")


def interrupted(*arguments: str) -> Result:
    """The command as it ends after Ctrl-C."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 130, result.output
    assert "interrupted 已中断" in result.stderr
    return result


def after(count: int, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with Ctrl-C after so many results."""

    def cut(*arguments: Any, **named: Any) -> Iterator[Any]:
        for number, one in enumerate(work(*arguments, **named)):
            if number == count:
                raise KeyboardInterrupt
            yield one

    return cut


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_vectors_that_were_run_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    LAST.write_text('["VERIFY-STATE_COSTS_NOTHING", "SELECT-UNKNOWN"]', encoding="utf-8")
    monkeypatch.setattr(runner, "run", after(2, runner.run))
    result = interrupted("vectors", "run", PINS, *PROFILE, "--report", "report")
    assert "2 of 13 vectors were run" in result.stderr
    assert "2 passed" in result.stdout
    table = json.loads(Path("report/report.json").read_text(encoding="utf-8"))
    assert table["counts"]["passed"] == 2
    assert "interrupted: 2 of 13 vectors were run" in table["target"]
    assert json.loads(LAST.read_text(encoding="utf-8")) == ["SELECT-UNKNOWN"], "not run again, so not passed"


def test_no_further_profile_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", after(2, runner.run))
    both = ("--profile", "3.00-3des", "--profile", "3.00-sm4")
    assert "2 of 26 vectors were run" in interrupted("vectors", "run", PINS, *both).stderr


def test_scenarios_that_were_run_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario_runner, "run", after(1, scenario_runner.run))
    result = interrupted("scenarios", "run", "--only", "OFFICE-24-*", *PROFILE, "--report", "report")
    assert "1 of " in result.stderr
    assert "interrupted: 1 of " in json.loads(Path("report/report.json").read_text(encoding="utf-8"))["target"]


def test_cuts_that_were_made_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = tear.cuts

    def cuts(image: Any, actions: Any, number: int) -> Any:
        if number == 1:
            raise KeyboardInterrupt
        return usual(image, actions, number)

    monkeypatch.setattr(tear, "cuts", cuts)
    result = interrupted("tear", SSSE, "0020000003999999")
    assert "1 of 2 steps were cut through whole; the card is as it was" in result.stderr
    assert "0 writes" in result.stdout


def test_a_card_that_is_half_personalised_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Personaliser, "steps", after(1, Personaliser.steps))
    said = interrupted("personalise", "adult-chengdu", "--persona", "blank").stderr
    assert "1 of 12 applications are filled; the card is not personalised" in said


def test_cards_that_were_issued_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    usual = instant.issue

    def issue(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return usual(*arguments, **named)

    monkeypatch.setattr(instant, "issue", issue)
    office = ("office", "--register", "office.db")
    CliRunner().invoke(main, [*office, "init"])
    result = interrupted(*office, "issue", "--made-up", "3", "--seed", "1")
    assert "1 of 3 persons are done" in result.stderr
    assert result.stdout.startswith("1. ")


def test_a_real_interrupt_ends_the_processes_without_a_traceback() -> None:
    """As a terminal sends it: to all of them at once."""
    program = "from harness.cli import main; main()"
    arguments = [sys.executable, "-c", program, "vectors", "run", *PROFILE]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text().split():
            assert process.poll() is None, "it ended before its processes began"
        time.sleep(1)  # within the workers' start a signal is not theirs to ignore yet
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "vectors were run" in said or "what was written until now stands" in said
