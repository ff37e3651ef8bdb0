"""`vectors run` as a QA engineer has it: what must be judged, one step at a time, the first failure, how far it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from emulator.apdu.instructions.pin import Verify
from emulator.apdu.state import CardState
from emulator.errors import Misuse
from harness.cli import main, vector_runs
from harness.cli.vector_runs import StepByStep
from harness.conformance import judgement, runner
from harness.conformance import vector as vectors
from harness.conformance.judgement import Required
from harness.conformance.targets.virtual import Virtual
from harness.verdicts import causes
from harness.verdicts import verdict as verdicts
from harness.verdicts.causes import Cause
from harness.verdicts.verdict import Verdict

FOLDER = Path(__file__).parents[4] / "vectors"
PINS = vectors.load(FOLDER / "pin.yaml")
FIRST = PINS[0]
PROFILE = ("--profile", "3.00-3des")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, ["vectors", "run", *arguments])
    assert result.exit_code == expect, result.output
    return result


def result_of(name: str, verdict: Verdict, cause: str = "", standard: str = "VERIFY") -> verdicts.Result:
    return verdicts.Result(replace(FIRST, id=name, standard=standard, covers=()), "p", verdict, "", 0, cause=cause)


# --- what must be judged ---------------------------------------------------------------------------------------------


def test_what_was_not_judged_is_not_green() -> None:
    good, bad = result_of("A", Verdict.PASSED), result_of("B", Verdict.FAILED)
    other, missing = result_of("C", Verdict.NOT_APPLICABLE), result_of("D", Verdict.MISSING, Cause.NO_KEY)
    undefined = result_of("E", Verdict.UNDEFINED, Cause.NO_ANSWER)
    assert judgement.exit_code([good, other]) == 0
    assert judgement.exit_code([good, other, missing]) == 4
    assert judgement.exit_code([good, undefined]) == 4
    assert judgement.exit_code([good, missing, bad]) == 1
    assert judgement.exit_code([good, missing, bad], {"B"}) == 4, "a known failure hides nothing that was not judged"
    assert judgement.exit_code([other]) == 4
    assert judgement.exit_code([]) == 4


def test_what_must_be_judged_can_be_named() -> None:
    known = [replace(FIRST, id=one, standard=item, covers=()) for one, item in
             (("PIN-A", "VERIFY"), ("PIN-B", "VERIFY"), ("KEY-A", "KEY"), ("FAR-A", "FAR"))]  # fmt: skip
    results = [
        result_of("PIN-A", Verdict.PASSED), result_of("PIN-B", Verdict.NOT_APPLICABLE),
        result_of("KEY-A", Verdict.MISSING, Cause.NO_KEY, "KEY"),
    ]  # fmt: skip
    assert Required(["PIN-*"], known).lacking(results) == [], "what is not for the card need not be judged on it"
    assert Required(["VERIFY"], known).lacking(results) == []
    assert judgement.exit_code(results, (), Required(["VERIFY"], known)) == 0
    assert Required(["KEY"], known).lacking(results) == ["KEY-A"]
    assert judgement.exit_code(results, (), Required(["VERIFY", "KEY-A"], known)) == 4
    assert Required(["FAR"], known).lacking(results) == ["FAR"], "none of it was asked for"
    failed = [*results, result_of("PIN-C", Verdict.FAILED)]
    assert judgement.exit_code(failed, (), Required(["VERIFY"], known)) == 1
    with pytest.raises(Misuse, match='did you mean "VERIFY"'):
        Required(["VERIFYY"], known)


def test_the_command_says_what_is_required_and_was_not_judged() -> None:
    one = ("--only", "SELECT-UNKNOWN", *PROFILE)
    run(*one, "--require", "SELECT-UNKNOWN", "--require", "SELECT")
    told = run(*one, "--require", "VERIFY-*", expect=4)
    assert "required and not judged 要求判定而未判定: VERIFY-*" in told.stderr
    assert 'did you mean "VERIFY"' in run(*one, "--require", "VERFY", expect=2).stderr


def test_each_cause_is_counted_and_has_a_remedy_in_both_languages() -> None:
    results = [result_of(name, Verdict.MISSING, Cause.NO_KEY) for name in "ABA"] + [
        result_of("C", Verdict.MISSING, Cause.NOT_ALLOWED), result_of("D", Verdict.PASSED)
    ]  # fmt: skip
    found = causes.not_judged(results)
    assert [(one.cause, one.ids) for one in found] == [(Cause.NO_KEY, ("A", "B")), (Cause.NOT_ALLOWED, ("C",))]
    told = list(vector_runs.open_questions(results))
    assert told[0].startswith("2 not judged 未判定: a key is not at hand 缺少密钥; it takes the key's root")
    assert set(causes.REMEDIES) == set(Cause)
    assert all(one.en and one.zh and one.cause_zh for one in causes.REMEDIES.values())


# --- what is shown ---------------------------------------------------------------------------------------------------


def lenient(self: Verify, card: CardState) -> bytes:
    del self
    card.session.rights.add("PIN")
    return b""


def test_exchanges_bear_the_number_of_their_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verify, "execute", lenient)
    told = run("--only", "VERIFY-LOCK*", *PROFILE, "--report", "report", expect=1)
    assert "  [1]→ 00A4" in told.stdout.replace("[1] →", "[1]→")
    assert "[2] → 0020000003******" in told.stdout
    table = json.loads(Path("report/report.json").read_text(encoding="utf-8"))
    trace = next(one for one in table["results"] if one["verdict"] == "failed")["trace"]
    assert [line["step"] for line in trace if line["command"].startswith("0020")] == ["2"]
    assert "[2] → 0020" in Path("report/report.html").read_text(encoding="utf-8")
    suites = ElementTree.parse("report/junit.xml").getroot()
    assert "[2] 0020" in str(suites.findall(".//failure")[0].text)


def test_the_first_failure_ends_the_run_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verify, "execute", lenient)
    every = run("--only", "VERIFY-*", *PROFILE, "--json", expect=1)
    first = run("--only", "VERIFY-*", *PROFILE, "--json", "-x", expect=1)
    assert json.loads(every.stdout)["counts"]["failed"] > 1
    counts = json.loads(first.stdout)["counts"]
    assert counts["failed"] == 1
    assert sum(counts.values()) < sum(json.loads(every.stdout)["counts"].values())
    known = Path("known.txt")
    known.write_text(json.loads(first.stdout)["results"][-1]["id"] + "\n", encoding="utf-8")
    on = run("--only", "VERIFY-*", *PROFILE, "--json", "-x", "--baseline", str(known), expect=1)
    assert json.loads(on.stdout)["counts"]["failed"] == 2, "a known failure is none to stop at"


def test_passing_vectors_are_shown_where_that_is_asked_for() -> None:
    one = ("--only", "SELECT-UNKNOWN", *PROFILE)
    assert "SELECT-UNKNOWN [" not in run(*one).stdout
    assert "SELECT-UNKNOWN [3.00-3des]: passed 通过\n" in run(*one, "-v").stdout
    loud = run(*one, "-vv").stdout
    assert "[1] → 00A4" in loud


def test_the_slowest_are_shown() -> None:
    told = run("--only", "VERIFY-*", *PROFILE, "--durations", "2").stdout
    assert sum(" s  VERIFY-" in line for line in told.splitlines()) == 2


def test_where_no_terminal_is_a_line_says_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_runs, "EVERY", 0.0)
    told = run("--only", "VERIFY-LOCK*", *PROFILE, "--json")
    assert "3.00-3des: 1 of 1 after" in told.stderr
    assert json.loads(told.stdout)["counts"]["passed"] == 1, "and stdout is the table alone"


# --- one step at a time -----------------------------------------------------------------------------------------------


def test_a_vector_goes_step_by_step_and_each_is_shown_before_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    waited: list[str] = []

    def enter() -> None:
        waited.append(capsys.readouterr().err)

    stepper = StepByStep(enter)
    vector = next(one for one in PINS if one.id == "VERIFY-LOCK_SURVIVES_RESET")
    result = runner.run_one(vector, Virtual("3.00", "3des"), stepper=stepper)
    stepper.ended(result)
    assert result.verdict is Verdict.PASSED
    assert "[1] select: SSSE" in waited[0]
    assert "00A4" not in waited[0], "nothing was sent yet but the reset"
    assert "[1] → 00A4" in waited[1]
    assert "[2] verify_pin: wrong" in waited[1]
    assert "[2] verify_pin: wrong" in waited[2], "each repetition by itself"
    assert "0020000003******" in waited[2]
    assert not any("123457" in one for one in waited), "no PIN is shown"
    assert "VERIFY-LOCK_SURVIVES_RESET: passed" in capsys.readouterr().err


def test_steps_and_cards_are_asked_for_at_a_terminal_alone() -> None:
    assert "--step waits for Enter and needs a terminal" in run("--step", expect=2).stderr
    asked = run("--reader", "X", "--card", "3B", "--cards", expect=2).stderr
    assert "--swap-command" in asked
    assert "need --reader" in run("--dry-run", expect=2).stderr
    absent = run("--reader", "X", "--card", "3B", "--swap-command", "no-such-program now", expect=2).stderr
    assert "no program 'no-such-program' is there" in absent


def test_stopping_ends_the_run_itself() -> None:
    ended: list[bool] = []

    def results() -> Iterator[verdicts.Result]:
        try:
            yield result_of("A", Verdict.PASSED)
            yield result_of("B", Verdict.FAILED)
            yield result_of("C", Verdict.PASSED)
        finally:
            ended.append(True)

    found = [one.subject.id for one in vector_runs.stopping_at_first_failure(results(), frozenset())]
    assert found == ["A", "B"]
    assert ended == [True], "a card in a reader is set back before anything else"


# --- for programs ----------------------------------------------------------------------------------------------------


def test_a_program_is_told_on_stderr_how_far_the_vectors_are() -> None:
    result = run("--only", "VERIFY-*", *PROFILE, "--progress", "json")
    told = [json.loads(line)["progress"] for line in result.stderr.splitlines() if line.startswith('{"progress"')]
    total = told[0]["total"]
    assert told[0] == {"done": 0, "total": total, "bad": 0, "what": ""}
    assert (told[-1]["done"], told[-1]["bad"]) == (total, 0)
    assert told[-1]["what"].startswith("VERIFY-")
    assert '{"progress"' not in result.stdout


def test_the_vectors_of_one_item_of_the_standard_are_chosen_by_its_id() -> None:
    told = json.loads(run("--item", "VERIFY", *PROFILE, "--json").stdout)["results"]
    every = vectors.find([FOLDER])
    assert {one["id"] for one in told} == {one.id for one in every if "VERIFY" in (one.standard, *one.covers)}
    refused = run("--item", "VERFIY", expect=2)
    assert "--item" in refused.stderr
    assert '"VERIFY"' in refused.stderr
