"""What a run comes to as a whole, and what it says of who ran it, with what."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.conformance import judgement
from harness.verdicts import conclusion
from harness.verdicts.conclusion import Asked, Case, Conformity
from harness.verdicts.subject import Grade, Proof
from harness.verdicts.verdict import Verdict
from tests.unit.harness.cli.test_cli import run

PASSED, WARNING, FAILED = Verdict.PASSED, Verdict.WARNING, Verdict.FAILED
MISSING, UNDEFINED, ELSEWHERE = Verdict.MISSING, Verdict.UNDEFINED, Verdict.NOT_APPLICABLE
SOME = Asked(every=False)


def case(verdict: Verdict, name: str = "", *, known: bool = False) -> Case:
    return Case(name or verdict.name, verdict, known, Proof.TEXT, Grade.INFERRED)


@pytest.mark.parametrize(
    ("verdicts", "asked", "expected"),
    [
        ([PASSED], Asked(), Conformity.CONFORMS),
        ([PASSED, WARNING, ELSEWHERE], Asked(), Conformity.CONFORMS),
        ([PASSED, FAILED], Asked(), Conformity.FAILS),
        ([FAILED, MISSING], Asked(cut_short=True), Conformity.FAILS),
        ([], Asked(), Conformity.NOT_JUDGED),
        ([], SOME, Conformity.NOT_JUDGED),
        ([ELSEWHERE, ELSEWHERE], Asked(), Conformity.NOT_JUDGED),
        ([MISSING], SOME, Conformity.NOT_JUDGED),
        ([PASSED, MISSING], Asked(), Conformity.NOT_JUDGED),
        ([PASSED, UNDEFINED], Asked(), Conformity.NOT_JUDGED),
        ([PASSED, MISSING], SOME, Conformity.CONFORMS),
        ([PASSED], Asked(every=False, lacking=("PIN-OWN",)), Conformity.NOT_JUDGED),
        ([PASSED], Asked(cut_short=True), Conformity.NOT_JUDGED),
    ],
)
def test_nothing_conforms_that_failed_or_was_not_judged(
    verdicts: list[Verdict], asked: Asked, expected: Conformity
) -> None:
    found = conclusion.conclude([case(one) for one in verdicts], asked)
    assert found.verdict is expected
    assert found.exit_code == {"conforms": 0, "does not conform": 1, "not judged": 4}[expected]


def test_a_failure_of_the_baseline_is_forgiven_and_named() -> None:
    found = conclusion.conclude([case(PASSED), case(FAILED, "OLD", known=True)], Asked())
    assert found.verdict is Conformity.CONFORMS
    assert any("OLD" in one.en and "OLD" in one.zh for one in found.because)


def test_a_baseline_makes_nothing_green_that_nobody_judged() -> None:
    found = conclusion.conclude([case(PASSED), case(UNDEFINED, "OLD", known=True)], Asked())
    assert found.verdict is Conformity.NOT_JUDGED


def test_the_first_sentence_names_what_decided() -> None:
    many = [case(FAILED, f"BAD-{number}") for number in range(9)]
    told = conclusion.conclude([case(PASSED), *many], Asked()).because[0]
    assert told.en.startswith("9 cases failed")
    assert "BAD-0" in told.en
    assert told.en.endswith("and 4 more")
    assert "等9项" in told.zh


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table_of(*arguments: str, expect: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, expect=expect).stdout)
    return found


def test_a_report_holds_its_conclusion_and_what_it_was_made_with(here: Path) -> None:
    (here / "known.txt").write_text("CERT-SIGNS\n", encoding="utf-8")
    table = table_of(
        "vectors", "run", "--json", "--only", "CERT-SIGNS", "--profile", "3.00-sm4", "--tester", "李工", "--product",
        "X 1", "--baseline", str(here / "known.txt"), "--no-pdf",
    )  # fmt: skip
    assert table["conclusion"]["verdict"] == "conforms"
    assert conclusion.of_rows(table["results"], Asked.of(table["conclusion"])).as_table() == table["conclusion"]
    environment = table["environment"]
    assert (environment["tester"], environment["product"]) == ("李工", "X 1")
    assert environment["cards"] == ["3B6D00000081544C908684510100000000"], "less its serial number"
    began, ended = (datetime.fromisoformat(environment[name]) for name in ("began", "ended"))
    assert began.tzinfo is not None
    assert began <= ended
    assert str(here) not in json.dumps(environment), "a path names whose machine it is"
    assert environment["options"][:4] == ["vectors", "run", "--only", "CERT-SIGNS"]
    assert {"--tester", "李工", "--json", "--no-pdf"} < set(environment["options"])
    assert "--pdf" not in environment["options"]


@pytest.mark.usefixtures("here")
def test_the_command_line_stands_in_a_report_without_secrets() -> None:
    table = table_of(
        "prove", "--json", "--driver", "--situation", "ordinary", "--timeout", "9", "--", "false", "--pin={pin}",
        "--key=0011", "-p123456", "secret", "--quiet", expect=1,
    )  # fmt: skip
    options = table["environment"]["options"]
    assert options[options.index("--") :] == ["--", "false", "--pin={pin}", "--key=***", "***", "***", "--quiet"]
    assert options[:6] == ["prove", "--situation", "ordinary", "--driver", "--timeout", "9.0"]


def test_a_lost_card_is_not_named_by_the_command_line_either(here: Path) -> None:
    (here / "empty.jsonl").touch()
    table = table_of("monitor", "--json", "empty.jsonl", "--lost", "A00000011", "--date", "2026-03-05", expect=4)
    assert table["environment"]["options"] == [
        "monitor", "empty.jsonl", "--lost", "***", "--date", "2026-03-05", "--json",
    ]  # fmt: skip
    assert table["environment"]["trace_sha256"] == table["session"]["sha256"]


def test_exit_code_and_conclusion_are_one_thing() -> None:
    assert judgement.exit_code([]) == conclusion.of_results([]).exit_code == 4
