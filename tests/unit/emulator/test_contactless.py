"""A card over its contactless side: one card, other answers to reset, whole answers, what its layout says differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip, Exchange
from emulator.interface import AnswerToReset, Interface
from tests.kit.cards import SSSE, VERIFY, Card, new_card

CONTACTLESS = Interface.CONTACTLESS
ATR_SEEN = "3B8D8001" + "0081544C908684" + "5101" + "51010001" + "06"
"""By hand from PC/SC part 3: TS, T0 of 13 historical bytes, TD1, TD2, the bytes of the default persona, and TCK: the
exclusive or of all after TS is 06."""
FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"


def card(layout: str = "3.00", algorithm: str = "3des", persona: str = personas.DEFAULT) -> Card:
    return new_card(layout, algorithm, persona, CONTACTLESS)


def layout(folder: Path, text: str, extends: str = "3.00") -> str:
    path = folder / "own.toml"
    path.write_text(f'schema = 1\nextends = "{extends}"\nname = "own"\n{text}', encoding="utf-8")
    return str(path)


def test_the_atr_is_what_pcsc_makes_of_the_answer_to_select() -> None:
    chip = card().chip
    assert chip.atr.hex().upper() == ATR_SEEN.upper()
    assert chip.ats.hex().upper() == "127880A002" + ATR_SEEN[8:34]
    told = AnswerToReset.parse(chip.atr)
    assert told is not None
    assert (told.interface, told.protocols, told.sound) == (CONTACTLESS, (0, 1), True)


def test_by_contacts_nothing_is_said_of_a_field() -> None:
    chip = Chip(catalogue.card(personas.DEFAULT, "3.00", "3des"))
    chip.power_on()
    assert (chip.interface, chip.ats, chip.uid) == (Interface.CONTACT, b"", b"")


@pytest.mark.parametrize(("le", "answer"), [("", FCI), ("00", FCI), ("1E", FCI), ("FF", FCI), ("05", FCI[:10])])
def test_a_command_with_data_is_answered_whole_up_to_its_le(le: str, answer: str) -> None:
    assert card().send(SSSE + le) == answer + "9000"


@pytest.mark.parametrize(
    ("le", "answer"), [("", "0709"), ("00", "0709"), ("0B", "0709"), ("0A", "6C0B"), ("0C", "6C0B")]
)
def test_a_record_comes_whole_unless_le_is_neither_its_length_nor_00(le: str, answer: str) -> None:
    one = card()
    one.ok(SSSE)
    assert one.send("00B2072C" + le).startswith(answer)


def test_a_command_without_an_answer_takes_le_all_the_same() -> None:
    one = card()
    one.ok(SSSE)
    assert one.send("00A4020002EF0500") == "9000"
    assert one.send(VERIFY + "00") == "9000"


@pytest.mark.parametrize(
    "command", ["00B2072C000000", "00A4040000000F" + SSSE[10:], "00A4040000000F" + SSSE[10:] + "0000"]
)
def test_extended_lengths_are_refused(command: str) -> None:
    one = card()
    one.ok(SSSE)
    assert one.send(command) == "6700"


def test_nothing_ever_waits_for_get_response() -> None:
    one = card()
    one.ok(SSSE)
    assert one.send("00C000001E") == "6F00"
    assert one.send("0084000008")[-4:] == "9000"


def test_observers_are_told_of_one_exchange() -> None:
    seen: list[Exchange] = []

    class Ear:
        def exchanged(self, exchange: Exchange) -> None:
            seen.append(exchange)

        def powered(self, event: str, atr: bytes) -> None:
            pass

    chip = Chip(catalogue.card(personas.DEFAULT, "3.00", "3des"), interface=CONTACTLESS, observer=Ear())
    chip.power_on()
    chip.transmit(bytes.fromhex(SSSE + "00"))
    chip.transmit(bytes.fromhex("00B2072C00"))
    assert [(one.command.hex().upper(), one.answer[-2:].hex()) for one in seen] == [
        (SSSE + "00", "9000"),
        ("00B2072C00", "9000"),
    ]


def test_a_random_number_is_drawn_each_time_the_card_comes_into_a_field() -> None:
    drawn = iter([bytes((n, n, n)) for n in range(1, 9)])
    chip = Chip(
        catalogue.card(personas.DEFAULT, "3.00", "3des"), interface=CONTACTLESS, random=lambda size: next(drawn)[:size]
    )
    chip.power_on()
    first = chip.uid
    chip.reset()
    assert chip.uid == first == bytes.fromhex("08010101")
    chip.power_off()
    chip.power_on()
    assert chip.uid == bytes.fromhex("08020202")


@pytest.mark.parametrize(("form", "size", "firsts"), [("4", 4, range(256)), ("7", 7, range(0x7E, 0x7F))])
def test_a_fixed_number_is_the_same_always_and_no_part_of_the_chips(
    tmp_path: Path, form: str, size: int, firsts: range
) -> None:
    own = layout(tmp_path, f'[contactless]\nuid = "{form}"\n')
    uids = []
    for _ in range(2):
        chip = card(own).chip
        uids.append(chip.uid)
    assert uids[0] == uids[1]
    assert len(uids[0]) == size
    assert uids[0][0] in firsts
    assert chip.image.chip_factor[-4:] not in uids[0]
    assert form != "4" or uids[0][0] & 0x08 == 0, "08 says random, and others with this bit are reserved"


def test_a_layout_with_contacts_only_says_which_have_more() -> None:
    with pytest.raises(catalogue.NoSuchInterface, match=r"layout 2\.00 .*3\.00"):
        card("2.00")


def test_a_layout_takes_applications_and_the_pin_out_of_reach(tmp_path: Path) -> None:
    own = layout(tmp_path, '[contactless]\npin = false\nunreachable = ["PKI"]\n')
    one = card(own)
    assert one.sw("00A404000C504B492EC9E7BBE1B1A3D5CF") == "6A82"
    assert one.sw("00A404000C53532E434552542E41444631") == "6A82", "what lies in it neither"
    one.ok(SSSE)
    assert one.sw(VERIFY) == "6A88"
    contact = Card(Chip(one.chip.image))
    contact.chip.power_on()
    contact.ok("00A404000C504B492EC9E7BBE1B1A3D5CF", SSSE, VERIFY)


def test_a_layout_gives_other_access_conditions(tmp_path: Path) -> None:
    own = layout(tmp_path, '[contactless.access."SSSE/EF05"]\nread = "PIN"\ngrade = "D"\n')
    one = card(own)
    one.ok(SSSE)
    assert one.sw("00B2072C00") == "6982"
    one.ok(VERIFY)
    assert one.sw("00B2072C00") == "9000"
    contact = Card(Chip(one.chip.image))
    contact.chip.power_on()
    contact.ok(SSSE)
    assert contact.sw("00B2072C0B") == "9000"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('ats = "78 80 A0"', r"contactless\.ats.*3 interface bytes"),
        ('ats = "79 80 A0 02"', r"FSCI"),
        ('ats = "78 80 F0 02"', r"FWI"),
        ('unreachable = ["MF"]', r"contactless\.unreachable.*MF"),
        ('unreachable = ["DF99"]', r"contactless\.unreachable.*DF99"),
        ('uid = "10"', r"contactless\.uid"),
        ('get_response = "9000"', r"contactless\.get_response"),
        ('speed = 106', r"contactless\.speed.*not a key"),
        ('[contactless.access."SSSE/EF7F"]\nread = "free"', r"SSSE/EF7F"),
        ('[contactless.access."CERT/EF13"]\nread = "free"', r"nobody ever reads CERT/EF13"),
        ('[contactless.access."SSSE/EF05"]\nread = "UK1DF01"', r"out of reach of SSSE"),
        ('[contactless.access."SSSE/EF05"]\nwrite = "free"', r"not a key"),
    ],
)  # fmt: skip
def test_a_table_that_is_wrong_is_told_where(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ValueError, match=found):
        catalogue.layout(layout(tmp_path, f"[contactless]\n{text}\n"))


def test_a_psam_has_no_such_side(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only a user card"):
        catalogue.layout(layout(tmp_path, '[contactless]\nats = "78 80 A0 02"\n', "psam"))


def test_a_layout_may_take_the_side_away(tmp_path: Path) -> None:
    own = layout(tmp_path, '[remove]\ntable = ["contactless"]\n')
    with pytest.raises(catalogue.NoSuchInterface, match="layout own"):
        card(own)
