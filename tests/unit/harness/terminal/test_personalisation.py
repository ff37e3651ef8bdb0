"""From a blank card to one that a counter can use, by commands alone."""

from __future__ import annotations

import pytest

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.filesystem.memory.cells import CARD_STATE, PURSE_CELL, data_cell, key_cell
from emulator.filesystem.memory.nvm import PowerCut
from emulator.personas.issue import issue
from harness.keys.access import TerminalError
from harness.readers.connection import InProcess
from harness.terminal.personalise import Personaliser, for_chip
from harness.terminal.terminal import Refused, Terminal
from tests.kit.cards import DF, HOME, SSSE, VERIFY, Card, new_card


@pytest.fixture(params=[("1.00", "3des"), ("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4"), ("regional", "sm4")])
def blank(request: pytest.FixtureRequest) -> Card:
    layout, algorithm = request.param
    return new_card(layout, algorithm, "blank")


def fill(card: Card, persona: str = personas.DEFAULT) -> None:
    image = card.chip.image
    goal = for_chip(catalogue.persona(persona), image.layout, image.algorithm, image.atr)
    for _ in Personaliser(InProcess(card.chip), goal).steps():
        pass


def test_commands_give_the_very_card_that_issuing_gives(blank: Card) -> None:
    image = blank.chip.image
    goal = for_chip(catalogue.persona(personas.DEFAULT), image.layout, image.algorithm, image.atr).memory.snapshot()
    fill(blank)
    # What only use brings no command of personalisation writes: the medical account's money comes by the host's load,
    # the bank's transaction counters by transactions, the electronic cash's balance by its own load.
    bank = image.layout.applications.get("BANK")
    by_use = {data_cell("BANK", tag) for tag in (0x9F13, 0x9F36, 0x9F79)} if bank else set()
    filled = image.memory.snapshot()
    assert {name for name in filled.keys() | goal.keys() if goal.get(name) != filled.get(name)} == {PURSE_CELL} | by_use
    for name in by_use:
        value = filled[name]
        assert isinstance(value, bytes)
        assert not any(value), f"{name}: zero on a fresh card"
    terminal = Terminal(InProcess(blank.chip), image.layout)
    terminal.begin()
    with pytest.raises(Refused):
        terminal.verify_pin("123456")
    terminal.activate()
    terminal.verify_pin("123456")
    assert terminal.read("DF01/EF06/28") == "00000000001"


def test_a_blank_card_does_nothing_else(blank: Card) -> None:
    blank.ok(SSSE)
    assert blank.send(VERIFY) == "6985"
    assert blank.send("00B2012C00") == "6A83", "no item yet"
    assert blank.send("00DC012C06" + "010420200101") == "6982"
    assert blank.authenticate("UKSSSE") == "6A88", "no key but the transport key"
    assert blank.send("8044000000") == "6985"
    blank.ok("0084000008")
    assert blank.send("84D401041C" + "00" * 28) == "6982", "the transport key first"
    assert blank.authenticate("KTK") == "9000"
    assert blank.send("84D400041C" + "00" * 28) == "6A86"
    assert blank.send("84D4010410" + "00" * 16) == "6700"


def test_loading_keys(blank: Card) -> None:
    blank.ok(SSSE)
    assert blank.authenticate("KTK") == "9000"
    value = "00112233445566778899AABBCCDDEEFF"
    assert blank.send(blank.sealed("84D40204", value, "KTK", cipher=True)) == "9000"
    assert blank.chip.image.memory.get(key_cell("UKSSSE", 2)) == bytes.fromhex(value)
    assert blank.send(blank.sealed("84D40144", value, "KTK", cipher=True)) == "6A88", "no such key in this layout"
    assert blank.send(blank.sealed("84D40104", value + "00", "KTK", cipher=True)) == "6A80", "17 bytes"
    assert blank.send(blank.sealed("84D40104", value, "KTK", cipher=True, wrong=1)) == "6988"
    assert blank.tries("KTK") == 3, "a wrong MAC locks no key"
    blank.ok(DF["DF01"])
    assert blank.send(blank.sealed("84D40183", value, "KTK", cipher=True)) == "6982", "the right ended with SSSE"


def test_completing_ends_it_for_ever() -> None:
    card = new_card("2.00", persona="blank")
    fill(card)
    for application in ("MF", "SSSE"):
        card.ok(HOME[application])
        assert card.authenticate("KTK") == "9000"
        value = "00" * 16
        assert card.send(card.sealed("84D40104", value, "KTK", cipher=True)) == "6985"
        assert card.send(card.sealed("84460000", "", "KTK")) == "6985"
    assert card.send("00DC052806" + "050420200101") == "6982", "the transport key opens nothing any more"
    in_use = new_card("2.00")
    in_use.ok(SSSE)
    assert in_use.authenticate("KTK") == "9000"
    assert in_use.send("00DC052806" + "050420200101") == "6982"


def test_another_region_is_refused() -> None:
    card = new_card("3.00", persona="blank")
    image = card.chip.image
    with pytest.raises(TerminalError, match="region 5101"):
        for_chip(catalogue.persona("adult-mianyang"), image.layout, image.algorithm, image.atr)


def test_torn_anywhere_it_can_be_done_again() -> None:
    """Power cut at random moments of personalisation: a second run always gives the same card."""
    layout = catalogue.layout("1.00")
    whole = new_card("1.00", persona="blank")
    fill(whole)
    expected = whole.chip.image.memory.snapshot()
    writes = whole.chip.image.memory.nvm.writes
    for after in range(7, writes, 211):
        card = Card(Chip(issue(catalogue.persona("blank"), layout, "3des")))
        card.chip.power_on()
        card.chip.image.memory.nvm.cut_after = after
        with pytest.raises(PowerCut):
            fill(card)
        card.chip.power_on()
        if card.chip.image.memory.counter(CARD_STATE):
            fill(card)
        assert card.chip.image.memory.snapshot() == expected, after
