"""What an operation declares is so: roles, use of the card, what it answers; and a rule's id is its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.office.case.operation import CardUse
from harness.office.case.roles import SERVICE
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import BASE
from harness.office.desk import lookup
from harness.office.operations import ALL
from harness.office.operations.supervise import FreezeOperation
from harness.office.vocabulary import Role
from harness.readers.connection import Connection
from harness.web.office import answers
from harness.web.office.examples import FIRST, ME, STORY, WHO
from tests.kit.office_fronts import Caller, through
from tests.kit.offices import Desk

UNREAD = [name for name, one in ALL.items() if one.card is CardUse.NONE]
NEEDING = [name for name, one in ALL.items() if one.card is CardUse.NEEDED]


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(Desk(tmp_path))


class Counted:
    """A card in the reader that counts what it is sent."""

    def __init__(self, connection: Connection, sent: list[bytes]) -> None:
        self._connection, self._sent = connection, sent
        self.atr = connection.atr
        self.reset, self.close = connection.reset, connection.close

    def send(self, command: bytes) -> bytes:
        self._sent.append(command)
        return self._connection.send(command)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every command that reaches a card of the store from now on."""
    found: list[bytes] = []
    through(monkeypatch, lambda connection: Counted(connection, found))
    return found


def every_rule() -> list[Rule]:
    return [*BASE, *(rule for operation in ALL.values() for rule in operation.rules)]


# --- the card ---------------------------------------------------------------------------------------------------------


def test_reporting_a_loss_with_a_card_in_the_reader_sends_it_no_command(caller: Caller, sent: list[bytes]) -> None:
    caller.until("activate")
    assert sent, "activation reads and writes the card"
    sent.clear()
    answer = caller.post("/operations/report-loss", {**WHO, "kind": "formal"}, drawer=FIRST)
    assert answer.status_code == 200
    assert answer.json()["card"] == FIRST
    assert sent == []


def test_the_card_in_the_reader_tells_whose_loss_it_is_by_its_atr(caller: Caller, sent: list[bytes]) -> None:
    caller.until("activate")
    sent.clear()
    answer = caller.post("/operations/report-loss", {"shown": [ME], "kind": "formal"}, drawer=FIRST)
    assert (answer.status_code, answer.json()["card"]) == (200, FIRST)
    assert sent == []


@pytest.mark.parametrize("name", UNREAD)
def test_an_operation_that_needs_no_card_does_not_read_the_one_in_the_reader(
    caller: Caller, sent: list[bytes], name: str
) -> None:
    caller.until("activate")
    sent.clear()
    body = next(one.body for one in STORY if one.operation == name)
    role = next(role for role in Role if role in ALL[name].roles.allowed)
    caller.post(f"/operations/{name}", body, role, drawer=FIRST)
    assert sent == []


@pytest.mark.parametrize("name", NEEDING)
def test_an_operation_that_needs_the_card_is_refused_without_it(caller: Caller, name: str) -> None:
    caller.until("activate")
    body = next(one.body for one in STORY if one.operation == name)
    role = next(role for role in Role if role in ALL[name].roles.allowed)
    answer = caller.post(f"/operations/{name}", body | {"holder": ME}, role)
    assert answer.status_code == 409
    assert answer.json()["error"]["rule"] in ("CARD-SHOWN", "CARD-AT-HAND", "NOT-REISSUED")
    assert lookup.service(ALL[name])["card"] is True


# --- the roles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_rule_of_the_roles_lets_those_in_that_are_declared(name: str) -> None:
    roles = ALL[name].roles
    card = SimpleNamespace(bank_code="bank-a")
    for role in Role:
        clerk = SimpleNamespace(role=role, outlet=SimpleNamespace(bank_code="bank-a"))
        case: Any = SimpleNamespace(clerk=clerk, own_card=card)
        assert (roles.rule is None or roles.rule.holds(case)) == (role in roles.allowed), role
    assert ALL[name].rules[:1] == ((roles.rule,) if roles.rule else ALL[name].demands[:1]), "it is asked first"


def test_roles_do_not_hang_on_the_ids_of_rules() -> None:
    class Renamed(FreezeOperation):
        roles = replace(FreezeOperation.roles, rule=replace(FreezeOperation.roles.rule, id="ANOTHER"))  # type: ignore[type-var]
        demands = (replace(FreezeOperation.demands[0], id="BANK-ONLY"),)

    assert Renamed().roles.allowed == FreezeOperation.roles.allowed == {Role.ADMINISTRATOR}
    assert lookup.service(Renamed())["roles"] == [Role.ADMINISTRATOR]
    assert {Role.CLERK, Role.ADMINISTRATOR} == SERVICE


# --- the rules --------------------------------------------------------------------------------------------------------


def test_the_id_of_a_rule_is_its_own() -> None:
    """An article may demand what another demands too: that is the same rule, under its own citation."""
    first: dict[str, Rule] = {}
    for rule in every_rule():
        same = first.setdefault(rule.id, rule)
        assert (rule.zh, rule.en, rule.holds) == (same.zh, same.en, same.holds), rule.id


def test_a_rule_that_shared_an_id_still_tells_it(caller: Caller) -> None:
    caller.until("hand-out")
    error = caller.post("/operations/hand-out", {"application": 1, "shown": [ME]}).json()["error"]
    assert (error["rule"], error["formerly"]) == ("MADE-AND-WAITING", "PROGRESS")


# --- the result -------------------------------------------------------------------------------------------------------


def test_every_answer_is_what_its_operation_declares(caller: Caller) -> None:
    token, seen = "", set()
    for one in STORY:
        response = caller.tell(one, {"text": token} if one.operation == "verify-credential" else None)
        assert response.status_code == 200, (one, response.text)
        if one.operation not in ALL:
            continue
        answer, model = response.json(), answers.of(ALL[one.operation])
        assert set(answer) <= {field.alias or name for name, field in model.model_fields.items()}, one.operation
        model.model_validate(answer)
        declared = {field.alias or name for name, field in ALL[one.operation].result.model_fields.items()}
        if declared - {"late", "deadline_unknown", "until"} <= set(answer):
            seen.add(one.operation)
        token = answer.get("credential", token)
    assert seen == set(ALL)


def test_the_openapi_page_names_the_fields_of_each_result(caller: Caller) -> None:
    schema = caller.get("/openapi.json").json()
    for name, operation in ALL.items():
        answer = schema["paths"][f"/operations/{name}"]["post"]["responses"]["200"]["content"]["application/json"]
        model = schema["components"]["schemas"][answer["schema"]["$ref"].rpartition("/")[2]]
        declared = {field.alias or field_name for field_name, field in operation.result.model_fields.items()}
        assert set(model["properties"]) == declared | {"operation", "article", "person", "card", "notices", "changes"}
