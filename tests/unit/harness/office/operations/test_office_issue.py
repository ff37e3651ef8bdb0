"""即时制卡 by one command: one person, many, people who do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.office.cards import content
from harness.office.people import made_up
from harness.office.register import seed
from tests.kit.office_fronts import ME, CommandLine, person_as_text
from tests.kit.offices import START, citizen

DOC = ME.document.number


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_issue_one_and_its_card_is_in_the_drawer(commands: CommandLine) -> None:
    card = commands.issued("--layout", "2.00", "--with-account")
    image = commands.image(card)
    assert (image.layout.name, image.algorithm) == ("2.00", "3des")
    assert commands.result("query", "--card", card, "--identity")["cards"][0]["account"] == "active"
    again = commands.run("issue", "--person", str(commands.folder / "me.yaml"), "--electronic-pin", "135790", expect=1)
    assert "一人一卡" in again.stderr


def test_issue_goes_on_where_it_was_cut_off(commands: CommandLine) -> None:
    person = commands.write("me.yaml", person_as_text(ME))
    pin = ("--electronic-pin", "135790")
    commands.run("apply", "--person", person, "--bank", seed.BANK, "--identity", *pin)
    commands.run("make", "1")
    steps = commands.run("issue", "--person", person, *pin).stderr
    assert "hand-out" in steps
    assert "make" not in steps


def test_issue_people_who_do_not_exist(commands: CommandLine) -> None:
    one = commands.result("issue", "--made-up", "--seed", "7")
    assert one["holder"].startswith("id-card:519900")
    many = commands.result("issue", "--made-up", "5", "--seed", "8", "--minor", "--algorithm", "sm4")
    assert len({row["card"] for row in many}) == 5
    lines = commands.run("issue", "--made-up", "2", "--seed", "9").stdout.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2."]


def test_issue_a_batch_of_whom_one_is_refused(commands: CommandLine) -> None:
    old = person_as_text(citizen(31)) | {"photo": None}
    people = commands.write("people.yaml", [person_as_text(ME), old, person_as_text(citizen(33))])
    rows = commands.result("issue", "--people", people, "--electronic-pin", "135790", expect=1)
    assert ["card" in row for row in rows] == [True, False, True]
    assert rows[1]["error"]["rule"] == "PHOTO"
    assert "2. 测试甲: 第十条" in commands.run("issue", "--people", people, "--electronic-pin", "1", expect=1).stdout


CSV = """name,sex,ethnic_group,birth,country,occupation,document_until,phone,address,document,region,insured,\
photo_file,guardian_name,guardian_document,guardian_phone
测试甲,1,01,1990-03-07,CHN,none,long-term,00000000011,虚构路1号,{me},510100,all,face.jpg,,,
测试童,1,01,2019-05-01,CHN,none,long-term,00000000021,虚构路2号,id-card:{child},510100,\
DF03/EF05/61;DF04/EF05/84,,测试监护人,{me},00000000011
"""


def test_issue_from_a_spreadsheet(commands: CommandLine) -> None:
    (commands.folder / "face.jpg").write_bytes(made_up.PHOTO)
    child = citizen(21, START.date().replace(year=2019, month=5, day=1)).document.number
    people = commands.write("people.csv", "\ufeff" + CSV.format(me=DOC, child=child))
    rows = commands.result("issue", "--people", people, "--electronic-pin", "135790")
    assert [row["name"] for row in rows] == ["测试甲", "测试童"]
    short = commands.write("short.csv", "name,sex\n测试甲\n")
    assert "line 2: 1 cells, but the header names 2" in commands.run("issue", "--people", short, expect=1).stderr


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("- 1\n", "person 1: expected a mapping"),
        ("[]", "nobody is in it"),
        ("a: [", "people.yaml: not YAML: it ends in the middle"),
        ("a: ]", "line 1: not YAML"),
        ("name: 测试甲\nsecret_field: 4711\n", "secret_field: no field is called so"),
    ],
)
def test_people_written_wrong(commands: CommandLine, told: str, said: str) -> None:
    error = commands.run("issue", "--people", commands.write("people.yaml", told), expect=1).stderr
    assert said in error
    assert "4711" not in error


def test_issue_is_told_whom_once(commands: CommandLine) -> None:
    for wrong in ((), ("--made-up", "--person", "x.yaml"), ("--seed", "3", "--person", "x.yaml")):
        commands.run("issue", *wrong, expect=2)
    commands.run("issue", "--made-up", "2", "--reader", "Some", expect=2)


def test_made_up_people() -> None:
    first = made_up.person(START.date(), 1)
    assert first == made_up.person(START.date(), 1)
    assert first.document.number.startswith("519900")
    assert (made_up.PHOTO[:2], made_up.PHOTO[-2:]) == (b"\xff\xd8", b"\xff\xd9"), "a JPEG's two ends"
    for seed_ in range(50):
        minor = made_up.person(START.date(), seed_, minor=True)
        adult = made_up.person(START.date().replace(year=2024, month=2, day=29), seed_)
        assert minor.guardian
        assert minor.birth.year > 2006
        assert 1933 <= adult.birth.year <= 2006
    assert first.insured == tuple(content.insurances())
