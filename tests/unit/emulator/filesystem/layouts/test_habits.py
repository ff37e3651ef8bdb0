"""``[habits]`` of a layout: what it may say, what is wrong with it, and how two layouts differ in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.filesystem.layouts.changes import differences
from emulator.filesystem.layouts.habit_specs import HabitsSpec
from emulator.filesystem.layouts.specs import Layout, LayoutError
from emulator.filesystem.layouts.terms import Addressing, Asked, Check, Selection, Waiting
from harness.cli import main
from harness.facts.layouts import of_layout

OWN = 'extends = "2.00"\nschema = 1\nname = "own"\n'
EVERYTHING = """
[habits]
challenge = [8]
challenge_unasked = 8
grade = "1"
sources = ["reference:field"]
[habits.status]
"B2:6A83" = "6A82"
"*:6E00" = "6D00"
"00A404xx:6A82" = "6A88"
"SSSE/EF06 B2:6982" = "6985"
"20:63Cx" = "6700"
[habits.before]
le = "security"
"B0 length" = "class"
[habits.le.B2]
zero = "whole"
long = "6282"
[habits.waiting]
A4 = "at once"
[habits.addressing]
"tag-sfi" = "6A86"
"SSSE/EF06 tag-sfi" = "6A81"
[habits.selection]
"part-of-name" = "6A82"
[habits.commands]
"0088" = "absent"
"00B0" = "80B0"
[habits.classes]
"01" = "00"
[habits.fci]
SSSE = "6F 00"
"SSSE/EF05" = ""
"""


def load(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "own.toml"
    path.write_text(OWN + text, encoding="utf-8")
    return catalogue.layout(path)


def habits(tmp_path: Path, text: str) -> HabitsSpec:
    found = load(tmp_path, text).habits
    assert found is not None
    return found


@pytest.mark.parametrize("name", catalogue.layouts())
def test_no_layout_that_comes_with_it_has_habits_of_its_own(name: str) -> None:
    assert catalogue.layout(name).habits is None


def test_everything_that_a_layout_can_say_is_read(tmp_path: Path) -> None:
    found = habits(tmp_path, EVERYTHING)
    assert (found.challenge, found.unasked, found.grade, found.sources) == ((8,), 8, "1", ("reference:field",))
    assert found.le == {0xB2: {Asked.ZERO: "whole", Asked.LONG: "6282"}}
    assert found.waiting == {0xA4: Waiting.AT_ONCE}
    assert found.commands == {0x0088: None, 0x00B0: 0x80B0}
    assert found.classes == {1: 0}
    assert found.fci == {"SSSE": b"\x6f\x00", "SSSE/EF05": b""}


@pytest.mark.parametrize(
    ("command", "ours", "places", "told"),
    [
        ("00B2012C00", 0x6A83, ("SSSE", "SSSE/EF05"), 0x6A82),
        ("00B2012C00", 0x6A86, ("SSSE",), 0x6A86),
        ("00B0850000", 0x6A83, ("SSSE",), 0x6A83),
        ("A0B2012C00", 0x6E00, ("SSSE",), 0x6D00),
        ("00A4040005", 0x6A82, (), 0x6A88),
        ("00A4000002", 0x6A82, (), 0x6A82),
        ("00B2013400", 0x6982, ("SSSE", "SSSE/EF06"), 0x6985),
        ("00B2013C00", 0x6982, ("SSSE", "SSSE/EF07"), 0x6982),
        ("0020000000", 0x63C3, (), 0x6700),
    ],
)
def test_a_status_word_is_another_for_the_commands_and_places_that_are_named(
    tmp_path: Path, command: str, ours: int, places: tuple[str, ...], told: int
) -> None:
    assert habits(tmp_path, EVERYTHING).status_word(bytes.fromhex(command), ours, places) == told


def test_of_several_rules_for_a_status_word_the_most_exact_holds(tmp_path: Path) -> None:
    found = habits(
        tmp_path,
        '[habits.status]\n"*:6xxx" = "6F00"\n"B2:6A83" = "6A82"\n"SSSE B2:6xxx" = "6985"\n"00B2xxxx00:6A83" = "6A88"\n',
    )
    read = bytes.fromhex("00B2012C00")
    assert found.status_word(read, 0x6A83, ()) == 0x6A88
    assert found.status_word(read[:4], 0x6A83, ()) == 0x6A82
    assert found.status_word(read, 0x6A83, ("SSSE",)) == 0x6985
    assert found.status_word(b"\0\xa4\0\0", 0x6A82, ()) == 0x6F00


def test_a_digit_of_a_status_word_may_stay_as_ours(tmp_path: Path) -> None:
    assert habits(tmp_path, '[habits.status]\n"20:63Cx" = "69Cx"\n').status_word(b"\0\x20\0\0", 0x63C2, ()) == 0x69C2


def test_a_check_moves_ahead_of_another_and_the_rest_stay(tmp_path: Path) -> None:
    found = habits(tmp_path, EVERYTHING)
    ours = list(Check)
    assert found.order(0xB2) == (*ours[:7], Check.LE, Check.SECURITY, Check.RECORD)
    assert found.order(0xB0)[:3] == (Check.STRUCTURE, Check.LENGTH, Check.CLASS)


def test_a_way_is_refused_where_it_is_named_and_the_place_goes_before(tmp_path: Path) -> None:
    found = habits(tmp_path, EVERYTHING)
    assert found.refuses(Addressing.TAG_SFI, ("SSSE/EF05",)) == 0x6A86
    assert found.refuses(Addressing.TAG_SFI, ("SSSE/EF06",)) == 0x6A81
    assert found.refuses(Addressing.NUMBER_SFI, ("SSSE/EF06",)) is None
    assert found.refuses(Selection.PART, ()) == 0x6A82


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[habits]\nhaste = 1\n", "habits.haste", "not a key"),
        ('[habits.status]\n"b2:6A83" = "6A82"\n', "habits.status.b2:6A83", "like B2:6A83"),
        ('[habits.status]\n"B2:6A83" = "1234"\n', "habits.status.B2:6A83", "a status word"),
        ('[habits.status]\n"DF99 B2:6A83" = "6A82"\n', "habits.status", "no application or file 'DF99'"),
        ('[habits.before]\nsecurity = "le"\n', "habits.before.security", "comes before security"),
        ('[habits.before]\nhaste = "le"\n', "habits.before.haste", "expected a check"),
        ('[habits.le.B2]\nzero = "part"\n', "habits.le.B2.zero", "for a Le that is short"),
        ('[habits.le.B2]\nzero = "some"\n', "habits.le.B2.zero", "expected one of 6Cxx"),
        ('[habits.le.B2]\nnone = "whole"\n', "habits.le.B2.none", "not a key"),
        ('[habits.le.READ]\nzero = "whole"\n', "habits.le.READ", "INS in two hex digits"),
        ("[habits]\nchallenge = [0]\n", "habits.challenge", "1 to 255"),
        ("[habits]\nchallenge = [true]\n", "habits.challenge", "1 to 255"),
        ('[habits.waiting]\nA4 = "later"\n', "habits.waiting.A4", "expected one of 61xx"),
        ('[habits.commands]\n"00B0" = "gone"\n', "habits.commands.00B0", "or absent"),
        ('[habits.classes]\n"0" = "00"\n', "habits.classes.0", "CLA in two hex digits"),
        ('[habits.addressing]\n"by-tag" = "6A86"\n', "habits.addressing.by-tag", "number-sfi"),
        ('[habits.addressing]\n"tag-sfi" = "none"\n', "habits.addressing.tag-sfi", "the status word"),
        ('[habits.selection]\n"tag-sfi" = "6A86"\n', "habits.selection.tag-sfi", "part-of-name"),
        ('[habits.fci]\nDF99 = "6F00"\n', "habits.fci.DF99", "no application or file"),
        ('[habits.fci]\nSSSE = "6F0"\n', "habits.fci.SSSE", "bytes in hex"),
        ("habits = 3\n", "habits", "expected a table"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, key: str, expected: str) -> None:
    with pytest.raises(LayoutError) as caught:
        load(tmp_path, text)
    assert caught.value.key.startswith(key)
    assert expected in str(caught.value)


def test_each_habit_is_one_difference_by_its_own_name(tmp_path: Path) -> None:
    plain, own = catalogue.layout("2.00").table, load(tmp_path, EVERYTHING).table
    found = differences(plain, own)
    assert ('habits.status."B2:6A83"', None, "6A82") in found
    assert ("habits.le.B2.zero", None, "whole") in found
    assert ("habits.challenge", None, [8]) in found
    assert len(found) == 20
    assert [(where, after, before) for where, before, after in differences(own, plain)] == found


def test_two_layouts_of_one_habit_differ_in_the_other_alone(tmp_path: Path) -> None:
    one = load(tmp_path, '[habits.le.B2]\nzero = "whole"\n').table
    two = load(
        tmp_path,
        '[habits]\ngrade = "1"\nsources = ["reference:field"]\n[habits.le.B2]\nzero = "whole"\nlong = "6282"\n',
    ).table
    assert differences(one, two) == [("habits.le.B2.long", None, "6282")]


def test_habits_are_shown_with_the_layout_and_are_facts_of_it(tmp_path: Path) -> None:
    own = load(tmp_path, EVERYTHING)
    path = str(tmp_path / "own.toml")
    shown = CliRunner().invoke(main, ["layout", "show", path])
    assert "habits.le.B2.zero: whole  (1)" in shown.output
    facts = {one.where: one for one in of_layout(own)}
    assert facts['habits.status."B2:6A83"'].statement.endswith("6A82")
    assert facts["habits.challenge"].grade == "1"
    assert not [where for where in (one.where for one in of_layout(catalogue.layout("2.00"))) if "habits" in where]
