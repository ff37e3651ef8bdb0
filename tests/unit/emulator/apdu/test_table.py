"""What the instruction table keeps of commands that passed their checks; a card answers no differently for it."""

from __future__ import annotations

import pytest

from emulator.apdu import table
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.table import InstructionTable
from emulator.chip import Chip
from tests.kit.cards import DF, SSSE, VERIFY, new_card

READ, CHALLENGE, ASK_TRIES = "00B2012C12", "0084000008", "0020000000"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> InstructionTable:
    """The table of new cards, made anew, so that no other test has taught it anything."""
    monkeypatch.setattr(table, "_TABLES", {})
    return InstructionTable.of(new_card().chip.image.layout)


def test_a_command_without_data_is_understood_once(kept: InstructionTable, monkeypatch: pytest.MonkeyPatch) -> None:
    card = new_card()
    card.ok(SSSE)
    first = card.ok(READ)
    assert set(kept.understood) == {bytes.fromhex(READ)}
    monkeypatch.setattr(ReadRecord, "parse", None)
    assert card.ok(READ) == first


def test_data_are_never_kept_as_they_may_hold_a_pin(kept: InstructionTable) -> None:
    card = new_card()
    card.ok(SSSE, VERIFY, CHALLENGE)
    assert set(kept.understood) == {bytes.fromhex(CHALLENGE)}


def test_a_command_that_fails_its_checks_is_not_kept(kept: InstructionTable) -> None:
    card = new_card()
    card.ok(SSSE)
    assert card.sw("0084000005") == "6700"
    assert card.sw("00B201FC12") == "6A86"
    assert not kept.understood


def test_a_kept_command_is_answered_by_the_state_of_the_card(kept: InstructionTable) -> None:
    card = new_card()
    assert card.sw(ASK_TRIES) == "6A88"
    card.ok(SSSE)
    tries = int(card.sw(ASK_TRIES)[-1], 16)
    card.sw("0020000003999999")
    assert card.sw(ASK_TRIES) == f"63C{tries - 1}"
    assert card.sw(READ) == "9000"
    card.ok(DF["DF01"])
    elsewhere = card.sw(READ)
    assert bytes.fromhex(READ) in kept.understood
    kept.understood.clear()
    assert card.sw(READ) == elsewhere


def test_no_more_than_so_many_are_kept(kept: InstructionTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_KEPT", 3)
    card = new_card()
    card.ok(SSSE)
    answers = [card.send(f"00B2{number:02X}2C12") for number in range(1, 9)]
    assert len(kept.understood) == 3
    assert answers == [card.send(f"00B2{number:02X}2C12") for number in range(1, 9)]


def test_what_an_observer_hears_of_a_kept_command_is_the_same(kept: InstructionTable) -> None:
    heard: list[bytes] = []

    class Listening:
        def exchanged(self, exchange: object) -> None:
            heard.append(exchange.command + exchange.answer)  # type: ignore[attr-defined]

        def powered(self, event: str, atr: bytes) -> None: ...

    chip = Chip(new_card().chip.image, observer=Listening())
    chip.power_on()
    for command in (SSSE, READ, READ):
        chip.transmit(bytes.fromhex(command))
    assert heard[1] == heard[2]
    assert bytes.fromhex(READ) in kept.understood
