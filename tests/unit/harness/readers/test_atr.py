"""What an answer to reset tells of a card, and what of it may be shown."""

from __future__ import annotations

import pytest

from emulator import catalogue
from harness.readers.atr import masked, parts

CARD = catalogue.card("adult-chengdu", catalogue.layout("3.00"), "3des").atr
CONTACTLESS = bytes.fromhex("3B8D8001") + CARD[4:]
CHECKED = CONTACTLESS + bytes((0x5A,))


def test_a_cards_atr_tells_its_makers_and_its_region() -> None:
    told = parts(CARD)
    assert told is not None
    assert (told.maker, told.region, told.serial) == (CARD[4:11], "5101", CARD[-4:])
    assert not told.contactless


def test_so_does_the_atr_that_pcsc_makes_of_a_contactless_card() -> None:
    told = parts(CHECKED)
    assert told is not None
    assert told.contactless
    assert told.serial == CARD[-4:]


def test_the_chips_serial_number_is_taken_out_and_the_checksum_over_it_with_it() -> None:
    assert masked(CARD) == CARD[:-4] + bytes(4)
    assert masked(CHECKED) == CONTACTLESS[:-4] + bytes(5)


@pytest.mark.parametrize(
    "atr",
    [
        "",
        "3B",
        "3B6D0000",
        "3B9F958131FE9F006646530523002571DF0000000000020C",
        "3B6D0000" + "00" * 6,
        "3B6D000000815 44C9086 84FFFF51010001".replace(" ", ""),  # no region's digits
        "3F6D00000081544C908684510151010001",
    ],
)
def test_an_atr_of_another_form_tells_nothing_and_is_left_as_it_is(atr: str) -> None:
    assert parts(bytes.fromhex(atr)) is None
    assert masked(bytes.fromhex(atr)) == bytes.fromhex(atr)
