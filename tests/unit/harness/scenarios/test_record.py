"""What a report tells of a scenario's steps: how each ended, when, and what it changed; of people only what a clerk
sees.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.office.register.base import Base
from harness.scenarios import model, rows, runner, words
from harness.scenarios.model import Scenario
from harness.scenarios.play import Play
from harness.scenarios.record import Record
from harness.scenarios.stage import Stage
from harness.verdicts.steps import Change, StepResult
from harness.verdicts.verdict import Result, Verdict

FOLDER = Path(__file__).parents[4] / "vectors" / "office"
SCENARIOS = model.find([FOLDER])
STORY = """\
scenario: 1
id: OFFICE-17-RECORDED
title: recorded
title_zh: 记
articles: ["17"]
grade: S
people:
  a: {is: adult, order: 11}
steps:
  - {instant: true, step: card, for: a, with: {bank: bank-a, electronic_pin: "135790"}}
  - {clock: 2 days}
  - {enter_pin: "654321", card: $card.card, expect: wrong}
  - {do: report-loss, for: a}
  - {do: query, for: a, expect: refused, rule: NOBODY}
  - {look: true, for: a}
"""


def load(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "story.yaml"
    path.write_text(text, encoding="utf-8")
    (one,) = model.load(path)
    return one


def what(changes: tuple[Change, ...]) -> dict[str, tuple[str, str]]:
    return {one.path: (one.before, one.after) for one in changes}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return runner.run_one(load(tmp_path_factory.mktemp("story"), STORY), "3.00-3des")


def test_each_step_is_told_in_both_languages_with_how_it_ended(played: Result) -> None:
    assert played.verdict is Verdict.FAILED
    assert [(one.n, one.ok) for one in played.steps] == [
        (1, True),
        (2, True),
        (3, True),
        (4, True),
        (5, False),
        (6, None),
    ]
    assert played.steps[4].why
    assert played.steps[4].why in played.reason
    assert played.steps[5].why == "not reached: an earlier step failed"
    assert (played.steps[1].words_en, played.steps[1].words_zh) == ("2 days later", "2天后")
    assert played.steps[4].words_zh.endswith("应不予办理（NOBODY）")


def test_the_clock_is_told_before_and_after_each_step(played: Result) -> None:
    assert [one.clock for one in played.steps[:3]] == [
        ("2025-03-03T09:00:00+08:00", "2025-03-03T09:00:00+08:00"),
        ("2025-03-03T09:00:00+08:00", "2025-03-05T09:00:00+08:00"),
        ("2025-03-05T09:00:00+08:00", "2025-03-05T09:00:00+08:00"),
    ]
    assert played.steps[5].clock is None, "nobody reached it"


def test_what_a_step_changed_in_register_and_card_is_told(played: Result) -> None:
    issued, __, wrong_pin, lost = played.steps[:4]
    new = what(issued.register)
    assert new["card/1"][0] == ""
    assert "life issued" in new["card/1"][1]
    assert what(issued.cards) == {"chip/1": ("", "layout 3.00")}
    assert (wrong_pin.register, what(wrong_pin.cards)) == ((), {"chip/1/tries/PIN": ("3", "2")})
    told = what(lost.register)
    assert told["card/1/loss"][0] == "none"
    assert told["card/1/lost_at"] == ("–", "2025-03-05 09:00:00")


def test_what_all_steps_left_is_told_without_the_trail_that_only_grows(played: Result) -> None:
    left = what(played.register)
    assert f"loss {what(played.steps[3].register)['card/1/loss'][1]}" in left["card/1"][1]
    assert left["bank/1/cards"] == ("0", "1")
    assert not [one for one in left if one.startswith("audit/")]
    assert [one.path for step in played.steps for one in step.register if one.path.startswith("audit/")]


def _held(stage: Stage) -> set[str]:
    """Every text of the register that stands in a column which is not told as it is."""
    with stage.register.transaction() as session:
        found = rows.of(session)
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    for name in set(found) - {"bank", "outlet", "clerk"}:
        for row in found[name].values():
            for column, value in row.items():
                if value is not None and len(str(value)) > 3:
                    texts[column in rows.PLAIN].add(str(value))
    return texts[False] - texts[True]


@pytest.mark.parametrize("name", ["OFFICE-32-FOR_WHOM", "OFFICE-16-APPLIED_FOR_LATER", "OFFICE-29-FORGOTTEN_IN_TIME"])
def test_nothing_of_a_person_and_no_secret_is_told(name: str, tmp_path: Path) -> None:
    one = next(each for each in SCENARIOS if each.id == name)
    with Stage(tmp_path, one.start, one.cards[0], one.id) as stage:
        record = Record(one, stage)
        runner.play_to(one, Play(one, stage), len(one.steps), record)
        held = _held(stage)
        tables = [[step.as_table(()) for step in record.steps], [each.as_table() for each in record.register]]
        told = json.dumps(tables, ensure_ascii=False)
    assert len(held) > 10
    assert [text for text in held if text in told] == []
    pins = {str(step.request_fields[field]) for step in one.steps for field in step.request_fields if "pin" in field}
    assert [pin for pin in pins if len(pin) > 5 and pin in told] == []


def test_every_table_is_told_or_left_out_on_purpose() -> None:
    assert set(Base.metadata.tables) - set(rows.TABLES) == {"setting", "card_image"}, "cards are told by themselves"
    columns = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    named = {*rows.PLAIN, *rows.MASKED, *rows.UNTOLD}
    assert named - columns == set(), "a column that is named is there"
    assert not {*rows.PLAIN} & ({*rows.MASKED} | {*rows.UNTOLD})


def test_every_step_of_every_scenario_has_words() -> None:
    for one in SCENARIOS:
        for step in one.steps:
            en, zh = words.of(step)
            assert en
            assert any("一" <= letter <= "鿿" for letter in zh), (one.id, zh)


def test_a_report_has_the_steps_and_the_exchange_that_each_began_with(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(STORY, encoding="utf-8")
    arguments = [
        "scenarios",
        "run",
        str(story),
        "--report",
        str(tmp_path / "r"),
        "--product",
        "Counter 2.1",
        "--tester",
        "Lab 7",
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 1
    table: dict[str, Any] = json.loads((tmp_path / "r" / "report.json").read_text(encoding="utf-8"))
    assert (table["product"], table["environment"]["tester"]) == ("Counter 2.1", "Lab 7")
    (result,) = table["results"]
    entered = result["steps"][2]
    assert entered["clock"] == {"before": "2025-03-05T09:00:00+08:00", "after": "2025-03-05T09:00:00+08:00"}
    assert entered["exchange"] == next(at for at, line in enumerate(result["trace"]) if line["step"] == "3")
    assert result["steps"][5]["exchange"] is None
    assert {one["path"] for one in result["register"]} >= {"card/1", "bank/1/cards"}


def test_a_step_says_nothing_of_what_it_has_not() -> None:
    assert StepResult(1, "a", "甲").as_table(()) == {
        "n": 1, "words_en": "a", "words_zh": "甲", "ok": None, "why": "", "exchange": None,
    }  # fmt: skip
