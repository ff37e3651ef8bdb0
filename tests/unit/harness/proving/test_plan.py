"""Plans of proving are read strictly: what is mistyped is told with its line, what is meant is what is run."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from emulator import catalogue
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.interface import Interface
from harness.proving import models, plan
from harness.proving.plan import PlanError

ROOT = Path(__file__).parents[4]
SCHEMA = ROOT / "harness" / "proving" / "schema-1.json"
GOOD = "proving: 1\nsituations:\n  - name: one\n"


def load(folder: Path, text: str) -> plan.ProvingPlan:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return plan.load(path)


def test_the_published_schema_is_that_of_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == models.text(), "write harness.proving.models.text() there"
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("proving: 2\nsituations: [{name: a}]\n", ":1: proving"),
        ("proving: 1\nsituations: []\n", "situations"),
        ("proving: 1\n", "situations"),
        ("", "is empty"),
        (GOOD + "    persona: pin-lokced\n", "did you mean pin-locked"),
        (GOOD + "    layuot: '3.00'\n", ":4: unknown name 'layuot'; did you mean"),
        (GOOD + "    layout: 3.00\n", ":4: situations.0.layout"),
        (GOOD + "    layout: '1.00'\n    interface: contactless\n", "contactless"),
        (GOOD + "    psam: adult-chengdu\n", "no terminal's own card"),
        (GOOD + "    algorithm: ssf33\n", "SSF33"),
        (GOOD + "    pin: '12'\n", "pin: expected"),
        (GOOD + "    expect: {require: [PIN-ASKD]}\n", 'did you mean "PIN-ASKED"'),
        (GOOD + "    expect: {prints: '('}\n", "no regular expression"),
        (GOOD + "    expect: {changes: [SSSE/EF09/99]}\n", "no part of this card"),
        (GOOD + "    expect: {exit: 256}\n", "expect"),
        (GOOD + "  - name: one\n", "'one' stands twice"),
        (GOOD + "require: STATE-EXPIERD\n", 'did you mean "STATE-EXPIRED"'),
        (GOOD + "---\n" + GOOD, "expected one plan, found 2"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as error:
        load(tmp_path, text)
    assert told in str(error.value)
    assert error.value.exit_code == 2


def test_a_situation_expects_what_all_do_but_for_what_it_says_itself(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "proving: 1\nexpect: {exit: 0, changes: []}\nsituations:\n"
        "  - name: one\n  - {name: two, expect: {exit: [1, 2], prints: locked}}\n",
    )
    one, two = (each.expectation for each in found.cases)
    assert (one.exit, one.changes, one.prints) == ((0,), (), ())
    assert (two.exit, two.changes, two.prints) == ((1, 2), (), ("locked",))


def test_a_file_of_one_s_own_is_found_from_the_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nextends = "adult-chengdu"\n', encoding="utf-8")
    found = load(tmp_path, GOOD + "    persona: mine.toml\n")
    assert found.cases[0].situation.card().layout.name == "3.00"


def test_the_default_plan_meets_every_persona_of_a_user_and_of_a_psam_every_layout_and_interface() -> None:
    situations = [one.situation for one in plan.default().cases]
    met = {one.persona for one in situations} | {one.psam for one in situations}
    assert set(catalogue.personas()) - met <= {"blank", "pin-changed"}  # its PIN is in the plan itself
    assert {one.layout for one in situations} >= {"1.00", "2.00", "3.00"}
    assert {one.interface for one in situations} == set(Interface)
    assert {one.system for one in situations} >= {"linux", "windows"}


def test_the_pin_that_a_program_is_given_is_the_card_s(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "proving: 1\npin: '142857'\nenvironment: {HOLDER: '{pin}'}\nsituations:\n"
        "  - {name: one, arguments: [--name, '{situation}']}\n  - {name: two, pin: initial}\n",
    )
    one, two = plan.requests(found, ["terminal", "--pin={pin}"])
    assert one.argv == ("terminal", "--pin=142857", "--name", "one")
    assert one.environment == {"HOLDER": "142857"}
    assert two.environment == {"HOLDER": "123456"}
    assert two.situation.card().memory.text(PIN_CELL) == "123456"


def test_of_some_situations_nothing_is_required_together() -> None:
    found = plan.default()
    assert found.require
    assert found.only(["expired"]).require == ()
    with pytest.raises(PlanError, match='did you mean "expired"'):
        found.only(["expierd"])


@pytest.mark.parametrize("page", ["proving.md", "proving.zh-CN.md"])
def test_the_plan_in_the_docs_is_a_plan(page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition("```yaml\nproving")[2].partition("```")[0]
    found = load(tmp_path, f"proving{text}")
    assert [one.situation.name for one in found.cases] == ["moves", "locked", "lost", "sm4"]
    assert found.cases[0].expectation.changes == ("DF03/*", "DF04/EF05/84")
