"""Answers to reset, taken apart and made: against what other people's cards and another program say."""

from __future__ import annotations

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.interface import (
    AnswerToReset,
    Interface,
    ats,
    chip_factor,
    contactless_atr,
    historical,
    interface_of,
    maker,
    masked,
    region,
    serial,
)

PUBLISHED = {
    "80": "3B8180018080",
    "E1F35E117381A500": "3B888001E1F35E117381A50003",
    "0031C173C84000009000": "3B8A80010031C173C8400000900090",
    "80318066B08412016E0183009000": "3B8E800180318066B08412016E018300900003",
}
"""Historical bytes of contactless cards of other makers, and the ATR that PC/SC shows of each, as lists of ATRs print
it: a DESFire, two passports, a Java card."""
CARD = catalogue.card(personas.DEFAULT, "3.00", "3des").atr
CONTACTLESS = contactless_atr(historical(CARD))


@pytest.mark.parametrize(("told", "atr"), PUBLISHED.items())
def test_the_atr_of_a_contactless_card_is_made_as_others_print_it(told: str, atr: str) -> None:
    assert contactless_atr(bytes.fromhex(told)).hex().upper() == atr
    parts = AnswerToReset.parse(bytes.fromhex(atr))
    assert parts is not None
    assert (parts.historical.hex().upper(), parts.interface, parts.sound) == (told, Interface.CONTACTLESS, True)


@pytest.mark.parametrize("interface", Interface)
@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_another_program_takes_our_atrs_apart_in_the_same_way(interface: Interface, algorithm: str) -> None:
    smartcard = pytest.importorskip("smartcard.ATR")
    atr = Chip(catalogue.card(personas.DEFAULT, "3.00", algorithm), interface=interface).atr
    theirs, ours = smartcard.ATR(list(atr)), AnswerToReset.parse(atr)
    assert ours is not None
    assert bytes(theirs.getHistoricalBytes()) == ours.historical
    assert bool(theirs.isT1Supported()) is (1 in ours.protocols) is (interface is Interface.CONTACTLESS)
    assert bool(theirs.isT0Supported()) is (0 in ours.protocols) is True
    assert theirs.hasChecksum is (interface is Interface.CONTACTLESS)
    assert not theirs.hasChecksum or theirs.checksumOK


def test_both_answers_tell_the_same_card() -> None:
    for read in (historical, maker, region, serial, chip_factor):
        assert read(CARD) == read(CONTACTLESS)
    assert (interface_of(CARD), interface_of(CONTACTLESS)) == (Interface.CONTACT, Interface.CONTACTLESS)
    assert ats(bytes.fromhex("7880A002"), historical(CARD)).hex().upper() == "127880A002" + CARD[4:].hex().upper()


def test_no_part_of_the_chips_number_is_left_where_it_is_hidden() -> None:
    for atr in (CARD, CONTACTLESS):
        hidden = masked(atr)
        assert len(hidden) == len(atr)
        assert (serial(hidden), maker(hidden), region(hidden)) == (bytes(4), maker(atr), region(atr))
        assert interface_of(hidden) is interface_of(atr)
    assert masked(CONTACTLESS)[-1] == 0, "the checksum tells one byte of the number to who has the other three"


@pytest.mark.parametrize("atr", ["", "3B", "3B6D", "3B6D0000" + "00" * 12, "3B8D80", "3B8D8001" + "00" * 12])
def test_an_answer_that_ends_too_soon_tells_nothing(atr: str) -> None:
    told = bytes.fromhex(atr)
    assert AnswerToReset.parse(told) is None
    assert (historical(told), interface_of(told)) == (b"", Interface.CONTACT)
    assert masked(told) == told[: max(0, len(told) - 4)] + bytes(min(4, len(told)))


@pytest.mark.parametrize("wrong", [CONTACTLESS[:-1], CONTACTLESS[:-1] + b"\xff", CARD + b"\0"])
def test_a_checksum_that_is_missing_wrong_or_not_called_for_is_noticed(wrong: bytes) -> None:
    parts = AnswerToReset.parse(wrong)
    assert parts is not None
    assert not parts.sound
