"""The chip under a layout's habits: each habit changes the answers that it is about, and no other.

``PROBES`` are commands that change nothing, each after a reset and the commands that bring the card there.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import catalogue
from emulator.chip import Chip, Exchange
from emulator.filesystem.layouts.load import from_table
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.textfiles import as_toml
from tests.kit.cards import DF, HOME, SSSE, Card
from tests.kit.sampled import DEEP

BASE = "3.00"
OWN = f'extends = "{BASE}"\nschema = 1\nname = "own"\n[file."SSSE/EF07"]\nread = "free"\n'
EF05, EF06, EF07 = ("00A4020002EF05", "00A4020002EF06", "00A4020002EF07")
PROBES: dict[str, tuple[str, ...]] = {
    "select ssse": (SSSE,),
    "select ssse with le": (SSSE + "00",),
    "select part of a name": ("00A404000D7378312E73682EC9E7BBE1B1A3",),
    "select next": (DF["DF01"], "00A4040205D156000005"),
    "select unknown name": ("00A4040006D15600000599",),
    "select mf": ("00A40000023F00",),
    "select mf without data": ("00A4000000",),
    "select self by id": (SSSE, "00A4000002DDF1"),
    "select child by id": (SSSE, "00A4000002DF01"),
    "select child by P1 01": (SSSE, "00A4010002DF01"),
    "select sibling by id": (DF["DF01"], "00A4000002DF02"),
    "select parent by id": (DF["DF01"], "00A4000002DDF1"),
    "select ef": (SSSE, EF05),
    "select ef by P1 00": (SSSE, "00A4000002EF05"),
    "select unknown ef": (SSSE, "00A4020002EF1D"),
    "select unknown id": (SSSE, "00A4000002EF1D"),
    "select P1 05": ("00A4050002EF05",),
    "select a short name": ("00A404000411223344",),
    "select P1 05 with a short id": ("00A405000111",),
    "fetch": (SSSE, "00C000001E"),
    "fetch le 00": (SSSE, "00C0000000"),
    "fetch short": (SSSE, "00C0000005"),
    "fetch long": (SSSE, "00C0000050"),
    "fetch nothing": ("00C0000010",),
    "read": (SSSE, "00B2012C12"),
    "read le 00": (SSSE, "00B2012C00"),
    "read without le": (SSSE, "00B2012C"),
    "read short": (SSSE, "00B2012C05"),
    "read long": (SSSE, "00B2012C20"),
    "read by tag": (SSSE, "00B2012812"),
    "read by tag le 00": (SSSE, "00B2012800"),
    "read in the current ef": (SSSE, EF05, "00B2010412"),
    "read in the current ef by tag": (SSSE, EF05, "00B2010012"),
    "read the last": (SSSE, "00B2002900"),
    "read the next": (SSSE, EF05, "00B2000212"),
    "read the previous": (SSSE, EF05, "00B2000300"),
    "read to the last": (SSSE, "00B2012D00"),
    "read from the last": (SSSE, "00B2012E00"),
    "read record 99": (SSSE, "00B2632C00"),
    "read tag 99": (SSSE, "00B2992800"),
    "read no current ef": (SSSE, "00B2010412"),
    "read no file": (SSSE, "00B201EC00"),
    "read mode 7": (SSSE, "00B2012F00"),
    "read mode 7 of a protected file": (SSSE, "00B2013700"),
    "read protected": (SSSE, "00B2013414"),
    "read protected le 00": (SSSE, "00B2013400"),
    "read protected record 99": (SSSE, "00B2633400"),
    "read protected with data": (SSSE, "00B20134021122"),
    "read records of bytes": (SSSE, "00B2013C00"),
    "read binary": (SSSE, "00B0870010"),
    "read binary le 00": (SSSE, "00B0870000"),
    "read binary without le": (SSSE, "00B08700"),
    "read binary at the end": (SSSE, EF07, "00B002FC10"),
    "read binary beyond": (SSSE, EF07, "00B0030010"),
    "read binary in the current ef": (SSSE, EF07, "00B0000010"),
    "read binary of records": (SSSE, "00B0850010"),
    "read binary of protected records": (SSSE, "00B0860010"),
    "read binary P1 A0": (SSSE, "00B0A00010"),
    "challenge 4": ("0084000004",),
    "challenge 8": ("0084000008",),
    "challenge 16": ("0084000010",),
    "challenge 5": ("0084000005",),
    "challenge 20": ("0084000014",),
    "challenge le 00": ("0084000000",),
    "challenge without le": ("00840000",),
    "challenge P2 01 le 05": ("0084000105",),
    "ask the pin": (SSSE, "0020000000"),
    "ask the pin with P2 05": (SSSE, "0020000500"),
    "unknown instruction": (SSSE, "00EE000000"),
    "get data": (SSSE, "00CA9F1700"),
    "unknown class": (SSSE, "A0B2012C12"),
    "unknown class and instruction": (SSSE, "A0EE000000"),
    "class 01": (SSSE, "01B2012C12"),
    "lengths that disagree": (SSSE, "00EE0000051122"),
    "lengths that disagree in an unknown class": (SSSE, "A0EE0000051122"),
    "read in df01": (DF["DF01"], "00B2012C00"),
    "read in df02": (DF["DF02"], "00B2012C00"),
}


def _random(size: int) -> bytes:
    return bytes(range(0xA0, 0xA0 + size))


def layout(tmp_path: Path, habits: str) -> Layout:
    path = tmp_path / "own.toml"
    path.write_text(OWN + habits, encoding="utf-8")
    return catalogue.layout(path)


def chip(plan: str | Layout) -> Chip:
    made = Chip(catalogue.card("adult-chengdu", plan), random=_random)
    made.power_on()
    return made


def answers(of: Chip) -> dict[str, str]:
    """What a card says to each probe."""
    card = Card(of)
    said = {}
    for name, commands in PROBES.items():
        of.reset()
        for command in commands:
            said[name] = card.send(command)
    return said


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return answers(chip(layout(tmp_path_factory.mktemp("ours"), "")))


FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"
RECORD = "0110510100D15600000551010001C4A06E3C"
CHALLENGE = bytes(range(0xA0, 0xC0)).hex().upper()
NO_FCI = (
    "select unknown name",
    "select mf",
    "select mf without data",
    "select ef",
    "select ef by P1 00",
    "select unknown ef",
    "select unknown id",
    "select P1 05",
    "select a short name",
    "select P1 05 with a short id",
)
WHOLE = "whole"
"""Ours, as a reader gets it that follows 61xx and 6Cxx."""

# A check that moves ahead of another moves ahead of all between.
HABITS: dict[str, tuple[str, dict[str, str]]] = {
    "none at all": ("[habits]\n", {}),
    # status words
    "a record that is not there": (
        '[habits.status]\n"B2:6A83" = "6A82"',
        {"read record 99": "6A82", "read tag 99": "6A82"},
    ),
    "an unknown class": (
        '[habits.status]\n"*:6E00" = "6D00"',
        {"unknown class": "6D00", "unknown class and instruction": "6D00", "class 01": "6D00"},
    ),
    "one unknown class": (
        '[habits.status]\n"A0xxxxxx:6E00" = "6D00"',
        {"unknown class": "6D00", "unknown class and instruction": "6D00"},
    ),
    "an unknown name, not an unknown id": (
        '[habits.status]\n"xxA404xx:6A82" = "6A88"',
        {"select unknown name": "6A88"},
    ),
    "an unknown instruction that is known": ('[habits.status]\n"CA:6D00" = "6A88"', {"get data": "6A88"}),
    "one protected file": (
        '[habits.status]\n"SSSE/EF06 B2:6982" = "6985"',
        {"read protected": "6985", "read protected le 00": "6985", "read protected record 99": "6985"},
    ),
    "one protected application": ('[habits.status]\n"DF02 B2:6982" = "6985"', {"read in df02": "6985"}),
    "the tries are not told": ('[habits.status]\n"20:63Cx" = "6700"', {"ask the pin": "6700"}),
    "a warning with the data": (
        '[habits.status]\n"00B0xxxx10:9000" = "6281"',
        {"read binary": "00" * 16 + "6281", "read binary in the current ef": "00" * 16 + "6281"},
    ),
    "something that succeeds with us is refused": (
        '[habits.status]\n"SSSE/EF05 00A402xx:9000" = "6A86"',
        {
            "select ef": "6A86",
            "read in the current ef": "6986",
            "read in the current ef by tag": "6986",
            "read the next": "6986",
            "read the previous": "6986",
        },
    ),
    "nothing waiting": ('[habits.status]\n"C0:6F00" = "6985"', {"fetch nothing": "6985"}),
    "no SELECT of the MF": (
        '[habits.status]\n"MF A4:9000" = "6A82"',
        {"select mf": "6A82", "select mf without data": "6A82"},
    ),
    # the order of checks
    "instruction before class": (
        '[habits.before]\ninstruction = "class"',
        {"unknown class and instruction": "6D00"},
    ),
    "instruction before the lengths": (
        '[habits.before]\ninstruction = "structure"',
        dict.fromkeys(
            ("lengths that disagree", "lengths that disagree in an unknown class", "unknown class and instruction"),
            "6D00",
        ),
    ),
    "class before the lengths": (
        '[habits.before]\nclass = "structure"',
        {"lengths that disagree in an unknown class": "6E00"},
    ),
    "length before parameters": (
        '[habits.before]\nlength = "parameters"',
        {"select P1 05 with a short id": "6700", "challenge P2 01 le 05": "6700", "ask the pin with P2 05": "6A86"},
    ),
    "length before parameters, for one instruction": (
        '[habits.before]\n"84 length" = "parameters"',
        {"challenge P2 01 le 05": "6700"},
    ),
    "security before parameters": (
        '[habits.before]\nsecurity = "parameters"',
        dict.fromkeys(
            (
                "read mode 7 of a protected file",
                "read protected with data",
                "read binary of protected records",
            ),
            "6982",
        ),
    ),
    "security before the length": (
        '[habits.before]\nsecurity = "length"',
        {"read protected with data": "6982", "read binary of protected records": "6982"},
    ),
    "security before the kind of file": (
        '[habits.before]\nsecurity = "kind"',
        {"read binary of protected records": "6982"},
    ),
    "record before security": ('[habits.before]\nrecord = "security"', {"read protected record 99": "6A83"}),
    "le before security": (
        '[habits.before]\nle = "security"',
        {"read protected le 00": "6C14", "read in df01": "6C04", "read in df02": "6C05"},
    ),
    # Le
    "le 00 gives the whole record": (
        '[habits.le.B2]\nzero = "whole"',
        dict.fromkeys(
            (
                "read le 00",
                "read by tag le 00",
                "read the last",
                "read the previous",
                "read to the last",
                "read from the last",
            ),
            WHOLE,
        ),
    ),
    "without le the whole record": ('[habits.le.B2]\nabsent = "whole"', {"read without le": RECORD + "9000"}),
    "without le a refusal": ('[habits.le.B2]\nabsent = "6700"', {"read without le": "6700"}),
    "a le too long gives what there is": ('[habits.le.B2]\nlong = "whole"', {"read long": RECORD + "9000"}),
    "a le too long gives what there is, with a warning": (
        '[habits.le.B2]\nlong = "6282"',
        {"read long": RECORD + "6282"},
    ),
    "a le too short gives a part": ('[habits.le.B2]\nshort = "part"', {"read short": RECORD[:10] + "9000"}),
    "a le too short is announced": ('[habits.le.B2]\nshort = "61xx"', {"read short": "6112"}),
    "le 00 of bytes is refused": ('[habits.le.B0]\nzero = "6700"', {"read binary le 00": "6700"}),
    "bytes beyond the end": (
        '[habits.le.B0]\nlong = "6282"',
        {"read binary at the end": "00" * 4 + "6282"},
    ),
    "le 00 fetches all": ('[habits.le.C0]\nzero = "whole"', {"fetch le 00": FCI + "9000"}),
    "a le too long fetches all": ('[habits.le.C0]\nlong = "whole"', {"fetch long": FCI + "9000"}),
    "a le too short fetches nothing": ('[habits.le.C0]\nshort = "6Cxx"', {"fetch short": "6C1E"}),
    # challenges
    "challenges of 8 alone": ("[habits]\nchallenge = [8]", {"challenge 4": "6700", "challenge 16": "6700"}),
    "challenges of any length": (
        f"[habits]\nchallenge = {list(range(1, 33))}",
        {"challenge 5": CHALLENGE[:10] + "9000", "challenge 20": CHALLENGE[:40] + "9000"},
    ),
    "a challenge unasked": ('[habits.le.84]\nzero = "whole"', {"challenge le 00": CHALLENGE[:16] + "9000"}),
    "a challenge of 16 unasked": (
        '[habits]\nchallenge_unasked = 16\n[habits.le.84]\nabsent = "whole"',
        {"challenge without le": CHALLENGE[:32] + "9000"},
    ),
    "a challenge's length is told": (
        '[habits.le.84]\nzero = "6Cxx"\nabsent = "6Cxx"',
        {"challenge le 00": "6C08", "challenge without le": "6C08"},
    ),
    # where data wait
    "SELECT answers at once": (
        '[habits.waiting]\nA4 = "at once"',
        {
            **{name: WHOLE for name in PROBES if name.startswith("select") and name not in NO_FCI},
            **dict.fromkeys(("fetch", "fetch le 00", "fetch short", "fetch long"), "6F00"),
        },
    ),
    "SELECT with Le answers at once": ('[habits.waiting]\nA4 = "with Le"', {"select ssse with le": FCI + "9000"}),
    "records are announced": (
        '[habits.waiting]\nB2 = "61xx"',
        dict.fromkeys(
            ("read", "read by tag", "read in the current ef", "read in the current ef by tag", "read the next"), "6112"
        ),
    ),
    # ways to read
    "no tags with an SFI": (
        '[habits.addressing]\ntag-sfi = "6A86"',
        dict.fromkeys(("read by tag", "read by tag le 00", "read tag 99"), "6A86"),
    ),
    "no tags with an SFI in another file": ('[habits.addressing]\n"SSSE/EF06 tag-sfi" = "6A86"', {}),
    "no numbers in the current file": (
        '[habits.addressing]\nnumber-current = "6981"',
        {"read in the current ef": "6981"},
    ),
    "no last": ('[habits.addressing]\nlast = "6A81"', {"read the last": "6A81"}),
    "no SFI for bytes": (
        '[habits.addressing]\nbinary-sfi = "6A86"',
        {
            "read binary": "6A86",
            "read binary le 00": "6A86",
            "read binary without le": "6A86",
            "read binary of records": "6A86",
            "read binary of protected records": "6A86",
        },
    ),
    # ways to select
    "no parts of names": ('[habits.selection]\npart-of-name = "6A82"', {"select part of a name": "6A82"}),
    "no next": ('[habits.selection]\nnext-name = "6A86"', {"select next": "6A86"}),
    "no siblings": ('[habits.selection]\nsibling = "6A82"', {"select sibling by id": "6A82"}),
    "no parent": ('[habits.selection]\nparent = "6A82"', {"select parent by id": "6A82"}),
    "no child by id": ('[habits.selection]\nchild = "6A82"', {"select child by id": "6A82"}),
    "no P1 01": ('[habits.selection]\nchild-01 = "6A86"', {"select child by P1 01": "6A86"}),
    "no self": ('[habits.selection]\nself = "6A82"', {"select self by id": "6A82"}),
    "no EF by P1 00": ('[habits.selection]\nef = "6A82"', {"select ef by P1 00": "6A82"}),
    # commands and classes
    "no READ BINARY": (
        '[habits.commands]\n"00B0" = "absent"',
        {name: "6D00" for name in PROBES if name.startswith("read binary")},
    ),
    "class 01 is class 00": ('[habits.classes]\n"01" = "00"', {"class 01": RECORD + "9000"}),
    # FCI
    "a shorter FCI": (
        '[habits.fci]\nSSSE = "6F 11 84 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF"',
        {
            **dict.fromkeys(("select ssse", "select ssse with le", "select part of a name"), "6113"),
            **dict.fromkeys(("select self by id", "select parent by id"), "6113"),
            "fetch": "6C13",
            "fetch le 00": "6C13",
            "fetch long": "6C13",
            "fetch short": "6F11840F73610E",
        },
    ),
    "an FCI of the MF": (
        '[habits.fci]\nMF = "6F 04 84 02 3F 00"',
        {"select mf": "6106", "select mf without data": "6106"},
    ),
    "an FCI of an EF": ('[habits.fci]\n"SSSE/EF05" = "6F 00"', {"select ef by P1 00": "6102", "select ef": "6102"}),
    "no FCI": (
        '[habits.fci]\nDF02 = ""',
        {"select sibling by id": "9000", "select next": "9000"},
    ),
}
"""Habits, and what is then another answer than ours; empty for whatever it is."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    plain = chip(layout(tmp_path_factory.mktemp("followed"), ""))
    plain.apdu_shape = True
    return answers(plain)


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_changes_the_answers_that_it_is_about_and_no_other(
    tmp_path: Path, ours: dict[str, str], followed: dict[str, str], habit: str
) -> None:
    text, expected = HABITS[habit]
    theirs = answers(chip(layout(tmp_path, text + "\n")))
    changed = {name: answer for name, answer in theirs.items() if answer != ours[name]}
    assert changed == {
        name: followed[name] if answer == WHOLE else answer for name, answer in expected.items() if answer != ours[name]
    }


class Notes:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def exchanged(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def powered(self, event: str, atr: bytes) -> None:
        """Of no interest here."""


def test_observers_are_told_what_the_terminal_sent_and_got(tmp_path: Path) -> None:
    habits = (
        '[habits.le.B2]\nzero = "whole"\nlong = "6700"\n[habits.status]\n"B2:6A83" = "6A82"\n'
        '[habits.classes]\n"01" = "00"\n'
    )
    of = chip(layout(tmp_path, habits))
    notes = of.observer = Notes()
    sent = [SSSE, "00B2012C00", "00B2012C20", "00B2632C00", "01B2012C12"]
    got = [Card(of).send(command) for command in sent]
    assert [(one.command.hex().upper(), one.answer.hex().upper()) for one in notes.exchanges] == list(
        zip(sent, got, strict=True)
    )
    assert got[1:] == [RECORD + "9000", "6700", "6A82", RECORD + "9000"]
    assert notes.exchanges[2].reason == "Le 20 is not taken"
    assert notes.exchanges[3].reason == "file not found"


def test_what_was_refused_after_all_has_selected_nothing(tmp_path: Path) -> None:
    card = Card(chip(layout(tmp_path, '[habits.status]\n"DF02 A4:61xx" = "6A82"\n')))
    card.ok(SSSE)
    assert card.sw(HOME["DF02"]) == "6A82"
    assert card.send("00B2012C12") == RECORD + "9000"
    assert card.sw("00C0000000") == "6F00"


def test_an_announced_record_is_fetched(tmp_path: Path) -> None:
    card = Card(chip(layout(tmp_path, '[habits.waiting]\nB2 = "61xx"\n')))
    assert card.ok(SSSE, "00B2012C12", "00C0000012") == RECORD


def test_habits_are_the_same_through_a_reader_that_follows(tmp_path: Path, followed: dict[str, str]) -> None:
    shaped = chip(layout(tmp_path, '[habits.waiting]\nA4 = "at once"\nB2 = "61xx"\n[habits.le.B2]\nzero = "whole"\n'))
    shaped.apdu_shape = True
    assert {n: a for n, a in answers(shaped).items() if not n.startswith("fetch")} == {
        n: a for n, a in followed.items() if not n.startswith("fetch")
    }


def test_a_command_under_another_class_is_there_and_not_under_ours(tmp_path: Path) -> None:
    card = Card(chip(layout(tmp_path, '[habits.commands]\n"00B0" = "80B0"\n')))
    card.ok(SSSE)
    assert card.sw("00B0870010") == "6D00"
    assert card.send("80B0870010") == "00" * 16 + "9000"


@pytest.mark.parametrize("size", [1, 5, 8, 20])
def test_a_challenge_of_any_length_can_be_used(tmp_path: Path, size: int) -> None:
    card = Card(chip(layout(tmp_path, f"[habits]\nchallenge = [{size}]\n")))
    card.ok(SSSE, f"00840000{size:02X}")
    assert card.sw("008200001100112233445566770011223344556677")[:2] in ("63", "67", "6A", "69")


def test_an_image_keeps_its_cards_habits(tmp_path: Path) -> None:
    plan = layout(tmp_path, '[habits.le.B2]\nzero = "whole"\n')
    again = Chip(Image.from_text(catalogue.card("adult-chengdu", plan).to_text(), "again"))
    again.power_on()
    assert Card(again).ok(SSSE, "00B2012C00") == RECORD


EVERY_HABIT = """
[habits]
challenge = [8, 20]
[habits.status]
"*:6xxx" = "6F00"
"SSSE/EF05 B2:9000" = "6A83"
[habits.before]
le = "structure"
security = "class"
[habits.le.B2]
zero = "61xx"
short = "part"
long = "6282"
[habits.le.C0]
zero = "whole"
[habits.le.84]
zero = "whole"
long = "61xx"
[habits.waiting]
A4 = "at once"
B0 = "61xx"
[habits.addressing]
previous = "6A86"
[habits.selection]
sibling = "6A82"
[habits.classes]
"01" = "00"
"FF" = "84"
[habits.fci]
MF = "6F00"
"""


@given(st.lists(st.one_of(
    st.binary(max_size=24),
    st.builds(lambda head, rest: bytes(head) + rest, st.tuples(
        st.sampled_from((0, 1, 4, 0x80, 0x84, 0xFF)), st.sampled_from((0xA4, 0xB0, 0xB2, 0xC0, 0x84, 0x20, 0x82, 0xEE)),
        st.integers(0, 255), st.integers(0, 255)), st.binary(max_size=12)),
    st.sampled_from([bytes.fromhex(command) for commands in PROBES.values() for command in commands]),
), max_size=8))  # fmt: skip
@settings(max_examples=150 if DEEP else 60, deadline=None)
def test_under_all_habits_at_once_the_card_answers_whatever_comes(commands: list[bytes]) -> None:
    for command in commands:
        answer = ODD.transmit(command)
        assert 2 <= len(answer) <= 258
        assert answer[-2] >> 4 in (6, 9)


def _odd() -> Chip:
    table = {**catalogue.layout(BASE).table, "habits": as_toml.loads(EVERY_HABIT, "habits")["habits"]}
    return chip(from_table(table, "odd"))


ODD = _odd()
