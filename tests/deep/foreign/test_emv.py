"""python-emv: every persona's bank application, as a library for payment cards reads it; and its command emvtool."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from emulator import catalogue
from emulator.personas import DEFAULT
from tests.deep.foreign.clients import INSTALLED, SOURCES, needed, said
from tests.deep.foreign.conftest import Reader, card

PYTHON = INSTALLED / "python/bin/python"
EMVTOOL = INSTALLED / "python/bin/emvtool"
AT_ONCE = 16
"""As many cards as `sscard run` has slots."""
USERS = catalogue.personas()
WITHOUT_BANK = {"blank", "card-blocked"}
"""Nothing is on the one, and the other says 6A81 to everything."""
CLOSED = "bank-closed"
"""Whose directory lists an application that cannot be used."""
DEBIT, CREDIT = "A0 00 00 03 33 01 01 01", "A0 00 00 03 33 01 01 02"
SERVICE = {DEBIT: "220", CREDIT: "201"}
LIST = [["9F02", 6], ["9F03", 6], ["9F1A", 2], ["95", 5], ["5F2A", 2], ["9A", 3], ["9C", 1], ["9F37", 4]]
"""CDOL1 of EMV's book 3: amounts, country, TVR, currency, date, type, random number."""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the library finds in each persona's card."""
    told: dict[str, Any] = {}
    for at in range(0, len(USERS), AT_ONCE):
        some = USERS[at : at + AT_ONCE]
        with card(*(word for name in some for word in ("--persona", name)), cards=len(some)) as reader:
            answer = json.loads(said(needed(PYTHON), SOURCES / "emv_client.py", *reader.names))
        told |= {name: answer[slot] for name, slot in zip(some, reader.names, strict=True)}
    return told


@pytest.mark.parametrize("name", [one for one in USERS if one not in (*WITHOUT_BANK, CLOSED)])
def test_a_personas_bank_application(found: dict[str, Any], name: str) -> None:
    told = found[name]
    assert told["options list"] == [["9F7A", 1], ["9F02", 6], ["5F2A", 2]]
    assert told["without options"] == "6985", "the values that its list asks for must be there"
    whole(told, name, DEBIT, "PBOC DEBIT", 19)


def whole(told: dict[str, Any], name: str, application: str, label: str, digits: int) -> None:
    """All that the library makes of a card, held against its persona."""
    values = catalogue.persona(name).values
    ((stripe,), account, lists) = ([values["BANK/EF01"]["70"]], values["BANK/EF02"]["70"], values["BANK/EF03"]["70"])
    (listed,) = told["applications"]
    assert listed == {"4F": application, "50": label, "87": "1"}
    assert told["properties"]["50"] == listed["50"]
    assert told["properties"]["5F2D"] == "zh"
    assert (told["profile"], told["locator"]) == ("1C00", "080102001001010018010100")
    data = told["data"]
    assert data.keys() == {"57", "5A", "8C", "8D", "8E", "5F30", "9F61", "9F62", *stripe, *account, *lists}
    number = data["5A"].rstrip("F")
    assert re.fullmatch("9999[0-9]+", number)
    assert len(number) == digits
    assert luhn(number)
    track = f"{number}D{account['5F24'][:4]}{SERVICE[application]}"
    assert data["57"] == track + "F" * (len(track) % 2)
    assert data["5F20"] == stripe["5F20"]
    assert data["5F24"].replace("/", "") == account["5F24"]
    assert data["5F25"].replace("/", "") == account["5F25"]
    assert data["5F28"] == "CN"
    assert int(data["5F34"]) == int(account["5F34"])
    assert data["8C"] == LIST
    assert data["8D"] == [["8A", 2], *LIST]
    assert data["8E"] == ["4203", "1E03", "1F03"], "online PIN, then signature, else none"
    assert data["5F30"].replace(" ", "") == f"0{SERVICE[application]}"


def test_a_closed_bank_side_is_listed_and_refused(found: dict[str, Any]) -> None:
    told = found[CLOSED]
    assert [one["4F"] for one in told["applications"]] == [DEBIT]
    assert told["selected"] == "6283"


@pytest.mark.parametrize("name", sorted(WITHOUT_BANK))
def test_a_card_without_a_bank_application_lists_none(found: dict[str, Any], name: str) -> None:
    assert found[name] == {"applications": []}


def luhn(number: str) -> bool:
    """Whether a number passes its check digit (ISO/IEC 7812-1)."""
    doubled = [int(one) * (2 if place % 2 else 1) for place, one in enumerate(reversed(number))]
    return sum(one // 10 + one % 10 for one in doubled) % 10 == 0


# --- the command ---------------------------------------------------------------------------------------------------


def test_emvtool_lists_the_application(reader: Reader) -> None:
    del reader
    told = said(needed(EMVTOOL), "-r", "0", "listapps")
    assert re.search(r'0.*"PBOC DEBIT".*\[A0 00 00 03 33 01 01 01\]', told)


def test_emvtool_reads_all_records(reader: Reader) -> None:
    """With --redact: else it stops at a card number of 19 digits, whose last half byte F fills up."""
    del reader
    told = said(needed(EMVTOOL), "-r", "0", "--redact", "info")
    assert "2PAY.SYS.DDF01 not available (this is normal on some cards)" in told
    assert '"TEST/CARDHOLDER"' in told
    assert told.count("[REDACTED]") == 2
    for file in ("1,1", "1,2", "2,1", "3,1"):
        assert f"File: {file}" in told
    assert "invalid literal for int" in said(needed(EMVTOOL), "-r", "0", "info", expect=1)


# --- a card without PDOL, with a number of 16 digits ---------------------------------------------------------------


@pytest.fixture
def credit() -> Iterator[Reader]:
    """The layout that comes for programs which never look at a PDOL and cannot take 19 digits."""
    with card(layout="credit") as found:
        yield found


def test_the_library_reads_a_credit_card(credit: Reader) -> None:
    told = json.loads(said(needed(PYTHON), SOURCES / "emv_client.py", credit.name))[credit.name]
    assert told["options list"] == []
    assert told["without options"] == "9000"
    whole(told, DEFAULT, CREDIT, "PBOC CREDIT", 16)


def test_emvtool_reads_a_credit_card_to_the_end(credit: Reader) -> None:
    """`listapps`, `info` and `appdata`, none of which knows that the card is ours."""
    del credit
    listed = said(needed(EMVTOOL), "-r", "0", "listapps")
    assert re.search(r'0.*"PBOC CREDIT".*\[A0 00 00 03 33 01 01 02\]', listed)
    told = said(needed(EMVTOOL), "-r", "0", "info")
    assert "TEST/CARDHOLDER" in told
    assert re.search(r"9999[0-9 ]{12,}", told), "the number, worded by it"
    data = said(needed(EMVTOOL), "-r", "0", "appdata", "0")
    assert "TEST/CARDHOLDER" in data
    assert re.search(r"9999[0-9 ]{12,}", data)


def test_emvtool_sends_no_values_for_the_options(reader: Reader) -> None:
    """It leaves out what the card's list asks for, and is told so: 6985."""
    del reader
    told = said(needed(EMVTOOL), "-r", "0", "appdata", "0", expect=1)
    assert "conditions of use not satisfied" in told
