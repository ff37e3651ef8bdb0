from __future__ import annotations

import pytest

from emulator.apdu.command import CommandAPDU, ResponseAPDU
from emulator.apdu.status import SW, CardError, describe


@pytest.mark.parametrize(
    ("raw", "data", "le", "extended"),
    [
        ("00840000", "", 0, False),
        ("0084000008", "", 8, False),
        ("0020000003123456", "123456", None, False),
        ("00A404000201020F", "0102", 15, False),
        ("00B000000000FF", "", 255, True),
        ("00D60000000002AABB", "AABB", None, True),
        ("00D60000000002AABB0100", "AABB", 256, True),
    ],
)
def test_the_four_cases(raw: str, data: str, le: int | None, extended: bool) -> None:
    command = CommandAPDU.parse(bytes.fromhex(raw))
    assert (command.data.hex().upper(), command.le, command.extended) == (data, le, extended)
    if raw != "00840000":  # is written with its P3
        assert bytes(command).hex().upper() == raw


@pytest.mark.parametrize(
    "raw", ["", "00", "0084", "008400", "002000000312", "00200000031234567788", "00A4040000FF", "00D60000000002AA"]
)
def test_lengths_that_disagree(raw: str) -> None:
    with pytest.raises(CardError) as refusal:
        CommandAPDU.parse(bytes.fromhex(raw))
    assert refusal.value.sw == SW.WRONG_LENGTH


def test_response() -> None:
    assert ResponseAPDU.parse(bytes.fromhex("01029000")) == ResponseAPDU(b"\1\2", 0x9000)
    assert bytes(ResponseAPDU(b"\1", 0x6A82)) == bytes.fromhex("016A82")
    with pytest.raises(ValueError, match="at least two bytes"):
        ResponseAPDU.parse(b"\x90")


def test_every_status_word_has_words_in_both_languages() -> None:
    for sw in (*SW, 0x611E, 0x6C0B, 0x63C2, 0x1234):
        english, chinese = describe(sw)
        assert english
        assert any(ord(letter) > 0x4E00 for letter in chinese)
    assert "2" in describe(0x63C2)[0]
    assert "256" in describe(0x6C00)[0]
    assert describe(0x6100)[0].startswith("256 ")
