"""Forms of the operations, and what a done operation says it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.office.operations import ALL
from harness.office.vocabulary import Life, Role
from harness.web.office.examples import FIRST, ME, STORY
from tests.kit.office_fronts import Caller, kind
from tests.kit.offices import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("office"))


@pytest.fixture
def caller(desk: Desk) -> Caller:
    return Caller(desk)


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {}).items()


FORMS = {**{name: name for name in ALL}, "issue": "issue"}


@pytest.mark.parametrize("name", FORMS)
def test_every_field_of_every_form_has_a_name_in_both_languages(caller: Caller, name: str) -> None:
    schema = caller.get(f"/forms/{name}").json()
    Draft202012Validator.check_schema(schema)
    for field, spec in properties(schema):
        assert spec["x-zh"], field
        assert spec["x-en"], field
        assert all(one["value"] and one["zh"] and one["en"] for one in spec.get("x-words", ())), field
    for defined in schema.get("$defs", {}).values():
        if "enum" in defined:
            assert [one["value"] for one in defined["x-words"]] == defined["enum"]


@pytest.mark.parametrize("one", STORY[:-1], ids=lambda one: one.operation)
def test_every_example_is_of_the_form_by_the_schema_and_by_the_service(caller: Caller, one: Any) -> None:
    schema = caller.get(f"/forms/{one.operation}").json()
    Draft202012Validator(schema).validate(one.body)
    assert caller.post(f"/forms/{one.operation}/check", one.body).json() == {"problems": []}


def test_what_is_wrong_is_said_with_its_place_and_without_its_value(caller: Caller) -> None:
    body = {**STORY[0].body, "person": {**STORY[0].body["person"], "phone": "secret-phone", "region": "519988"}}
    body["shown"] = [{"type": "id-card", "number": "519900199003070119"}]
    response = caller.post("/forms/apply/check", body)
    assert response.status_code == 200
    places = [one["at"] for one in response.json()["problems"]]
    assert places == [["shown", "0"], ["person", "phone"], ["person", "region"]]
    assert "secret-phone" not in response.text
    assert "after these 17 digits stands 8" in response.text
    (missing, *_) = caller.post("/forms/freeze/check", {}).json()["problems"]
    assert (missing["at"], missing["kind"]) == (["why"], "missing")
    (unknown,) = caller.post("/forms/freeze/check", {"card": FIRST, "why": "x", "secret-name": 1}).json()["problems"]
    assert unknown["at"] == []
    assert "secret-name" not in unknown["text"]


def test_a_form_is_checked_for_clerks_alone_and_nothing_is_done_or_written(caller: Caller) -> None:
    assert kind(caller.post("/forms/apply/check", STORY[0].body, None)) == (401, "token")
    assert kind(caller.get("/forms/fly")) == (404, "unknown")
    assert kind(caller.post("/forms/fly/check", {})) == (404, "unknown")
    before = caller.get("/trail/verify", Role.ADMINISTRATOR).json()["lines"]
    for name in ALL:
        assert caller.post(f"/forms/{name}/check", {}).status_code == 200
    assert caller.get("/trail/verify", Role.ADMINISTRATOR).json()["lines"] == before
    assert caller.get("/overview", Role.CLERK).json()["people"] == 0


# --- what has changed ------------------------------------------------------------------------------------------------


def columns(done: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By table and column: from what to what."""
    rows = [one for one in done["changes"]["register"] if one["how"] == "changed"]
    return {f"{one['table']}.{one['column']}": (one.get("before"), one.get("after")) for one in rows}


def test_what_is_done_says_what_changed_in_the_register_and_on_the_card(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path))
    done: dict[str, dict[str, Any]] = {}
    for one in STORY[:10]:
        response = caller.tell(one)
        assert response.status_code == 200, response.text
        done[one.title or one.operation] = response.json()
    new = [(one["table"], one["how"]) for one in done["apply"]["changes"]["register"] if "column" not in one]
    assert new == [("person", "new"), ("application", "new"), ("electronic_card", "new")]
    assert done["apply"]["changes"]["card"] == []
    assert ("card.life", ("made", "issued")) in columns(done["hand-out"]).items()
    assert columns(done["activate"])["card.activated_at"] == (None, "2025-03-03T09:00:00+08:00")
    assert done["activate"]["changes"]["card"] == [{"zh": "启用", "en": "activation", "items": []}]
    assert [one["zh"] for one in done["change-pin"]["changes"]["card"]] == ["密码修改"]
    assert done["query"]["changes"] == {"register": [], "card": []}
    assert columns(done["change-information"]) == {"person.phone": (None, None), "person.address": (None, None)}
    assert done["change-information"]["changes"]["card"][0]["items"] == ["DF01/EF06/28", "DF01/EF06/23"]
    assert columns(done["transfer"]) == {"person.insured": (None, None)}
    assert len(done["transfer"]["changes"]["card"][0]["items"]) == len(done["transfer"]["from"])
    lost = caller.post("/operations/report-loss", {"holder": ME, "shown": [ME], "kind": "formal"}).json()
    assert columns(lost)["card.loss"] == ("none", "formal")


def test_what_changed_quotes_nobodys_data_and_no_secret(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path))
    said = "".join(str(caller.tell(one).json()["changes"]) for one in STORY[:10])
    person = STORY[0].body["person"]
    values = [str(person[name]) for name in ("name", "phone", "address", "birth")]
    for value in [*values, ME["number"], "135790", "246810", "00000000099", "测试路2号"]:
        assert value not in said
    assert "pin_hash" not in said or "before" not in said.partition("pin_hash")[2][:20]


def test_issuing_in_one_go_tells_of_all_its_steps(caller: Caller) -> None:
    done = caller.post("/issue", STORY[-2].body).json()
    assert columns(done)["card.life"] == (str(Life.MADE), str(Life.ISSUED))
    assert [one["zh"] for one in done["changes"]["card"]] == ["制卡", "启用"]
    refused = caller.post("/issue", STORY[-2].body)
    assert refused.status_code == 409
    assert "changes" not in refused.json()
