"""The npm packages that speak PC/SC from Node, and one that takes EMV data apart."""

from __future__ import annotations

import json

import pytest

from tests.deep.foreign.clients import (
    ATR,
    CARD_MANAGER,
    FCI,
    MODULES,
    SOURCES,
    followed,
    holds,
    needed,
    said,
)
from tests.deep.foreign.conftest import Reader, card
from tests.kit.cards import SSSE

NAME_OF_SSSE = SSSE[10:]


def node(script: str, package: str, *arguments: str) -> str:
    needed(MODULES / package)
    return said("node", SOURCES / script, *arguments, environment={"NODE_PATH": str(MODULES)})


@pytest.mark.parametrize("package", ["pcsclite", "@pokusew/pcsclite"])
def test_pcsclite_and_its_offspring(either: Reader, package: str) -> None:
    talk = either.talk
    holds(talk, node("pcsclite.js", package, package, either.name, *(one.command for one in talk)))


def test_smartcard(either: Reader) -> None:
    talk = either.talk
    holds(talk, node("smartcard.js", "smartcard", "told", either.name, *(one.command for one in talk)))


def test_smartcard_follows(either: Reader) -> None:
    talk = followed(either.talk)
    holds(talk, node("smartcard.js", "smartcard", "followed", either.name, *(one.command for one in talk)))


def test_nfc_pcsc_selects_an_application_by_itself(following: Reader) -> None:
    told = node("nfc.js", "nfc-pcsc", following.name, NAME_OF_SSSE, f"00A4040008{CARD_MANAGER}", "00B2072C0B")
    assert told.split() == [ATR, FCI["3des"], "6A82", "07094130303030303031319000"]


def test_nfc_pcsc_is_told_that_an_application_is_not_there(following: Reader) -> None:
    needed(MODULES / "nfc-pcsc")
    arguments = (SOURCES / "nfc.js", following.name, CARD_MANAGER)
    told = said("node", *arguments, environment={"NODE_PATH": str(MODULES)}, expect=1)
    assert f"Tag not compatible with AID {CARD_MANAGER}" in told


def test_node_emv_takes_the_fci_apart() -> None:
    """It needs no reader: what the card said goes through it."""
    found = json.loads(node("emv.js", "node-emv", FCI["3des"]))
    assert found == {"6F": {"84": NAME_OF_SSSE, "A5": {"88": "1E", "9F0C": "860101"}}}


@pytest.mark.parametrize(("layout", "kind", "digits"), [("3.00", "01", 19), ("credit", "02", 16)])
def test_a_reader_of_bank_cards_comes_to_the_end(layout: str, kind: str, digits: int) -> None:
    """Two packages together: one follows 61xx and 6Cxx, one takes apart what comes, as a payment terminal reads."""
    needed(MODULES / "smartcard")
    with card(layout=layout) as reader:
        found = json.loads(node("emvreader.js", "node-emv", reader.name))
    assert found["listed"]["4F"] == found["known"]["84"] == f"A0000003330101{kind}"
    assert found["profile"] == [
        "Cardholder verification is supported",
        "Terminal risk Management is to be performed",
        "Issuer authentication is supported",
    ]
    data = found["data"]
    number = data["5A"].rstrip("F")
    assert (len(number), number[:4]) == (digits, "9999")
    assert data["57"].startswith(f"{number}D3009")
    assert bytes.fromhex(data["5F20"]) == b"TEST/CARDHOLDER"
    assert bytes.fromhex(data["9F61"]).startswith(b"519900")
    assert len(found["log"]) == 10
    assert [one["9F36"] for one in found["log"]] == sorted((one["9F36"] for one in found["log"]), reverse=True)
    assert {one["5F2A"] for one in found["log"]} == {"0156"}
