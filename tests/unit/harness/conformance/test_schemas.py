"""Published schemas are generated from the models; both take and refuse the same documents."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from emulator.filesystem.layouts.paths import ItemPath
from harness.conformance import models as vector_models
from harness.conformance.models import ACTIONS, Authenticate, By, Given, Read, Tear, VerifyPin, Whole, step
from harness.scenarios import models as scenario_models
from harness.verdicts.models import build, said

ROOT = Path(__file__).parents[4]
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMA = ROOT / "harness" / "conformance" / "schema-1.json"


def test_the_published_schema_of_vectors_is_that_of_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == vector_models.text(), "write harness.conformance.models.text() there"
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_published_schema_of_scenarios_is_that_of_the_models() -> None:
    path = ROOT / "harness" / "scenarios" / "schema-1.json"
    assert path.read_text(encoding="utf-8") == scenario_models.text(), "write harness.scenarios.models.text() there"
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def scenario() -> dict[str, Any]:
    return {
        "scenario": 1,
        "id": "OFFICE-9-X",
        "title": "a scenario",
        "title_zh": "场景",
        "articles": ["9"],
        "grade": "D",
        "people": {"a": {"is": "adult", "order": 1}},
        "steps": [{"do": "apply", "for": "a", "then": {"register": {"account": None, "life": "made"}}}],
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("articles"),
        lambda one: one.update(articles=["nine"]),
        lambda one: one.update(cards=["4.00-sm4"]),
        lambda one: one.update(start="tomorrow"),
        lambda one: one.update(people={"A": {"is": "adult", "order": 1}}),
        lambda one: one.update(people={"a": {"is": "giant", "order": 1}}),
        lambda one: one.update(people={"a": {"is": "adult", "order": 0}}),
        lambda one: one.update(steps=[]),
        lambda one: first(one).update(run=True),
        lambda one: first(one).update(then={}),
        lambda one: first(one).update(then=[]),
        lambda one: first(one).update(then={"register": {"life": "eternal"}}),
        lambda one: first(one).update(then={"chip": {"regions": "51"}}),
        lambda one: first(one).update(then={"chip": {"items": {"DF01/EF06/28": 1}}}),
        lambda one: first(one).update(clock="2 fortnights"),
        lambda one: first(one).update(bank={"code": "1"}),
        lambda one: first(one).update(bank={"code": "1", "down": True, "why": "-"}),
        lambda one: first(one).update(letter={"principal": "a"}),
        lambda one: first(one).update(tear={"after": -1}),
        lambda one: first(one).update(card="any"),
    ],
)
def test_what_is_no_scenario_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    validator = jsonschema.Draft202012Validator(scenario_models.schema())
    whole = scenario()
    assert validator.is_valid(whole)
    assert validator.is_valid({**whole, "people": {"a": {"is": "adult", "order": 1, "birth": "1990-01-01"}}})
    change(whole)
    assert not validator.is_valid(whole)


def test_every_scenario_that_comes_with_it_is_built() -> None:
    paths = sorted((ROOT / "vectors" / "office").glob("*.yaml"))
    tables = [one for path in paths for one in yaml.load_all(path.read_text(encoding="utf-8"), LOADER)]
    assert len(tables) > 20
    for table in tables:
        built = build(scenario_models.ScenarioDocument, table)
        steps = list(map(scenario_models.step, built.steps))
        assert [one.operation for one in steps] == [one.get("do", "") for one in table["steps"]]
        assert [one.action for one in steps] == [next(name for name in scenario_models.ACTIONS if name in one)
                                                 for one in table["steps"]]  # fmt: skip
    refuses = scenario_models.step({"bank": {"refuses": "a", "why": "-"}})
    assert refuses.does == scenario_models.AtBank(scenario_models.Refuses(refuses="a", why="-"))


def test_null_is_told_where_it_is_a_value_of_its_own() -> None:
    then = scenario_models.step({"look": True, "then": {"register": {"account": None}, "person": {"cards": 1}}}).looks
    assert then[0].register is not None
    assert then[0].person is not None
    assert said(then[0].register) == {"account": None}
    assert said(then[0].person) == {"cards": 1}


def vector() -> dict[str, Any]:
    return {
        "schema": 1,
        "id": "X-Y",
        "title": "a vector",
        "title_zh": "用例",
        "grade": "inferred",
        "source": "[D]",
        "steps": [{"select": "SSSE"}, {"verify_pin": "right", "expect": {"sw": ["9000", "63Cx"]}}],
    }


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    table = copy.deepcopy(vector())
    change(table)
    return table


def first(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = table["steps"][0]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("title"),
        lambda one: one.pop("steps"),
        lambda one: one.update(schema=2),
        lambda one: one.update(id="small"),
        lambda one: one.update(more=1),
        lambda one: one.update(steps=[]),
        lambda one: one.update(steps=[{}]),
        lambda one: one.update(features=["wings"]),
        lambda one: one.update(shapes=["t0", "t0"]),
        lambda one: one.update(origin={"partial": "all"}),
        lambda one: first(one).update(stroke="SSSE"),
        lambda one: first(one).update(times=0),
        lambda one: first(one).update(times="pin"),
        lambda one: first(one).update(expect={}),
        lambda one: first(one).update(expect={"sw": "90"}),
        lambda one: first(one).update(expect={"sw": []}),
        lambda one: first(one).update(accept=[]),
        lambda one: first(one).update(accept={"is": "90", "lacks": "00"}),
        lambda one: first(one).update(parse=[{"as": "utf8"}]),
        lambda one: first(one).update(capture={"x": "1"}),
        lambda one: first(one).update(let={"x": {}}),
        lambda one: first(one).update(let={"x": {"mac": {"key": "STK"}}}),
        lambda one: first(one).update(let={"x": {"xor": ["00"]}}),
        lambda one: one.update(steps=[{"challenge": 5}]),
        lambda one: one.update(steps=[{"apdu": "00 XX"}]),
        lambda one: one.update(steps=[{"authenticate": {"version": 1}}]),
        lambda one: one.update(steps=[{"update": {"item": "SSSE/EF06/09", "same": False}}]),
        lambda one: one.update(steps=[{"tear": {"jump": 1}}]),
        lambda one: one.update(steps=[{"driver": {"function": "iReadCardBas", "arguments": {"iType": 1.5}}}]),
    ],
)
def test_what_is_no_vector_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    validator = jsonschema.Draft202012Validator(vector_models.schema())
    assert validator.is_valid(vector())
    assert not validator.is_valid(broken(change))


def test_steps_are_built_as_they_stand() -> None:
    assert step({"verify_pin": "wrong"}).does == VerifyPin(Given.WRONG)
    assert step({"authenticate": "UKSSSE"}).does == Authenticate("UKSSSE")
    assert step({"authenticate": {"key": "UKSSSE", "cryptogram": "wrong"}}).does == Authenticate(
        "UKSSSE", cryptogram=Given.WRONG
    )
    assert step({"tear": {"read": {"item": "SSSE/EF06/09", "by": "number"}}}).does == Tear(
        Read(ItemPath("SSSE/EF06", "09"), By.NUMBER)
    )
    around = step({"reset": True, "accept": ["any", {"ends": "9000"}], "expect": {"sw": ["9000"], "code": -1}}).around
    assert around.accept == ("any", Whole(ends="9000"))
    assert around.expect is not None
    assert (around.expect.sw, around.expect.code, around.expect.data) == (("9000",), -1, None)


def test_every_action_and_formula_of_the_vectors_that_come_with_it_is_built() -> None:
    seen = set()
    for path in (ROOT / "vectors").glob("*.yaml"):
        for table in yaml.load_all(path.read_text(encoding="utf-8"), LOADER):
            for one in table.get("steps", ()) if isinstance(table, dict) else ():
                built = step(one)
                assert built.raw == one[built.name]
                seen.add(built.name)
    assert seen >= set(ACTIONS) - {"driver"}


def test_running_vectors_loads_no_pydantic() -> None:
    code = (
        "import sys, harness.conformance.runner; print([one for one in ('pydantic', 'fastapi') if one in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.strip() == "[]"
