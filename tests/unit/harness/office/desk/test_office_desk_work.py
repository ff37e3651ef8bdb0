"""What a clerk's day needs besides the operations: lists, batches told whole, files for the holder, words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.personas import numbers
from harness.office.letter import html
from harness.office.vocabulary import DocumentType, Role
from tests.kit.office_fronts import Caller, CommandLine, kind, person_as_text
from tests.kit.offices import Desk, citizen
from tests.unit.harness.office.letter.test_office_letter import LETTER

ME = citizen()


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(Desk(tmp_path))


def test_all_that_is_wrong_with_a_batch_is_told_at_once(commands: CommandLine) -> None:
    wrong = [
        person_as_text(ME),
        person_as_text(citizen(31)) | {"sex": "x"},
        person_as_text(citizen(33)) | {"birth": "soon"},
    ]
    people = commands.write("people.yaml", wrong)
    said = commands.run("issue", "--people", people, "--electronic-pin", "135790", expect=1).stderr
    assert f"{people}: person 2: sex" in said
    assert f"{people}: person 3: birth" in said
    assert "person 1" not in said
    sheet = commands.write("people.csv", "name,sex,photo_file\n测试甲,1,../x.jpg\n\n测试乙,7,gone.jpg\n")
    said = commands.run("issue", "--people", sheet, "--electronic-pin", "135790", expect=1).stderr
    assert f"{sheet}, row 2: person 1: photo_file: expected a file in the request's own folder" in said
    assert "person 2: photo_file: no such file" in said


def test_lists_are_masked_paged_and_for_who_serves(commands: CommandLine, caller: Caller) -> None:
    commands.issued()
    for what in ("people", "cards", "applications"):
        (row,) = commands.result("list", what)
        assert row["person"] == 1
        assert ME.document.number not in str(row)
        assert ME.name not in str(row)
        assert commands.result("list", what, "--after", "1") == []
        commands.run("list", what, "--clerk", "bank-a-clerk", expect=1)
        caller.desk.active() if what == "people" else None
        answer = caller.get(f"/{what}", Role.CLERK, most=1).json()
        assert len(answer[what]) == 1
        assert answer["after"] == 1
        assert caller.get(f"/{what}", Role.CLERK, after=1).json() == {what: [], "after": None}
        assert kind(caller.get(f"/{what}", Role.BANK)) == (403, "role")
    assert {one["operation"] for one in commands.result("trail", "--operation", "list")} == {"list"}


def test_lists_are_narrowed_and_one_cards_life_is_told(commands: CommandLine) -> None:
    number = commands.issued()
    commands.run("report-loss", "--number", number, "--identity", "--kind", "temporary")
    who = ME.document.number
    for what, narrowed, many in (
        ("people", ("--name", "测试"), 1), ("people", ("--name", "%"), 0), ("people", ("--region", "5107"), 0),
        ("cards", ("--loss", "temporary", "--holder", who), 1), ("cards", ("--life", "ended"), 0),
        ("applications", ("--progress", "delivered", "--kind", "first"), 1), ("applications", ("--bank", "bank-b"), 0),
        ("losses", (), 1),
    ):  # fmt: skip
        assert len(commands.result("list", what, *narrowed)) == many, (what, narrowed)
    strange = citizen(99).document.number
    assert "no such person" in commands.run("list", "cards", "--holder", strange, expect=1).stderr
    assert "--life is for cards, not for people" in commands.run("list", "people", "--life", "issued", expect=2).stderr
    life = commands.result("life", number)
    assert [one["event"] for one in life["events"]] == ["made", "issued", "activated", "lost"]
    assert commands.run("life", "A00000099", expect=1).stderr
    assert commands.result("overview")["losses"] == {"temporary": 1, "formal": 0}
    commands.run("overview", "--clerk", "bank-a-clerk", expect=1)


def test_an_export_goes_into_a_new_file_of_the_owners_own(commands: CommandLine) -> None:
    commands.issued()
    number, path = ME.document.number, commands.folder / "mine.json"
    commands.run("export", "--holder", number, "--identity", "-o", str(path))
    assert number in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert "there already" in commands.run("export", "--holder", number, "--identity", "-o", str(path), expect=1).stderr
    assert path.read_bytes() == before


def test_document_types_are_listed_where_they_are_asked_for(commands: CommandLine) -> None:
    said = commands.run("reissue", "--help").stdout
    assert all(str(one) in said.replace("\n", "").replace(" ", "") for one in DocumentType)


def test_http_names_the_field_and_tells_the_right_check_character(caller: Caller) -> None:
    body = ME.document.number[:17]
    right = numbers.citizen_check(body)
    wrong = "0" if right != "0" else "1"
    told = {"holder": {"type": "id-card", "number": body + wrong}}
    answer = caller.post("/operations/query", told)
    assert kind(answer) == (422, "input")
    text = answer.json()["error"]["text"]
    assert text.startswith("body.holder")
    assert f"stands {right}" in text
    assert body not in text


def test_a_query_parameter_that_is_not_known_is_refused(caller: Caller) -> None:
    answer = caller.get("/trail", Role.ADMINISTRATOR, peron=1)
    assert kind(answer) == (422, "input")
    assert "person" in answer.json()["error"]["text"]
    assert "peron" not in answer.json()["error"]["text"]


def test_a_card_in_use_is_told_without_the_servers_paths(caller: Caller) -> None:
    number = caller.desk.active()
    with caller.desk.card(number):
        answer = caller.post("/operations/query", {}, drawer=number)
    assert kind(answer) == (503, "busy")
    assert "/" not in answer.json()["error"]["text"]


def test_the_letter_leaves_the_signature_to_the_agents_own_hand() -> None:
    page = html(LETTER)
    assert LETTER.signer in page, "named above as the agent"
    signed = page[page.index("签字") :]
    assert LETTER.signer not in signed.partition("</tr>")[0]
