from __future__ import annotations

import random

import pytest

from emulator.filesystem.layouts import text

TRAILS = [*range(0x40, 0x7F), *range(0x80, 0xFF)]
RARE = [0xFE00 | low for low in (*range(0x50, 0x7F), *range(0x80, 0xA1))]

FE50_ON = (
    "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱䎬⺻䏝䓖䙡䙌龹"
    "䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻"
)


def test_every_two_byte_code_is_a_character_and_gets_back() -> None:
    codes = [bytes((lead, trail)) for lead in range(0x81, 0xFF) for trail in TRAILS]
    assert len(codes) == 23940
    decoded = [text.decode(code) for code in codes]
    assert all(len(one) == 1 and text.whole(one) for one in decoded)
    assert len(set(decoded)) == 23940, "no two codes are one character"
    assert [text.encode(one) for one in decoded] == codes


def test_the_80_characters_that_gbk_lacks_are_real_ones() -> None:
    assert len(RARE) == len(FE50_ON) == 80
    for code, character in zip(RARE, FE50_ON, strict=True):
        assert text.decode(code.to_bytes(2, "big")) == character, f"{code:04X}"
        assert text.encode(character) == code.to_bytes(2, "big"), character
        assert not 0xE000 <= ord(character) <= 0xF8FF, f"{code:04X} is private use"


def test_every_four_byte_code_gets_back() -> None:
    """Every 97th of the 1,587,600, and all around the characters that have a two-byte form too."""
    for linear in (*range(0, 126 * 10 * 126 * 10, 97), *range(0x90, 0x4000)):
        a, rest = divmod(linear, 12600)
        b, rest = divmod(rest, 1260)
        c, d = divmod(rest, 10)
        code = bytes((0x81 + a, 0x30 + b, 0x81 + c, 0x30 + d))
        assert text.encode(text.decode(code)) == code, code.hex()


def test_the_four_byte_form_of_a_character_that_has_two_bytes_is_the_same_to_the_eye() -> None:
    four, two = bytes.fromhex("95329031"), bytes.fromhex("FE51")
    assert text.shown(text.decode(four)) == text.shown(text.decode(two)) == "𠂇"
    assert text.encode(text.decode(four)) == four
    assert text.encode(text.decode(two)) == two
    assert text.encode("𠂇") == two


def test_a_user_defined_character_is_one_character_and_gets_back() -> None:
    for code in ("AAA1", "AFFE", "F8A1", "FEFE", "A140", "A7A0"):
        data = bytes.fromhex("B2E2" + code + "CAD4")
        assert text.decode(data)[::2] == "测试"
        assert len(text.decode(data)) == 3
        assert text.encode(text.decode(data)) == data


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("B2E2CA", "测�"),
        ("B2E28135F4", "测�"),
        ("B2E28135", "测�"),
        ("B2E281", "测�"),
        ("B2E280CAD4", "测�试"),
        ("B2E2FFCAD4", "测�试"),
        ("B2E2FF80CAD4", "测��试"),
        ("4181354243", "A�5BC"),
        ("B2E2FE39FE39CAD4", "测�试"),  # a four-byte code that Unicode has no character for
        ("E2CAD4", "馐�"),
        ("", ""),
    ],
)
def test_what_is_no_character_costs_itself_and_never_its_neighbour(data: str, seen: str) -> None:
    raw = bytes.fromhex(data)
    assert text.shown(text.decode(raw)) == seen
    assert text.encode(text.decode(raw)) == raw
    assert text.whole(text.decode(raw)) == ("�" not in seen)


def test_any_bytes_at_all_get_back() -> None:
    rng = random.Random(2026)
    for _ in range(20000):
        raw = bytes(rng.choice((rng.randrange(256), rng.randrange(0x30, 0x3A), 0xFE)) for _ in range(rng.randrange(12)))
        assert text.encode(text.decode(raw)) == raw, raw.hex()


def test_a_name_cut_in_two_is_whole_again_when_joined() -> None:
    name = "测试䶮𠂇ḿ甲"
    for at in range(len(text.encode(name)) + 1):
        one, two = text.pieces(name, at)
        assert text.join(one, two) == name
        assert len(text.encode(one)) == at


def test_bytes_that_can_never_begin_a_character_are_told_from_cut_ones() -> None:
    assert text.start_nothing(b"\xff\xff")
    assert text.start_nothing(b"A\x80")
    assert not text.start_nothing(bytes.fromhex("B2E2CA"))
    assert not text.start_nothing(bytes.fromhex("B2E2FE80CAFE"))
