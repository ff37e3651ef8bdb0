"""The ready cards: made up, whole, and right by every check digit."""

from __future__ import annotations

import re
from datetime import date

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.filesystem.layouts.terms import Structure
from emulator.personas.bank import bank_card_number
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal

ASKED_FOR = {
    "adult-chengdu",
    "child-guardian",
    "centenarian",
    "long-name",
    "foreign-resident",
    "pin-one-try",
    "pin-locked",
    "expired",
    "rare-name",
    "interpunct-name",
    "latin-name",
}


FOREIGNERS = {"foreign-resident", "latin-name"}
PEOPLE = [name for name in catalogue.personas() if name != "blank"]
READABLE = [name for name in PEOPLE if name not in ("card-blocked", "social-security-blocked")]


def check_mod_11_2(body: str) -> str:
    """ISO 7064 MOD 11-2, as GB 11643 uses it."""
    total = 0
    for digit in body:
        total = (total + int(digit)) * 2 % 11
    return "0123456789X"[(12 - total) % 11]


def check_card_number(body: str) -> str:
    values = [int(one) if one.isdigit() else ord(one) - 55 for one in body]
    rest = 11 - sum(value * weight for value, weight in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def terminal(name: str) -> Terminal:
    chip = Chip(catalogue.card(name, "3.00", "3des"))
    one = Terminal(InProcess(chip))
    one.begin()
    return one


def test_the_list() -> None:
    assert set(catalogue.personas()) >= ASKED_FOR
    assert catalogue.personas()[0] == "adult-chengdu"
    with pytest.raises(LookupError, match="adult-chengdu"):
        catalogue.persona("nobody")


@pytest.mark.parametrize("name", PEOPLE)
def test_numbers_pass_their_checks_and_belong_to_nobody(name: str) -> None:
    values = catalogue.persona(name).values
    holder = values["SSSE/EF06"]
    number, born = holder["08"], holder["0D"]
    assert len(number) == 18
    assert check_mod_11_2(number[:17]) == number[17]
    assert number.startswith("999" if name in FOREIGNERS else "519900"), "assigned to no place"
    assert number[6:14] == born
    assert (int(number[16]) % 2 == 1) == (holder["0A"] == "1")
    card_number = values["SSSE/EF05"]["07"]
    assert check_card_number(card_number[:8]) == card_number[8]
    assert values["DF01/EF06"]["28"].startswith("000")
    bank = bank_card_number(catalogue.persona(name).serial)
    assert bank.startswith("9999"), "industry 9, country 999: nobody's"
    assert sum(int(d) if n % 2 == 0 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(bank))) % 10 == 0


def test_the_card_number_rule() -> None:
    assert check_card_number("D2143569") == "X"


def test_no_two_are_alike() -> None:
    everyone = [catalogue.persona(name) for name in PEOPLE]
    assert len({bank_card_number(one.serial) for one in everyone}) == len(everyone)
    assert len({one.serial for one in everyone}) == len(everyone)
    assert len({one.values["SSSE/EF06"]["08"] for one in everyone}) == len(everyone)
    assert {one.name: one.pin for one in everyone if one.pin != "123456"} == {personas.PIN_CHANGED: "142857"}


@pytest.mark.parametrize("name", sorted(ASKED_FOR - {"child-guardian", "centenarian"}))
def test_every_item_of_the_layout_is_on_the_card(name: str) -> None:
    image = catalogue.card(name, "2.00", "3des")
    for spec in image.layout.files.values():
        records = image.memory.records(spec.path)
        if spec.structure is Structure.RECORDS:
            tags = [record[0] for record in records]
            wanted = [item.tag for item in spec.items for _ in range(item.count)]
            assert set(tags) == set(wanted) if spec.directory else tags == wanted, spec.path


def test_what_each_name_says() -> None:
    today = date(2026, 11, 24).strftime("%Y%m%d")
    assert all(str(terminal(name).read("SSSE/EF05/06")) > today for name in READABLE if name != "expired")
    assert str(terminal("expired").read("SSSE/EF05/06")) < today
    assert terminal("centenarian").read("SSSE/EF06/0D") == "19260115"
    long = terminal("long-name")
    assert len(str(long.read("SSSE/EF06/09")).encode("gbk")) == 30
    assert str(long.read("SSSE/EF06/4E")).endswith("江")
    assert terminal("child-guardian").read("DF01/EF06/2C") == "测试甲"
    assert terminal("pin-one-try").pin_state() == 1
    assert terminal("pin-locked").pin_state() == 0
    assert terminal("foreign-resident").read("DF01/EF0A/37") == "DEU"


def test_the_identification_code() -> None:
    image = catalogue.card("adult-chengdu", "3.00", "3des")
    code = image.memory.records("SSSE/EF05")[0][2:]
    assert code[:12].hex().upper() == "510100" + "D156000005" + image.atr[-4:].hex().upper()
    irk = card_key(suite("3des"), test_root("IRK"), "510100", image.chip_factor, 3)
    assert code[12:] == suite("3des").mac(irk, code[:12])


def test_names_that_programs_destroy() -> None:
    image = catalogue.card("interpunct-name", "3.00", "3des")
    assert image.memory.records("SSSE/EF06")[1][2:].rstrip(b"\0") == bytes.fromhex("C2F2C2F2CCE1A1A4B2E2CAD4")
    image = catalogue.card("rare-name", "3.00", "3des")
    assert image.memory.records("SSSE/EF06")[1][2:].rstrip(b"\0") == bytes.fromhex("B2E2CAD4FE9F")
    image = catalogue.card("latin-name", "3.00", "3des")
    name = b"".join(record[2:] for record in image.memory.records("SSSE/EF06")[1:3])
    assert len(name) == 50
    assert re.fullmatch(rb"[A-Z ]{50}", name)
