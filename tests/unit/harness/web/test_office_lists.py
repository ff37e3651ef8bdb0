"""Lists, one person, one card and the overview over HTTP: what filters find, how pages go on, who may look, and what
the trail says of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.office.desk import lists
from harness.office.register import seed
from harness.office.requests import models as requests
from harness.office.vocabulary import Role
from tests.kit.office_fronts import Caller, kind
from tests.kit.offices import Desk, citizen

FIRST = citizen(11, name="测试甲")
SECOND = citizen(13, name="测试乙%", region="510700")
THIRD = citizen(15, name="<b>测试丙</b>")


def loss(person: requests.Personal, how: str) -> requests.ReportLoss:
    return requests.ReportLoss.model_validate({"holder": person.document, "shown": [person.document], "kind": how})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Three people: a card lost for seven days, a card lost for good, and an application that nothing came of."""
    desk = Desk(tmp_path_factory.mktemp("office"))
    for person, how in ((FIRST, "temporary"), (SECOND, "formal")):
        desk.active(person)
        desk.do(loss(person, how))
    desk.applied(THIRD)
    yield desk
    desk.register.close()


@pytest.fixture
def caller(desk: Desk) -> Caller:
    return Caller(desk)


def found(caller: Caller, path: str, **query: Any) -> list[Any]:
    response = caller.get(path, Role.CLERK, **query)
    assert response.status_code == 200, response.text
    rows = response.json()[path.strip("/")]
    assert isinstance(rows, list)
    return rows


def test_whoever_asks_hears_who_they_are(caller: Caller) -> None:
    for role, name, zh in ((Role.CLERK, seed.MAKER, "经办人员"), (Role.BANK, seed.BANKER, "银行")):
        me = caller.get("/me", role).json()
        assert (me["clerk"], me["role"], me["role_zh"], me["readers"]) == (name, str(role), zh, [])
        assert me["until"] > me["now"]
    assert kind(caller.get("/me")) == (401, "token")
    assert caller.client.get("/me", headers={"Authorization": "Bearer sscard-office-x"}).status_code == 401


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ({}, [1, 2, 3]),
        ({"region": "5107"}, [2]),
        ({"region": "51"}, [1, 2, 3]),
        ({"dead": "true"}, []),
        ({"dead": "false", "most": "2"}, [1, 2]),
        ({"after": "2"}, [3]),
    ],
)
def test_people_by_region_and_death(caller: Caller, query: dict[str, str], people: list[int]) -> None:
    assert [one["person"] for one in found(caller, "/people", **query)] == people


@pytest.mark.parametrize(
    ("body", "people"),
    [
        ({"name": "测试"}, [1, 2, 3]),
        ({"name": "%"}, [2]),
        ({"name": "_"}, []),
        ({"name": "<b>"}, [3]),
        ({"document": SECOND.document.model_dump(mode="json")}, [2]),
        ({"document": SECOND.document.model_dump(mode="json"), "name": "甲"}, []),
        ({"document": {"type": "passport", "number": SECOND.document.number}}, []),
    ],
)
def test_people_are_found_by_name_or_document_and_stay_masked(
    caller: Caller, body: dict[str, Any], people: list[int]
) -> None:
    response = caller.post("/people/find", body)
    rows = response.json()["people"]
    assert [one["person"] for one in rows] == people
    assert all(set(one["name"][1:]) == {"*"} for one in rows), "the first character is left, and no more"
    assert SECOND.document.number not in response.text


def test_what_was_searched_for_is_nowhere_kept_and_that_somebody_searched_is(caller: Caller) -> None:
    caller.post("/people/find", {"name": "不可外传"})
    (line,) = caller.get("/trail", Role.ADMINISTRATOR, last=1).json()["lines"]
    assert (line["operation"], line["clerk"], line["detail"]) == (
        "list",
        seed.MAKER,
        {"list": "people", "by": ["name"]},
    )
    kept = b"".join(path.read_bytes() for path in caller.desk.register.path.parent.glob("register.db*"))
    assert "不可外传".encode() not in kept


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ({}, [1, 2]),
        ({"person": "2"}, [2]),
        ({"bank": "bank-b"}, []),
        ({"life": "issued"}, [1, 2]),
        ({"life": "ended"}, []),
        ({"loss": "temporary"}, [1]),
        ({"loss": "formal"}, [2]),
        ({"loss": "none"}, []),
        ({"frozen": "true"}, []),
        ({"suspended": "false", "frozen": "false"}, [1, 2]),
    ],
)
def test_cards_by_what_is_the_case(caller: Caller, query: dict[str, str], people: list[int]) -> None:
    assert [one["person"] for one in found(caller, "/cards", **query)] == people


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ({}, [1, 2, 3]),
        ({"open": "true"}, [3]),
        ({"open": "false"}, [1, 2]),
        ({"progress": "accepted"}, [3]),
        ({"kind": "reissue"}, []),
        ({"person": "1", "bank": seed.BANK}, [1]),
    ],
)
def test_applications_by_what_is_the_case(caller: Caller, query: dict[str, str], people: list[int]) -> None:
    assert [one["person"] for one in found(caller, "/applications", **query)] == people


def test_a_temporary_loss_lapses_after_seven_days_in_every_list(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path))
    desk = caller.desk
    desk.active(FIRST)
    desk.do(loss(FIRST, "temporary"))
    (row,) = found(caller, "/losses")
    assert (row["loss"], row["hours_left"]) == ("temporary", 7 * 24)
    desk.clock.step(timedelta(days=7, seconds=-1))
    (row,) = found(caller, "/losses")
    assert (row["hours_left"], row["ends"] > desk.clock.now().isoformat()) == (0, True)
    assert caller.get("/overview", Role.CLERK).json()["losses"] == {"temporary": 1, "formal": 0}
    desk.clock.step(timedelta(seconds=1))
    assert found(caller, "/losses") == []
    assert [one["loss"] for one in found(caller, "/cards", loss="none")] == ["none"]
    assert found(caller, "/cards", loss="temporary") == []
    assert caller.get("/overview", Role.CLERK).json()["losses"] == {"temporary": 0, "formal": 0}


def test_how_many_working_days_are_left_and_how_many_over(tmp_path: Path) -> None:
    caller = Caller(Desk(tmp_path))
    caller.desk.applied(THIRD)
    (row,) = found(caller, "/applications")
    assert (row["deadline"], row["days_left"], row["late"]) == ("2025-04-15", 30, False)  # 4 April is Qingming
    caller.desk.clock.step(timedelta(days=43))  # Tuesday, 15 April
    (row,) = found(caller, "/applications")
    assert (row["days_left"], row["late"]) == (0, False)
    caller.desk.clock.step(timedelta(days=6))  # Monday, 21 April
    (row,) = found(caller, "/applications")
    assert (row["days_left"], row["late"]) == (-4, True)
    assert caller.get("/late", Role.CLERK).json()[0]["days_left"] == -4
    assert caller.get("/overview", Role.CLERK).json()["due"] == {"open": 1, "late": 1, "unknown": 0}


def test_pages_go_on_until_there_is_no_more(caller: Caller) -> None:
    for path, number in lists.NUMBER.items():
        every = found(caller, f"/{path}")
        after, seen = 0, []
        while after is not None:
            page = caller.get(f"/{path}", Role.CLERK, after=after, most=1).json()
            seen += page[path]
            after = page["after"]
        assert seen == every
        assert len({one[number] for one in every}) == len(every) > 0


@pytest.mark.parametrize("path", [f"/{one}" for one in lists.NUMBER])
@pytest.mark.parametrize(
    "query", [{"most": "0"}, {"most": "1001"}, {"after": "-1"}, {"after": str(2**63)}, {"most": "x"}, {"wrong": "1"}]
)
def test_pages_have_bounds(caller: Caller, path: str, query: dict[str, str]) -> None:
    assert kind(caller.get(path, Role.CLERK, **query)) == (422, "input")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/cards", {"life": "gone"}),
        ("/cards", {"loss": "gone"}),
        ("/cards", {"person": "0"}),
        ("/applications", {"progress": "gone"}),
        ("/applications", {"open": "perhaps"}),
        ("/people", {"region": "51%"}),
        ("/people/0", {}),
        ("/cards/..", {}),
        ("/cards/a0000001", {}),
    ],
)
def test_a_filter_that_means_nothing_is_said_and_nothing_is_shown(
    caller: Caller, path: str, query: dict[str, str]
) -> None:
    assert caller.get(path, Role.CLERK, **query).status_code in (404, 422)


def test_an_empty_search_is_none(caller: Caller) -> None:
    assert kind(caller.post("/people/find", {})) == (422, "input")
    assert kind(caller.post("/people/find", {"name": ""})) == (422, "input")
    assert kind(caller.post("/people/find", {"name": "甲", "most": 1001})) == (422, "input")


def test_a_person_with_all_that_belongs_to_them(caller: Caller) -> None:
    person = caller.get("/people/1", Role.CLERK).json()
    assert (person["name"], person["electronic"], person["guardian"], person["agents"]) == ("测**", True, False, [])
    assert [one["loss"] for one in person["cards"]] == ["temporary"]
    assert [one["progress"] for one in person["applications"]] == ["delivered"]
    (line,) = caller.get("/trail", Role.ADMINISTRATOR, person=1, last=1).json()["lines"]
    assert (line["operation"], line["person"], line["detail"]) == ("list", 1, {"list": "person"})
    assert kind(caller.get("/people/999", Role.CLERK)) == (404, "unknown")


def test_a_cards_life_event_by_event(caller: Caller) -> None:
    number = found(caller, "/cards")[0]["card"]
    card = caller.get(f"/cards/{number}", Role.CLERK).json()
    assert [one["event"] for one in card["events"]] == ["made", "issued", "activated", "lost"]
    assert (card["layout"], card["algorithm"], card["in_drawer"], card["pending"]) == ("3.00", "3des", True, None)
    assert card["loss_ends"] == "2025-03-10T09:00:00+08:00"
    assert [(one["application"], one["as"]) for one in card["applications"]] == [(1, "new")]
    (line,) = caller.get("/trail", Role.ADMINISTRATOR, card=number, last=1).json()["lines"]
    assert line["detail"] == {"list": "card"}
    assert kind(caller.get("/cards/Z00000019", Role.CLERK)) == (404, "unknown")


def test_the_overview_counts_and_says_whether_anything_has_changed(caller: Caller) -> None:
    before = caller.get("/overview", Role.CLERK).json()
    assert (before["people"], before["cards"]["issued"], before["applications"]["accepted"]) == (3, 2, 1)
    assert before["losses"] == {"temporary": 1, "formal": 1}
    assert (before["frozen"], before["suspended"], before["pending"]) == (0, 0, 0)
    found(caller, "/people")
    assert caller.get("/overview", Role.CLERK).json()["change"] == before["change"], "who looks changes nothing"
    number = found(caller, "/cards")[0]["card"]
    for done, frozen in (("freeze", 1), ("unfreeze", 0)):
        why = {"why": "数据异常"} if frozen else {}
        assert caller.post(f"/operations/{done}", {"card": number, **why}, Role.ADMINISTRATOR).status_code == 200
        assert len(found(caller, "/cards", frozen="true")) == frozen
        assert caller.get("/overview", Role.CLERK).json()["frozen"] == frozen
    assert caller.get("/overview", Role.CLERK).json()["change"] > before["change"]


@pytest.mark.parametrize("path", ["/people", "/cards", "/applications", "/losses", "/overview", "/people/1"])
def test_a_banks_clerk_sees_none_of_it(caller: Caller, path: str) -> None:
    assert kind(caller.get(path, Role.BANK)) == (403, "role")
    assert kind(caller.get(path)) == (401, "token")
    (line,) = caller.get("/trail", Role.ADMINISTRATOR, clerk=seed.BANKER, last=1).json()["lines"]
    assert (line["outcome"], line["role"]) == ("refused", "bank")


def test_a_banks_clerk_searches_for_nobody(caller: Caller) -> None:
    assert kind(caller.post("/people/find", {"name": "测"}, Role.BANK)) == (403, "role")


def test_banks_and_the_rules_of_roles_are_for_everybody(caller: Caller) -> None:
    assert {one["bank"] for one in caller.get("/banks").json()} == {"bank-a", "bank-b", "bank-c"}
    words = {one["rule"]: one["zh"] for one in caller.get("/rules").json()}
    for one in caller.get("/services").json():
        assert (one["rule"] is None) == (len(one["roles"]) == len(Role))
        assert one["rule"] is None or words[one["rule"]]
