"""The bank's applications as terminals read them: by SFI 2 record 1, or by PSE, GPO and AFL."""

from __future__ import annotations

import pytest

from emulator.personas.issue import bank_card_number
from tests.support import HOME, VERIFY, Card, new_card


@pytest.fixture
def card() -> Card:
    return new_card("3.00", "sm4")


def fetch(card: Card, command: str) -> str:
    told = card.send(command)
    assert told[:2] == "61", told
    return card.ok(f"00C00000{told[2:]}")


def test_the_directory_leads_to_the_application(card: Card) -> None:
    fci = fetch(card, HOME["PSE"])
    assert fci == "6F1A840E315041592E5359532E4444463031A5088801015F2D027A68"
    size = card.send("00B2010C00")[2:]
    record = card.ok(f"00B2010C{size}")
    assert "4F08A000000333010101" in record
    assert fetch(card, "00A4040008A000000333010101").startswith("6F")


def test_the_card_number_by_options_and_locator(card: Card) -> None:
    fetch(card, HOME["BANK"])
    options = fetch(card, "80A80000028300")
    assert options[:4] == "800E"
    locator = bytes.fromhex(options[8:])
    found = ""
    for at in range(0, len(locator), 4):
        sfi, first, last, _ = locator[at : at + 4]
        for number in range(first, last + 1):
            size = card.send(f"00B2{number:02X}{sfi | 4:02X}00")
            assert size[:2] == "6C"
            found += card.ok(f"00B2{number:02X}{sfi | 4:02X}{size[2:]}")
    pan = bank_card_number(card.chip.image.atr[-4:])
    assert f"5A0A{pan}F" in found
    assert f"5713{pan}D3009201" in found


def test_read_only_and_apart(card: Card) -> None:
    fetch(card, HOME["BANK"])
    assert card.send(VERIFY) == "6A88", "the PIN is the social security environment's"
    assert card.send("00DC011403700101") == "6982"
    assert card.send("805E010007123456FF654321") == "6A88"
    assert card.send("80A80000028301") == "6A80"
    assert card.send("80A80000038400") == "6700"
    card.ok(HOME["SSSE"])
    assert card.send("80A80000028300") == "6985"


def test_none_on_a_card_of_100() -> None:
    card = new_card("1.00")
    assert card.send(HOME["PSE"]) == card.send(HOME["BANK"]) == "6A82"
    assert card.send("80A80000028300") == "6D00"
