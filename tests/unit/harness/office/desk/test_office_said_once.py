"""A long text that many rows share is said once; and what HTTP says of a calendar is for callers, not for the shell."""

from __future__ import annotations

import re
from collections import Counter as Counted
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.office.measures.workdays import REMEDY
from harness.office.register import seed
from harness.office.vocabulary import Role
from tests.kit.office_fronts import Caller, CommandLine, person_as_text
from tests.kit.offices import Desk, citizen

DECEMBER = datetime(2026, 12, 20, 10)
"""Thirty working days on, nobody knows the holidays."""
UNKNOWN = re.compile(r"the holidays of 2027 are not known \(known: \d{4}-\d{4}\)")
LONG = 72
"""Letters of a text that nobody wants to read twice."""
PEOPLE = tuple(citizen(order) for order in (11, 33, 35, 37))


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """An office where four applications are open."""
    desk = Desk(tmp_path, DECEMBER)
    for person in PEOPLE:
        desk.applied(person)
    return Caller(desk)


def texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for value in told.values():
            yield from texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from texts(value)


LISTS = {
    "/late?every=true": Role.CLERK,
    "/people": Role.CLERK,
    "/cards": Role.CLERK,
    "/applications": Role.CLERK,
    "/pending": Role.CLERK,
    "/trail": Role.ADMINISTRATOR,
    "/outlets": None,
    "/services": None,
}


@pytest.mark.parametrize("path", LISTS)
def test_no_list_over_http_says_a_long_text_for_each_row(caller: Caller, path: str) -> None:
    answer = caller.client.get(path, headers=caller.headers(LISTS[path]))
    assert answer.status_code == 200
    often = {text: number for text, number in Counted(texts(answer.json())).items() if number > 1}
    assert {text for text in often if len(text) > LONG} == set()


def test_http_says_which_year_is_not_known_and_nothing_for_the_shell(caller: Caller) -> None:
    holder = PEOPLE[0].document.model_dump(mode="json")
    query = {"holder": holder, "shown": [holder]}
    rows = [
        *caller.get("/late", Role.CLERK, every=True).json(),
        *caller.get("/applications", Role.CLERK).json()["applications"],
        *caller.post("/operations/query", query).json()["applications"],
    ]
    assert len(rows) == 2 * len(PEOPLE) + 1
    for row in rows:
        assert row["deadline"] is None
        assert UNKNOWN.fullmatch(row["deadline_unknown"])


# --- at the command line -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("late",), ("list", "applications")], ids=" ".join)
def test_why_deadlines_are_unknown_and_what_to_do_about_it_is_said_once(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    commands, now = CommandLine(tmp_path), ("--now", DECEMBER.isoformat())
    for one in PEOPLE[:2]:
        person = commands.write("person.yaml", person_as_text(one))
        commands.run("apply", *now, "--person", person, "--bank", seed.BANK, "--identity", "--electronic-pin", "135790")
    said = commands.run(*command, *now).stdout
    assert len(said.splitlines()) == 4, "two applications, why, and the remedy"
    assert said.count(REMEDY) == 1
    assert len(UNKNOWN.findall(said)) == 1


def test_what_stops_many_persons_of_a_batch_alike_is_said_once(tmp_path: Path) -> None:
    commands = CommandLine(tmp_path)
    people = commands.write("people.yaml", [person_as_text(one) for one in PEOPLE[:3]])
    commands.run("issue", "--people", people, "--electronic-pin", "135790")
    again = commands.run("issue", "--people", people, "--electronic-pin", "135790", expect=1)
    first, *others = again.stdout.splitlines()
    assert "one person, one card" in first
    assert others == [f"{at}. 测试甲: as no. 1 同第1项" for at in (2, 3)]
