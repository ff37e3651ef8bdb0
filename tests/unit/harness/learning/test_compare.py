"""Two cards held against each other: each alteration of one comes out as its own difference, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import catalogue
from emulator.chip import Chip, Inside
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import PIN_CELL, file_cell, key_cell, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.security import PIN
from harness.cli import main
from harness.learning.card_view import CardView, of_image, of_learned, of_learning
from harness.learning.compare import compared
from harness.learning.learn import Wanted, learn
from harness.learning.trace_view import of_trace
from harness.readers.connection import InProcess
from harness.trace.read import TraceError
from harness.trace.record import TraceFile
from tests.kit.cards import DF, SSSE, VERIFY, Card

OWN = 'extends = "3.00"\nschema = 1\nname = "own"\n'
ATR = "3B6D00000081544C908684"
CITIZEN_ID, NAME = b"\x08", b"\x09"


def layout(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "own.toml"
    path.write_text(OWN + text, encoding="utf-8")
    return catalogue.layout(path)


def card(plan: str | Layout = "3.00", algorithm: str = "3des", persona: str = "adult-chengdu") -> Image:
    return catalogue.card(persona, plan, algorithm)


def told(left: CardView, right: CardView) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.kind, one.where, one.before, one.after) for one in compared(left, right).differences]


def asked(image: Image, chip: Chip | None = None) -> CardView:
    """The card as it shows itself."""
    return of_learned(learn(InProcess(chip or Chip(image)), Wanted()))


ALTERED: dict[str, tuple[str, list[tuple[str, str, str | None, str | None]]]] = {
    "nothing": ("", []),
    "a longer item": (
        '[file."SSSE/EF06".item.09]\nlength = 50\n',
        [("item", "SSSE/EF06/09", "30", "50")],
    ),
    "two longer items": (
        '[file."SSSE/EF05".item.07]\nlength = 12\n[file."DF01/EF05".item.21]\nlength = 90\n',
        [("item", "SSSE/EF05/07", "9", "12"), ("item", "DF01/EF05/21", "80", "90")],
    ),
    "a file free to read": (
        '[file."SSSE/EF06"]\nread = "free"\n',
        [("access", "SSSE/EF06", "RKSSSE", "free")],
    ),
    "a file that others update": (
        '[file."SSSE/EF05"]\nupdate = "never"\n',
        [("access", "SSSE/EF05", "UKSSSE", "never")],
    ),
    "another file id": (
        '[file."SSSE/EF05"]\nfid = "0005"\n',
        [("file", "SSSE/EF05", "EF05", "0005")],
    ),
    "a larger transparent file": (
        '[file."SSSE/EF07"]\nsize = 1024\n',
        [("file", "SSSE/EF07", "768", "1024")],
    ),
    "an extra file": (
        '[file."SSSE/EF1B"]\nname = "新"\nstructure = "transparent"\nread = "free"\nupdate = "never"\nsize = 4\n',
        [("file", "SSSE/EF1B", None, "SSSE/EF1B")],
    ),
    "an application under another name": (
        '[application.DF02]\ndfname = "D1 56 00 00 05 77"\n',
        [("application", "DF02", "D15600000501", "D15600000577")],
    ),
    "an FCI without the algorithm": (
        "[application.SSSE]\ntells_algorithm = false\n",
        [("application", "SSSE", "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101",
          "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA50388011E")],
    ),
    "a key under another id": (
        '[key.UKSSSE]\nid = "7E"\n',
        [("key", "UKSSSE", "04 in SSSE, versions 1 2 3", "7E in SSSE, versions 1 2 3")],
    ),
    "a PIN of six tries": ("[pin]\ntries = 6\n", [("state", "PIN", "3", "6")]),
    "another maker": (
        '[atr]\nmaker = "41 42 43 44 45 46 47"\n',
        # the identification code has the chip's maker in it, and keys are made from both
        [
            ("card", "card", ATR, ATR.replace("0081544C908684", "41424344454647")),
            ("value", "SSSE/EF05/01", None, None),
            ("value", "keys", None, None),
        ],
    ),
    "a habit": ('[habits.le.B2]\nzero = "whole"\n', [("habit", "habits.le.B2.zero", "as usual", "whole")]),
    "two habits": (
        '[habits]\nchallenge = [8]\n[habits.status]\n"B2:6A83" = "6A82"\n',
        [
            ("habit", "habits.challenge", "as usual", "8"),
            ("habit", 'habits.status."B2:6A83"', "as usual", "6A82"),
        ],
    ),
    "GET RESPONSE in any class": (
        'get_response_class = "any"\n',
        [("habit", "get_response_class", "as usual", "any")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_an_alteration_of_the_layout_is_one_difference(tmp_path: Path, name: str) -> None:
    text, expected = ALTERED[name]
    assert told(of_image(card()), of_image(card(layout(tmp_path, text)))) == expected


@pytest.mark.parametrize("name", ["nothing", "two longer items", "an extra file", "another file id", "two habits",
                                  "an FCI without the algorithm", "a file free to read",
                                  "a PIN of six tries"])  # fmt: skip
def test_a_card_that_is_only_asked_shows_the_same(tmp_path: Path, name: str) -> None:
    """But for what no harmless command shows."""
    text, expected = ALTERED[name]
    shown = [
        (kind, where, "refused" if kind == "access" else before, after)
        for kind, where, before, after in expected
        if where != "DF01/EF05/21"
    ]
    assert told(asked(card()), asked(card(layout(tmp_path, text)))) == shown


def test_a_chip_altered_from_outside_differs_by_a_habit_alone() -> None:
    class Elsewhere:
        """Says that a file is not there where a record is not."""

        def was_reset(self) -> None:
            """Of no interest."""

        def answer(self, command: bytes, card: Inside) -> bytes:
            said = card.execute(command, None).answer
            return b"\x6a\x82" if said == b"\x6a\x83" else said

    found = told(asked(card()), asked(card(), Chip(card(), interposer=Elsewhere())))
    assert [(one[0], one[3]) for one in found] == [("habit", "6A82")]


def test_cards_of_two_versions_and_algorithms_differ_in_those() -> None:
    old, new = of_image(card("1.00")), of_image(card("3.00", "sm4"))
    found = told(old, new)
    assert ("card", "card", "1.00", "3.00") in found
    assert ("card", "card", "3des", "sm4") in found
    assert ("application", "DF05", None, "DF05") in found
    assert not [one for one in found if one[1].startswith("DF05/")], "its files went with it"


def test_a_value_is_said_to_differ_and_not_told() -> None:
    left, right = card(), card()
    memory = right.memory
    records = list(memory.records("SSSE/EF06"))
    records[1] = records[1][:2] + "王明".encode("gbk").ljust(30, b"\0")
    memory.put(file_cell("SSSE/EF06"), tuple(records))
    memory.put(PIN_CELL, "654321")
    memory.put(tries_cell(PIN), 1)
    memory.put(key_cell("UKSSSE", 1), bytes(16))
    memory.commit()
    one, other = of_image(left), of_image(right)
    found = compared(one, other).differences
    assert [(each.kind, each.where) for each in found] == [
        ("value", "PIN"),
        ("value", "SSSE/EF06/09"),
        ("value", "keys"),
        ("state", "PIN"),
    ]
    words = " ".join(each.words for each in found)
    assert "王明" not in words
    assert "654321" not in words
    shown = " ".join(each.words for each in compared(one, other, show_values=True).differences)
    assert "王明" in shown
    assert "654321" not in shown, "a PIN is never told"
    assert "00" * 16 not in shown, "nor a key"


def test_a_private_key_is_never_told() -> None:
    left, right = card(), card()
    right.memory.put(file_cell("CERT/EF13"), (bytes(range(32)),))
    right.memory.commit()
    found = compared(of_image(left), of_image(right), show_values=True).differences
    assert [(one.kind, one.where) for one in found] == [("value", "CERT/EF13")]
    assert bytes(range(32)).hex().upper() not in found[0].words.upper()


def test_items_in_another_order_are_one_difference() -> None:
    left, right = card(), card()
    first, second, *rest = right.memory.records("SSSE/EF06")
    right.memory.put(file_cell("SSSE/EF06"), (second, first, *rest))
    right.memory.commit()
    found = told(of_image(left), of_image(right))
    assert found == [("item", "SSSE/EF06", "08 09 4E 0A 0B 0C 0D", "09 08 4E 0A 0B 0C 0D")]


def test_an_item_that_one_has_alone_is_told_with_its_length() -> None:
    left, right = card(), card()
    right.memory.put(file_cell("SSSE/EF06"), right.memory.records("SSSE/EF06")[:-1])
    right.memory.commit()
    assert told(of_image(left), of_image(right)) == [("item", "SSSE/EF06/0D", "4", None)]
    assert told(of_image(right), of_image(left)) == [("item", "SSSE/EF06/0D", None, "4")]


# --- traces --------------------------------------------------------------------------------------------------------

SESSION = (SSSE, "00C0000000", "00C000001E", "00B207280B", "00B2013400", "00B2632C00", DF["DF01"], "00B2012C00",
           "0020000000")  # fmt: skip


def recorded(path: Path, image: Image, *, personal_data: bool = False, session: tuple[str, ...] = SESSION) -> Path:
    with TraceFile(path, personal_data=personal_data) as trace:
        chip = Chip(image, observer=trace.slot(0, image))
        chip.power_on()
        for command in session:
            Card(chip).send(command)
        chip.power_off()
    return path


def test_a_trace_of_a_card_does_not_differ_from_it(tmp_path: Path) -> None:
    for personal_data in (False, True):
        view = of_trace(recorded(tmp_path / f"{personal_data}.jsonl", card(), personal_data=personal_data))
        assert told(view, of_image(card())) == []
        assert told(of_image(card()), view) == []


def test_a_trace_tells_what_was_asked_and_the_rest_is_not_compared(tmp_path: Path) -> None:
    path = recorded(tmp_path / "t.jsonl", card())
    changed = card(layout(tmp_path, '[file."SSSE/EF06"]\nread = "free"\n[file."SSSE/EF05".item.07]\nlength = 12\n'
                                    '[file."DF01/EF06".item.28]\nlength = 20\n[application.SSSE]\n'
                                    'tells_algorithm = false\n'))  # fmt: skip
    found = compared(of_trace(path), of_image(changed))
    assert [(one.kind, one.where.partition(" ")[0]) for one in found.differences] == [
        ("application", "SSSE"),
        ("item", "SSSE/EF05/07"),
        ("access", "SSSE/EF06"),
    ]
    assert "habits" in found.not_compared
    assert "keys" in found.not_compared


def test_values_of_a_trace_are_compared_where_it_has_them(tmp_path: Path) -> None:
    masked, whole = (
        recorded(tmp_path / f"{name}.jsonl", card(), personal_data=name == "whole") for name in ("masked", "whole")
    )
    other = of_image(card(persona="centenarian"))
    assert ("value", "SSSE/EF05/07", None, None) in told(of_trace(whole), other)
    assert told(of_trace(masked), other) == []


def test_what_is_read_with_rights_does_not_say_who_may(tmp_path: Path) -> None:
    path = recorded(tmp_path / "t.jsonl", card(), session=(SSSE, VERIFY, DF["DF01"], "00B2012C00", "00B2012C04"))
    view = of_trace(path)
    assert view.files["DF01/EF05"].read is None
    assert told(view, of_image(card())) == []


def test_of_several_cards_in_a_trace_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TraceFile(path) as trace:
        for slot, persona in enumerate(("adult-chengdu", "centenarian")):
            image = card(persona=persona)
            chip = Chip(image, observer=trace.slot(slot, image))
            chip.power_on()
            Card(chip).send(SSSE)
    with pytest.raises(TraceError, match="slots 0, 1"):
        of_trace(path)
    assert told(of_trace(path, 0), of_trace(path, 1)) == []
    with pytest.raises(TraceError, match="nothing in it is of slot 7"):
        of_trace(path, 7)


def test_what_a_learning_wrote_has_no_values_and_compares() -> None:
    learned = learn(InProcess(Chip(card())), Wanted())
    view = of_learning(learned.learning, learned.layout)
    found = compared(view, asked(card(persona="centenarian")))
    assert not [one for one in found.differences if one.kind == "value"]
    assert told(view, asked(card())) == []


# --- the command -----------------------------------------------------------------------------------------------------


def sscard(*words: object) -> tuple[int, str, str]:
    ended = CliRunner().invoke(main, ["compare", *map(str, words)])
    return ended.exit_code, ended.stdout, ended.stderr


def test_the_same_is_0_another_1(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text(card().to_text(), encoding="utf-8")
    assert sscard(path, "adult-chengdu")[0] == 0
    code, out, err = sscard(path, "centenarian")
    assert code == 1
    assert "SSSE/EF06/09 姓名 name: differs" in out
    assert err == ""
    assert sscard(path, "adult-chengdu", "--algorithm", "sm4")[0] == 1


def test_for_programs_the_differences_are_json_and_hold_no_value() -> None:
    code, out, __ = sscard("adult-chengdu", "centenarian", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["same"] is False
    assert found["a"] == {"kind": "persona", "name": "adult-chengdu"}
    name = next(one for one in found["differences"] if one["where"] == "SSSE/EF06/09")
    assert (name["kind"], name["before"], name["after"]) == ("value", None, None)
    persons = [one[2:].rstrip(b"\0").decode("gbk") for image in (card(), card(persona="centenarian"))
               for one in image.memory.records("SSSE/EF06") if one[:1] in (CITIZEN_ID, NAME)]  # fmt: skip
    assert len(persons) == 4
    assert not [one for one in persons if one in out]
    shown = sscard("adult-chengdu", "centenarian", "--json", "--show-values")[1]
    assert not [one for one in persons if one not in shown]


def test_a_trace_is_told_what_it_does_not_show(tmp_path: Path) -> None:
    path = recorded(tmp_path / "t.jsonl", card())
    code, out, err = sscard(path, "adult-chengdu")
    assert code == 0, out
    assert "habits" in err
    assert "update condition: SSSE/EF05, SSSE/EF06" in err  # a line for what many files have, not one for each
    assert sscard(f"{path}#0", "adult-chengdu")[0] == 0
    assert sscard(f"trace:{path}", "adult-chengdu")[0] == 0
    assert sscard(f"{path}#3", "adult-chengdu")[0] == 2


def test_a_folder_that_learn_wrote_is_held_against_a_card_that_is_asked(tmp_path: Path) -> None:
    learned = learn(InProcess(Chip(card())), Wanted())
    (tmp_path / "learning.json").write_text(learned.learning.text(), encoding="utf-8")
    assert sscard(tmp_path, "adult-chengdu")[0] == 0
    code, out, __ = sscard(tmp_path, "adult-chengdu", "--layout", "2.00")
    assert code == 1
    assert "3.00 → 2.00" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("{}", "expected"),
        ('{"format": "sscard image"}', "version"),
        ('{"v": 9, "event": 1}\n', "line 1"),
    ],
)
def test_what_is_no_card_is_bad_input(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")
    code, out, err = sscard(path, "adult-chengdu")
    assert (code, out) == (2, "")
    assert said in err


def test_a_name_of_nothing_is_bad_input() -> None:
    code, __, err = sscard("no-such-thing", "adult-chengdu")
    assert code == 2
    assert "no file and no persona 'no-such-thing'" in err
