"""The bank's applications as terminals read them: by SFI 2 record 1, or by PSE, GPO and AFL."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from emulator import ber, catalogue, personas
from emulator.chip import Chip
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.specs import LayoutError
from emulator.filesystem.layouts.terms import IssuedState
from emulator.interface import Interface
from emulator.personas.bank import bank_card_number
from emulator.personas.issue import issue
from emulator.personas.numbers import luhn_check
from tests.kit.cards import HOME, VERIFY, Card, new_card

LISTS = {0x9F38, 0x9F49, 0x9F4F, 0x8C, 0x8D, 0x97}
"""PDOL, DDOL, log format, CDOL1, CDOL2, TDOL."""
TEMPLATES = {0x61, 0x6F, 0x70, 0x73, 0xA5, 0xBF0C}
OPTIONS = "80A800000B8309000000000000000156"
"""GET PROCESSING OPTIONS as a public program sends it."""
DEBIT_SERVICES = {"120", "220", "520", "620", "123", "223", "523", "623"}
"""Service codes that a debit card may have, by a card maker's check. [1: prog-perso-check]"""
TEMPLATE = "9A 03 9F21 03 9F02 06 9F03 06 9F1A 02 5F2A 02 9F4E 14 9C 01 9F36 02"
"""How a record of PBOC's log is made up, as issuers' scripts and readers have it."""
HOLDERS = [
    name
    for name in catalogue.personas()
    if catalogue.persona(name).card == "user" and name not in ("blank", "bank-closed")
]


@pytest.fixture
def card() -> Card:
    return new_card("3.00", "sm4")


def through(card: Card, command: str) -> str:
    """As a terminal behind a reader that follows 61xx and 6Cxx."""
    told = card.send(command)
    if told[:2] == "6C":
        told = card.send((command[:8] if len(command) <= 10 else command) + told[2:])
    if told[:2] == "61":
        told = card.send(f"00C00000{told[2:]}")
    return told


def fetch(card: Card, command: str) -> bytes:
    told = through(card, command)
    assert told[-4:] == "9000", f"{command}: {told}"
    return bytes.fromhex(told[:-4])


def leaves(data: bytes) -> dict[int, bytes]:
    """All primitive objects, whatever template they are in; strictly BER-TLV, no tag twice."""
    found: dict[int, bytes] = {}
    for tag, value in ber.objects(data):
        inner = leaves(value) if tag in TEMPLATES else {tag: value}
        assert not found.keys() & inner.keys()
        found |= inner
    return found


def read(card: Card) -> dict[int, bytes]:
    """What a terminal knows of the application: its FCI, and the records that its locator names."""
    known = leaves(fetch(card, HOME["BANK"]))
    wanted = sum(length for _, length in ber.wanted(known.get(0x9F38, b"")))
    ((tag, answer),) = ber.objects(fetch(card, f"80A80000{wanted + 2:02X}83{wanted:02X}{'00' * wanted}"))
    assert tag == 0x80
    known[0x82], locator = answer[:2], answer[2:]
    for at in range(0, len(locator), 4):
        sfi, first, last, signed = locator[at : at + 4]
        assert not signed, "nothing is signed, as the card has no keys for it"
        for number in range(first, last + 1):
            known |= leaves(fetch(card, f"00B2{number:02X}{sfi | 4:02X}00"))
    return known


def test_the_directory_leads_to_the_application(card: Card) -> None:
    assert fetch(card, HOME["PSE"]).hex().upper() == "6F1A840E315041592E5359532E4444463031A5088801015F2D027A68"
    record = leaves(fetch(card, "00B2010C00"))
    assert record == {0x4F: bytes.fromhex("A000000333010101"), 0x50: b"PBOC DEBIT", 0x87: b"\x01"}
    known = fetch(card, "00A4040008A000000333010101")
    assert leaves(known)[0x50] == record[0x50]
    own = "500A50424F432044454249548701019F38099F7A019F02065F2A02"
    own += "5F2D027A689F1101019F120A50424F43204445424954BF0C059F4D020B0A"
    assert known.hex().upper() == f"6F458408A000000333010101A539{own}", "as a public parser's example has it"


@pytest.mark.parametrize("version", ["2.00", "3.00", "regional"])
@pytest.mark.parametrize("name", HOLDERS)
def test_all_that_a_terminal_reads_of_every_persona_is_whole(version: str, name: str) -> None:
    """No list lacks a length, no value is filled up: readers crash on the one and show the other."""
    person = replace(catalogue.persona(name), state=IssuedState.IN_USE)  # a blocked card shows nobody anything
    card = Card(Chip(issue(person, catalogue.layout(version), "3des")))
    card.chip.power_on()
    known = read(card)
    for tag in LISTS & known.keys():
        assert ber.wanted(known[tag]), f"{tag:02X}"
    number, expiry = known[0x5A].hex().upper(), known[0x5F24].hex()
    assert len(number) == 20
    assert number[:19].isdecimal()
    assert number[19] == "F"
    service = known[0x5F30].hex()[1:]
    assert service in DEBIT_SERVICES
    # What a card maker's check of personalised cards says of each, in our own words. [1: prog-perso-check]
    assert known[0x9F62] in {bytes((one,)) for one in range(6)}, "kinds of document: 00 to 05"
    assert known[0x9F61].isalnum()
    assert known[0x9F62] != b"\0" or len(known[0x9F61]) == 18, "an identity card's number has 18 characters"
    assert b"/" in known[0x5F20]
    assert 0x9F0B not in known, "a name longer than 26 stands there instead of 5F20, not beside it"
    assert {len(known[tag]) for tag in (0x9F0D, 0x9F0E, 0x9F0F)} == {5}
    assert known[0x5F25] < known[0x5F24]
    assert not known.keys() & {0x9F79, 0x9F51, 0x9F52}, "GET DATA gives these, no record"
    assert known[0x57].hex().upper() == f"{number[:19]}D{expiry[:4]}{service}F", "one F, to whole bytes"
    assert not known[0x5F20].endswith((b"\0", b" "))
    assert 2 <= len(known[0x5F20]) <= 26


def test_the_profile_promises_what_the_card_has(card: Card) -> None:
    known = read(card)
    profile = known[0x82][0]
    assert not profile & 0x60, "neither static nor dynamic authentication without keys"
    assert profile & 0x10, "cardholder verification"
    assert len(known[0x8E]) >= 10
    assert len(known[0x8E]) % 2 == 0, "two amounts, then rules of two bytes"
    first, second = ber.wanted(known[0x8C]), ber.wanted(known[0x8D])
    assert (0x9F37, 4) in first
    assert second[0] == (0x8A, 2)
    assert sum(length for _, length in first) == 29


def test_the_expiry_stands_before_the_number(card: Card) -> None:
    """One family of programs takes the number at a fixed place; another looks for 5A and its length 0A."""
    pan = bank_card_number(card.chip.image.atr[-4:])
    fetch(card, HOME["BANK"])
    record = fetch(card, "00B2011400").hex().upper()
    assert record[4:].startswith("5F24033009305A0A" + pan + "F")
    assert record.index("5A0A") == 16


def test_the_options_take_the_values_that_the_fci_asks_for(card: Card) -> None:
    known = leaves(fetch(card, HOME["BANK"]))
    assert ber.wanted(known[0x9F38]) == [(0x9F7A, 1), (0x9F02, 6), (0x5F2A, 2)]
    assert fetch(card, OPTIONS).hex().upper().startswith("800E1C00")
    assert fetch(card, OPTIONS + "00")[:1] == b"\x80", "with Le"
    assert fetch(card, OPTIONS)[:1] == b"\x80", "a card is asked as often as its terminal likes"


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("028300", "6985"),
        ("0A83080000000000000001", "6985"),
        ("0C830A00000000000000015600", "6985"),
        ("028301", "6A80"),
        ("038400AA", "6A80"),
        ("0B8409000000000000000156", "6A80"),
        ("0B8308000000000000000156", "6A80"),
        ("03830083", "6A80"),
    ],
)
def test_options_for_other_values_than_asked_for_are_refused(card: Card, data: str, sw: str) -> None:
    fetch(card, HOME["BANK"])
    assert card.send(f"80A80000{data}") == sw


def test_a_wrong_length_or_place(card: Card) -> None:
    fetch(card, HOME["BANK"])
    assert card.send("80A80000018300") == "6700"
    assert card.send("80A8000000") == "6700"
    assert card.send("80A80100" + OPTIONS[8:]) == "6A86"
    for home in ("MF", "PSE", "SSSE"):
        card.ok(HOME[home])
        assert card.send(OPTIONS) == "6985", home


def overlay(tmp_path: Path, proprietary: str) -> Path:
    path = tmp_path / "bank.toml"
    path.write_text(f'extends = "3.00"\nname = "bank"\nschema = 1\n[application.BANK]\nproprietary = "{proprietary}"\n')
    return path


def test_without_a_pdol_nothing_is_sent(tmp_path: Path) -> None:
    """A layout's choice; most terminals then send template 83, empty."""
    layout = catalogue.layout(overlay(tmp_path, "50 0A 50 42 4F 43 20 44 45 42 49 54 87 01 01"))
    card = Card(Chip(issue(catalogue.persona(personas.DEFAULT), layout, "sm4")))
    card.chip.power_on()
    assert 0x9F38 not in leaves(fetch(card, HOME["BANK"]))
    assert fetch(card, "80A80000028300")[:1] == b"\x80"
    assert card.send(OPTIONS) == "6985"
    assert 0x5A in read(card)


@pytest.mark.parametrize(
    ("proprietary", "problem"),
    [("9F 38 05 9F 7A 01 9F 02", "9F38 is no data object list"), ("9F 38 05 9F 7A", "expected data objects")],
)
def test_a_broken_pdol_is_refused_with_its_layout(tmp_path: Path, proprietary: str, problem: str) -> None:
    with pytest.raises(LayoutError, match=problem) as refused:
        catalogue.layout(overlay(tmp_path, proprietary))
    assert "BANK" in str(refused.value)


def test_an_element_may_be_shorter_than_the_most_but_not_longer() -> None:
    (record,) = catalogue.layout("3.00").files["BANK/EF01"].items
    assert items.tlv(record, {"5F20": "AB/C"}) == bytes.fromhex("7007 5F2004") + b"AB/C", "and what is not there is not"
    assert items.decode(record, bytes.fromhex("5F2004") + b"AB/C") == {"5F20": "AB/C"}
    with pytest.raises(items.ItemError, match="at most 26"):
        items.tlv(record, {"5F20": "A" * 27})


def test_read_only_and_apart(card: Card) -> None:
    fetch(card, HOME["BANK"])
    assert card.send(VERIFY) == "6A88", "the PIN is the social security environment's"
    assert card.send("00DC011403700101") == "6982"
    assert card.send("805E010007123456FF654321") == "6A88"


def test_none_on_a_card_of_100() -> None:
    card = new_card("1.00")
    assert card.send(HOME["PSE"]) == card.send(HOME["BANK"]) == "6A82"
    assert card.send(OPTIONS) == "6D00"


# --- one side of the card without the other ------------------------------------------------------------------------


def test_a_closed_bank_side_refuses_and_the_social_security_side_works() -> None:
    card = new_card("3.00", "sm4", "bank-closed")
    assert card.send(HOME["BANK"]) == "6283", "it is selected, and says that it is blocked [P]"
    for command in (OPTIONS, "00B2011400", "80CA9F3600", "80CA9F7900"):
        assert card.send(command) == "6985", command
    assert leaves(fetch(card, HOME["PSE"]))[0x88] == b"\x01"
    assert leaves(fetch(card, "00B2010C00"))[0x4F].hex() == "a000000333010101", "the directory lists it all the same"
    fetch(card, HOME["SSSE"])
    assert card.send(VERIFY) == "9000"
    assert fetch(card, "00B2072C00")[:1] == b"\x07"


def test_a_blocked_environment_refuses_and_the_banks_side_works() -> None:
    card = new_card("3.00", "sm4", "social-security-blocked")
    assert card.send(HOME["SSSE"]) == "9303"
    assert card.send(VERIFY) == card.send("00B2072C0B") == "9303"
    known = read(card)
    assert known[0x5A].hex().upper().rstrip("F") == bank_card_number(card.chip.image.atr[-4:])
    assert of(card, "9F36")
    assert card.send("00A40000022F01") == "6A82"


# --- a credit card, and the field ----------------------------------------------------------------------------------


@pytest.fixture
def credit() -> Card:
    return new_card("credit", "sm4")


def test_a_credit_card_has_another_name_a_shorter_number_and_no_options_to_ask_for(credit: Card) -> None:
    assert credit.send(HOME["BANK"]) == "6A82", "the debit application is not there"
    assert leaves(fetch(credit, HOME["PSE"]))[0x88] == b"\x01"
    listed = leaves(fetch(credit, "00B2010C00"))
    assert listed == {0x4F: bytes.fromhex("A000000333010102"), 0x50: b"PBOC CREDIT", 0x87: b"\x01"}
    fetch(credit, "00A4040008A000000333010102")
    assert fetch(credit, "80A80000028300")[:4].hex() == "800e1c00", "as programs send it that never look at a PDOL"
    number = leaves(fetch(credit, "00B2011400"))[0x5A].hex()
    assert re.fullmatch("9999[0-9]{12}", number)
    assert luhn_check(number[:-1]) == number[-1]
    assert leaves(fetch(credit, "00B2010C00"))[0x57].hex().upper() == f"{number}D3009201F"[: 2 * 12]
    assert {credit.send(f"80CA{tag}00") for tag in ("9F79", "9F77", "9F78", "9F6D")} == {"6A88"}
    assert of(credit, "9F36")


def test_in_a_field_the_proximity_environment_lists_the_application_and_by_contacts_there_is_none(card: Card) -> None:
    near = "00A404000E325041592E5359532E4444463031"
    assert card.send(near) == "6A82"
    for layout, kind, label in (("3.00", "01", b"PBOC DEBIT"), ("credit", "02", b"PBOC CREDIT")):
        over = Card(Chip(catalogue.card(personas.DEFAULT, layout, "sm4"), interface=Interface.CONTACTLESS))
        over.chip.power_on()
        told = leaves(fetch(over, near + "00"))
        assert told[0x84] == b"2PAY.SYS.DDF01"
        assert told[0x4F].hex().upper() == f"A0000003330101{kind}"
        assert (told[0x50], told[0x87]) == (label, b"\x01")
        assert leaves(fetch(over, f"00A4040008{told[0x4F].hex()}00"))[0x50] == label


# --- GET DATA and the log ------------------------------------------------------------------------------------------


def of(card: Card, tag: str) -> bytes:
    """The value of a data object."""
    ((found, value),) = ber.objects(fetch(card, f"80CA{tag}00"))
    assert f"{found:04X}" == tag
    return value


def test_the_log_has_ten_records_as_its_format_says(card: Card) -> None:
    """As a phone's reader takes it: the file and its size from the FCI, the places from 9F4F."""
    file, most = leaves(fetch(card, HOME["BANK"]))[0x9F4D]
    fields = ber.wanted(of(card, "9F4F"))
    assert fields == ber.wanted(bytes.fromhex(TEMPLATE))
    assert (file, most) == (11, 10)
    before = "9999"
    for number in range(1, most + 1):
        record = fetch(card, f"00B2{number:02X}{file << 3 | 4:02X}00")
        assert len(record) == sum(length for _, length in fields) == 45
        values, at = {}, 0
        for tag, length in fields:
            values[tag], at = record[at : at + length], at + length
        assert int(values[0x9F02].hex()) > 0
        assert values[0x9C].hex() in ("00", "01"), "a purchase or cash"
        assert values[0x5F2A] == of(card, "9F51") == bytes.fromhex("0156")
        assert values[0x9F4E].rstrip(b"\0").decode("gbk").startswith("样例"), "no merchant that there is"
        assert values[0x9A].hex() + values[0x9F21].hex() <= before, "newest first"
        before = values[0x9A].hex() + values[0x9F21].hex()
    assert card.send(f"00B20B{file << 3 | 4:02X}2D") == "6A83"


def test_the_counters_follow_the_log_and_each_asking_for_options_counts(card: Card) -> None:
    """A phone's reader leaves GET PROCESSING OPTIONS out, as it would wear the counter out. [1: prog-quickpass]"""
    fetch(card, HOME["BANK"])
    newest = fetch(card, "00B2015C00")[-2:]
    assert of(card, "9F36") == of(card, "9F13") == newest
    fetch(card, OPTIONS)
    assert int.from_bytes(of(card, "9F36"), "big") == int.from_bytes(newest, "big") + 1
    assert card.send("80A80000028300") == "6985"
    assert int.from_bytes(of(card, "9F36"), "big") == int.from_bytes(newest, "big") + 1, "a refused one does not count"
    assert of(card, "9F13") == newest, "no host was asked"
    assert of(card, "9F17") == b"\x03"


def test_the_counter_outlives_power_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "worn.toml"
    path.write_text('extends = "adult-chengdu"\nname = "worn"\n[data.BANK]\n9F36 = "FFFE"\n', encoding="utf-8")
    card = Card(Chip(issue(catalogue.persona(path), catalogue.layout("3.00"), "sm4")))
    card.chip.power_on()
    fetch(card, HOME["BANK"])
    fetch(card, OPTIONS)
    card.chip.power_off()
    card.chip.power_on()
    fetch(card, HOME["BANK"])
    assert of(card, "9F36") == b"\xff\xff"
    assert card.send(OPTIONS) == "6985"


def test_the_e_cash_holds_no_more_than_its_limit_and_a_persona_may_have_none(tmp_path: Path, card: Card) -> None:
    fetch(card, HOME["BANK"])
    balance, limit, single = (int(of(card, tag).hex()) for tag in ("9F79", "9F77", "9F78"))
    assert 0 < balance <= limit
    assert single <= limit
    path = tmp_path / "without.toml"
    path.write_text(
        'extends = "adult-chengdu"\nname = "without"\n[data.BANK]\n9F79 = ""\n9F77 = ""\n9F78 = ""\n9F6D = ""\n',
        encoding="utf-8",
    )
    other = Card(Chip(issue(catalogue.persona(path), catalogue.layout("3.00"), "sm4")))
    other.chip.power_on()
    fetch(other, HOME["BANK"])
    assert {other.send(f"80CA{tag}00") for tag in ("9F79", "9F77", "9F78", "9F6D")} == {"6A88"}
    assert of(other, "9F36") == of(card, "9F36")


def test_data_objects_belong_to_the_application(card: Card) -> None:
    fetch(card, HOME["BANK"])
    assert card.send("80CA9F5000") == card.send("80CA005A00") == "6A88", "the number is in a record alone"
    assert card.send("80CA9F3600") == "6C05"
    assert card.send("80CA9F3605")[-4:] == "9000"
    for home in ("MF", "PSE", "SSSE"):
        card.ok(HOME[home])
        assert card.send("80CA9F3600") == "6A88", home
    assert new_card("1.00").send("80CA9F3600") == "6D00"


def test_no_payment_is_made(card: Card) -> None:
    """Whatever cryptogram is asked for, and whatever the values."""
    fetch(card, HOME["BANK"])
    fetch(card, OPTIONS)
    before = of(card, "9F36")
    for kind in ("00", "40", "80"):
        assert card.send(f"80AE{kind}001D{'00' * 29}") == "6985"
    assert card.send("80AE200001AA") == "6A86"
    assert of(card, "9F36") == before


# What public programs do, command by command.


def test_a_printer_takes_the_number_from_the_payment_environment(card: Card) -> None:
    through(card, "00A404000E315041592E5359532E4444463031")
    fetch(card, "00A4040008A000000333010101")
    assert number_after(fetch(card, "00B2011400"), "5A") == bank_card_number(card.chip.image.atr[-4:])


def test_a_printer_walks_the_locator_with_values_of_its_own(card: Card) -> None:
    fetch(card, "00A4040008A00000033301010100")
    options = fetch(card, OPTIONS + "00")
    assert options[0] == 0x80
    assert 0x5A not in leaves(fetch(card, f"00B2{options[5]:02X}{options[4] | 4:02X}00"))
    assert number_after(fetch(card, "00B2011400"), "5A") == bank_card_number(card.chip.image.atr[-4:])


def test_a_librarys_reader_asks_a_file_that_is_not_there_first(card: Card) -> None:
    fetch(card, "00A4040008A000000333010101")
    assert card.send("00B2018421") == "6A82"
    assert number_after(fetch(card, "00B2011400"), "5A0A") == bank_card_number(card.chip.image.atr[-4:])


def number_after(record: bytes, mark: str) -> str:
    """The programs look for the bytes, not for the object."""
    text = record.hex().upper()
    at = text.index(mark) + 2
    return text[at + 2 : at + 2 + 2 * int(text[at : at + 2], 16)].rstrip("F")
