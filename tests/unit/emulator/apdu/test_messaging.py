"""Secure messaging as terminals meet it: 04 and 84 forms, files that demand it, and the schemes of a layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto.suite import Fold
from emulator.filesystem.memory.cells import tries_cell
from tests.kit.cards import DF, SSSE, VERIFY, Card, new_card

DEMANDING = """
extends = "3.00"
schema = 1
name = "demanding"
[file."SSSE/EF05"]
update_messaging = "mac"
[file."DF01/EF05"]
read_messaging = "mac"
update_messaging = "cipher"
[file."DF03/EF05"]
read_messaging = "cipher"
[file."SSSE/EF08"]
read_messaging = "cipher"
update_messaging = "cipher"
"""
DATE = "060420401231"


def demanding(tmp_path: Path, algorithm: str, more: str = "") -> Card:
    path = tmp_path / "demanding.toml"
    path.write_text(DEMANDING + more, encoding="utf-8")
    chip = Chip(catalogue.card(personas.DEFAULT, path, algorithm))
    chip.power_on()
    return Card(chip)


def answer(card: Card, command: str) -> bytes:
    """What a case-4 command brings, fetched."""
    told = card.send(command)
    assert told[:2] == "61", told
    return bytes.fromhex(card.ok(f"00C00000{told[2:]}"))


@pytest.fixture(params=["3des", "sm4"])
def card(request: pytest.FixtureRequest, tmp_path: Path) -> Card:
    return demanding(tmp_path, request.param)


@pytest.mark.parametrize("cla", ["04", "84"])
def test_an_update_that_must_have_a_mac(card: Card, cla: str) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    assert card.send(f"00DC062C06{DATE}") == "6987", "plain: the MAC is missing"
    assert card.send(f"{cla}DC062C03{DATE[:6]}") == "6987", "too short to hold one"
    assert card.send(card.sealed(f"{cla}DC062C", DATE, "STK")) == "9000"
    assert card.send("00B2062C06") == DATE + "9000", "reading stays free"
    assert card.send(card.sealed(f"{cla}DC062C", "060420500101", "STK", wrong=1)) == "6988"
    assert card.send("00B2062C06") == DATE + "9000"
    assert card.send(f"{cla}DC062C0A{DATE}00000000") == "6982", "the rights of keys went with the wrong MAC"
    card.authenticate("UKSSSE")
    assert card.send(f"{cla}DC062C0A{DATE}00000000") == "6984", "no challenge"
    assert card.send(card.sealed(f"{cla}DC062C", DATE, "STK")) == "9000"


def test_a_process_key_serves_once(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    command = card.sealed("04DC062C", DATE, "STK")
    assert card.send(command) == "9000"
    assert card.send(command) == "6984", "replayed"
    card.ok("0084000008")
    assert card.send(command) == "6988", "replayed under another challenge"


def test_the_mac_covers_the_header(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    command = card.sealed("04DC062C", DATE, "STK")
    assert card.send("84" + command[2:]) == "6988", "another class"
    card.authenticate("UKSSSE")
    command = card.sealed("04DC062C", DATE, "STK")
    assert card.send(command[:4] + "05" + command[6:]) == "6988", "another record"


def test_cipher_where_a_file_demands_it(card: Card) -> None:
    card.ok(DF["DF01"])
    card.authenticate("UK1DF01")
    assert card.send(card.sealed("04DC012C", "20023131", "STKDF01")) == "6A80", (
        "a MAC alone: what it covers is no cipher"
    )
    card.authenticate("UK1DF01")
    assert card.send(card.sealed("04DC012C", "20023131", "STKDF01", cipher=True)) == "9000"
    card.ok(VERIFY)
    process_key = card.process_key("STKDF01")
    head = bytes.fromhex("04B2012C04")
    body = answer(card, (head + card.suite.mac(process_key, head)).hex())
    assert body == bytes.fromhex("20023131") + card.suite.mac(process_key, bytes.fromhex("20023131"))
    assert card.send("00B2012C04") == "6987"


def test_an_answer_enciphered(card: Card) -> None:
    card.ok(DF["DF03"], VERIFY)
    process_key = card.process_key("STKDF03")
    head = bytes.fromhex("84B2012C04")
    body = answer(card, (head + card.suite.mac(process_key, head)).hex())
    assert card.suite.mac(process_key, body[:-4]) == body[-4:]
    assert card.suite.decipher(process_key, body[:-4]).hex() == "6103510100"
    assert card.send("00B2012C05") == "6987"


def test_binary_files(card: Card) -> None:
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    assert card.send("00D6880003AABBCC") == "6987"
    assert card.send(card.sealed("04D68800", "AABBCC", "STK", cipher=True)) == "9000"
    card.authenticate("RKSSSE")
    assert card.send("00B0880003") == "6987"
    process_key = card.process_key("STK")
    head = bytes.fromhex("04B0880004")
    body = answer_all(card, (head + card.suite.mac(process_key, head)).hex())
    assert card.suite.mac(process_key, body[:-4]) == body[-4:]


def answer_all(card: Card, command: str) -> bytes:
    """A long answer, fetched in pieces."""
    told, body = card.send(command), b""
    while told[-4:-2] == "61":
        told = card.send(f"00C00000{told[-2:]}")
        body += bytes.fromhex(told[:-4])
    assert told[-4:] == "9000"
    return body


def test_a_file_that_asks_for_nothing_takes_a_mac_too(card: Card) -> None:
    card.ok(SSSE)
    process_key = card.process_key("STK")
    head = bytes.fromhex("04B2072C04")
    body = answer(card, (head + card.suite.mac(process_key, head)).hex())
    assert body[:2].hex() == "0709"
    assert body[-4:] == card.suite.mac(process_key, body[:-4])
    card.authenticate("UKSSSE")
    assert card.send(card.sealed("84DC0634", "0D0419900307", "STK")) == "6A85"
    card.authenticate("UKSSSE")
    assert card.send(card.sealed("84DC0734", "0D0419900307", "STK")) == "9000"


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_the_messaging_key_never_locks(tmp_path: Path, algorithm: str) -> None:
    """A wrong MAC ends the rights of keys; it locks no key."""
    card = demanding(tmp_path, algorithm)
    card.ok(SSSE)
    for _ in range(16):
        card.authenticate("UKSSSE")
        assert card.send(card.sealed("04DC062C", DATE, "STK", wrong=1)) == "6988"
        card.ok("0084000008")
        assert card.send(f"04DC062C0A{DATE}00000000") == "6982"
    card.authenticate("UKSSSE")
    assert card.send(card.sealed("04DC062C", DATE, "STK")) == "9000"


def test_an_older_image_whose_messaging_key_was_worn_out_serves_again() -> None:
    card = new_card()
    card.chip.image.memory.set_counter(tries_cell("STK"), 0)
    card.ok(SSSE)
    card.authenticate("UKSSSE")
    assert card.send(card.sealed("04DC062C", DATE, "STK")) == "9000"


def test_key_start_value_and_fold_are_layout_data(tmp_path: Path) -> None:
    """PBOC: the card's own key, the challenge as start value; 16 bytes of 3DES, so ISO 9797-1 algorithm 3."""
    more = '[application.SSSE]\nmessaging = "pboc"\n'
    for algorithm in ("3des", "sm4"):
        card = demanding(tmp_path, algorithm, more)
        card.ok(SSSE)
        card.authenticate("UKSSSE")
        challenge = bytes.fromhex(card.ok("0084000008"))
        message = bytes.fromhex("04DC062C0A" + DATE)
        right = card.suite.mac(card.key("STK"), message, start=challenge, fold=Fold.LEFT)
        assert card.send((message + right).hex()) == "9000"
        card.authenticate("UKSSSE")
        assert card.send(card.sealed("04DC062C", DATE, "STK")) == "6988", "the other scheme's MAC"
        card.ok("00A4040006D15600000500")
        card.authenticate("UK1DF01")
        assert card.send(card.sealed("04DC012C", "20023131", "STKDF01", cipher=True)) == "6988", "inherited by DF01"


def test_the_pin_comes_under_the_same_layer() -> None:
    card = new_card("2.00")
    card.ok(SSSE)
    card.authenticate("PUK")
    assert card.send("842400000400000000") == "6984"
    assert card.send("8424000100") == "6700"
    assert card.send(card.reload("654321")) == "9000"
    assert card.send("0020000003654321") == "9000"
