"""A word mistyped at the command line is an error that says what was meant; none of these runs may end green."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main, scenarios
from harness.conformance.vector import OFFICE, home
from harness.scenarios import model


def told(*arguments: str, code: int = 2) -> str:
    """What the command says on its way to this exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return " ".join(result.output.replace("│", " ").split())


PINS = str(home() / "pin.yaml")
ONE = ("vectors", "run", PINS, "--only", "VERIFY-LOCK_SURVIVES_RESET", "--profile", "3.00-3des")


def test_a_baseline_names_what_there_is(tmp_path: Path) -> None:
    baseline = tmp_path / "known.txt"
    baseline.write_text("VERIFY-LOCK_SURVIVES_RESTE  # a typo\n", encoding="utf-8")
    said = told(*ONE, "--baseline", str(baseline))
    assert """no 'VERIFY-LOCK_SURVIVES_RESTE' is there; did you mean "VERIFY-LOCK_SURVIVES_RESET"?""" in said
    assert "is there" in told("scenarios", "run", "--only", "OFFICE-22-*", "--baseline", str(baseline))
    baseline.write_text("REGION-READ-BAK\n", encoding="utf-8")
    trace = tmp_path / "t.jsonl"
    trace.write_text("", encoding="utf-8")
    assert 'did you mean "REGION-READ-BACK"?' in told("monitor", str(trace), "--baseline", str(baseline))


def test_a_baseline_may_name_a_vector_that_this_run_leaves_out(tmp_path: Path) -> None:
    baseline = tmp_path / "known.txt"
    baseline.write_text("SELECT-UNKNOWN\n", encoding="utf-8")
    assert "1 passed" in told(*ONE, "--baseline", str(baseline), code=0)


@pytest.mark.parametrize("command", ["vectors", "scenarios"])
def test_every_only_means_something(command: str) -> None:
    right = {"vectors": "VERIFY-LOCK_SURVIVES_RESET", "scenarios": "OFFICE-24-TORN"}[command]
    wrong = right.replace("OR", "R").replace("LOCK", "LOK")
    said = told(command, "run", "--only", right, "--only", wrong)
    assert f"no id is '{wrong}'" in said
    assert f'did you mean "{right}"?' in said


@pytest.mark.parametrize("command", ["vectors", "scenarios"])
def test_only_is_written_in_small_letters_too_and_a_guess_as_well(command: str) -> None:
    one = {"vectors": "verify-lock_survives_reset", "scenarios": "office-22-*"}[command]
    assert "passed" in told(command, "run", "--only", one, code=0)
    wrong = {"vectors": "verify-lok_survives_reset", "scenarios": "office-24-tron"}[command]
    right = {"vectors": "VERIFY-LOCK_SURVIVES_RESET", "scenarios": "OFFICE-24-TORN"}[command]
    assert f"""no id is '{wrong}'; did you mean "{right}"?""" in told(command, "run", "--only", wrong)
    assert "no id is '#'; `list` names them" in told(command, "run", "--only", "#")


def test_no_scenario_is_read_to_tell_that_only_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scenarios._own_ids() == [one.id for one in model.find([home() / OFFICE])]
    monkeypatch.setattr(model, "find", None)
    assert "no id is 'WRONG'" in told("scenarios", "run", "--only", "WRONG")


def test_a_slot_is_one_of_the_traces(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    trace.write_text('{"v": 2, "event": "reset", "t": 1.0, "slot": 0, "atr": "3B00"}\n', encoding="utf-8")
    assert "nothing in it is of slot 1; there are 0" in told("trace", "show", str(trace), "--slot", "1", code=1)
    assert "nothing in it is of slot 1" in told("monitor", str(trace), "--psam", "1", code=1)


def test_a_missing_argument_says_in_its_line_what_there_is() -> None:
    said = told("office", "list")
    assert "Choose from: people, cards, applications, losses" in said
    assert "\\x0a" not in said


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("run", "--connect", "127.0.0.1:65535", "--slots", "2"), "run"),
        (("show", "--layout", "3.01"), "show"),
        (("layout", "diff", "3.00", "3.01"), "layout diff"),
    ],
)
def test_wrong_usage_shows_the_usage_of_its_command(arguments: tuple[str, ...], command: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="sscard")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"Usage: sscard {command} "), result.stderr
