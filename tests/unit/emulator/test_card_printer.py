"""What a card printer's software does with a card of 3.00: reads it with RKSSSE, then writes a person by number."""

from __future__ import annotations

import pytest

from tests.kit.cards import HOME, SSSE, Card, new_card

PERSON = [
    "00DC010414" + "0812" + "353139393030313939303033303730303131",
    "00DC020420" + "091E" + "B2E2CAD4BCD7".ljust(60, "0"),
    "00DC040403" + "0A0131",
    "00DC050403" + "0B0101",
    "00DC070406" + "0D0419900307",
]
"""Records of SSSE/EF06 by number: 3 is the name's continuation, 6 the place of birth; neither is written."""
ISSUER = [
    "00DC020403" + "020133",
    "00DC030406" + "0304332E3030",
    "00DC04040E" + "040C915600000251010051010001",
    "00DC050406" + "050420200915",
    "00DC060406" + "060420300914",
    "00DC07040B" + "0709413030303030303131",
]


@pytest.fixture(params=["3des", "sm4"])
def card(request: pytest.FixtureRequest) -> Card:
    return new_card("3.00", request.param)


def record(card: Card, number: int) -> str:
    """A record of the current file by number, with Le 00 and then as the card says."""
    told = card.send(f"00B2{number:02X}0400")
    return card.ok(f"00B2{number:02X}04{told[2:]}") if told[:2] == "6C" else told[:-4]


def prove(card: Card, key: str) -> None:
    """Challenge after challenge, of which the last is the one that counts and the one before it the data."""
    card.ok("0084000008", "0084000008")
    data = card.ok("0084000008")
    card.ok(card.proof(key, data=data))


def begin(card: Card) -> None:
    card.send(HOME["MF"])
    card.ok(SSSE, "00A4000002EF05")


def test_it_reads_a_card(card: Card) -> None:
    begin(card)
    assert record(card, 1)[:28] == "0110510100D15600000551010001"
    assert record(card, 3) == "0304" + b"3.00".hex().upper()
    prove(card, "RKSSSE")
    assert record(card, 7) == "0709" + b"A00000011".hex().upper()
    card.ok("00A4000002EF06")
    assert bytes.fromhex(record(card, 1))[2:] == b"519900199003070011"
    assert bytes.fromhex(record(card, 2))[2:32].rstrip(b"\0").decode("gbk") == "测试甲"


def test_it_writes_a_person_and_the_issuer_and_reads_them_back(card: Card) -> None:
    begin(card)
    identification = record(card, 1)
    prove(card, "RKSSSE")
    card.ok("00A4000002EF06")
    assert card.send(PERSON[0]) == "6982", "the key to read with is not the one to write with"
    prove(card, "UKSSSE")
    for command in PERSON:
        assert card.send(command) == "9000", command
    card.ok("0084000008", "0084000008", "00A4000002EF05")
    assert card.send(f"00DC010412{identification}") == "9000"
    for command in ISSUER:
        assert card.send(command) == "9000", command
    for command in ISSUER:
        assert record(card, int(command[4:6], 16)) == command[10:]
    card.ok("00A4000002EF06")
    for command in PERSON:
        assert record(card, int(command[4:6], 16)) == command[10:]
    assert record(card, 3)[:2] == "4E"
    assert record(card, 6)[:2] == "0C"
