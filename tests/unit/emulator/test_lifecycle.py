"""Blocked applications, blocked cards, and cards whose social security function was not activated."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue, personas
from emulator.apdu.instructions import INSTRUCTIONS
from emulator.chip import Chip
from tests.kit.cards import DF, HOME, SSSE, VERIFY, Card, new_card


def every_command(card: Card) -> dict[str, str]:
    """A well-formed command of each instruction that this card offers."""
    layout = card.chip.image.layout
    result = {}
    for kind in INSTRUCTIONS:
        if kind.offered(layout):
            cla, ins = kind.code(layout)
            p1p2 = next(iter(kind.p1p2), 0x0004)
            size = min(one for one in kind.lengths if one or kind.lengths == {0})
            p3 = f"{size:02X}{'11' * size}" if size else "08"
            result[kind.name] = f"{cla:02X}{ins:02X}{p1p2:04X}{p3}"
    return result


def block(card: Card, application: str, p2: str = "01", ins: str = "1E", wrong: int = 0) -> str:
    card.ok(HOME[application])
    layout = card.chip.image.layout
    if f"LK{application}" in layout.keys:
        assert card.authenticate(f"LK{application}") == "9000"
    key = f"STK{application}" if f"STK{application}" in layout.keys else "STK"
    return card.send(card.sealed(f"84{ins}00{p2}", "", key, wrong=wrong))


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
@pytest.mark.parametrize("application", sorted(DF))
def test_application_block_is_for_ever(application: str, algorithm: str) -> None:
    card = new_card("3.00", algorithm)
    assert block(card, application) == "9000"
    for name, command in every_command(card).items():
        expected = {"SELECT": None, "APPLICATION BLOCK": "9000"}.get(name, "9303")
        if expected:
            assert card.sw(command) == expected, name
    card.chip.power_off()
    card.chip.power_on()
    card.ok(SSSE, VERIFY)
    assert card.send(HOME[application]) == "9303"
    for name, command in every_command(card).items():
        expected = {"SELECT": None, "APPLICATION BLOCK": "9000"}.get(name, "9303")
        if expected:
            assert card.sw(command) == expected, f"{name}: the blocked application is current, SSSE no more"
    assert card.send("00A4020002EF05") == "9303", "its files are no other application"
    assert card.send("00A4000002EF06") == "9303"
    card.ok("00A4000002DDF1", VERIFY)
    assert card.send("00B2072C0B")[-4:] == "9000"
    for other in sorted(set(DF) - {application}):
        card.ok(HOME[other])


def test_application_block_of_a_blocked_application_is_done_already() -> None:
    card = new_card()
    assert block(card, "DF03") == "9000"
    memory = card.chip.image.memory
    writes = memory.nvm.writes
    assert card.send("841E000104" + "00" * 4) == "9000", "no challenge is to be had there, so no MAC could be right"
    card.chip.reset()
    assert card.send(DF["DF03"]) == "9303"
    assert card.send("841E000104" + "12345678") == "9000"
    assert card.send("841E000103" + "123456") == "6700"
    assert memory.nvm.writes == writes
    assert card.send(DF["DF03"]) == "9303"


def test_selecting_a_blocked_application_loses_the_last_ones_rights() -> None:
    card = new_card(persona="application-blocked")
    card.ok(SSSE, VERIFY)
    assert card.authenticate("UKSSSE") == "9000"
    card.ok("0084000008")
    assert card.send(DF["DF04"]) == "9303"
    card.ok(SSSE)
    assert card.send("00DC062C06" + "060420401231") == "6982", "UKSSSE's right went with SSSE"
    assert card.send("00820004" + "10" + "00" * 16) == "6984", "and the challenge"
    assert card.send("00B2074400")[-4:] != "6982"


def test_an_application_blocked_for_a_time_may_be_blocked_for_ever(temporary: Card) -> None:
    assert block(temporary, "DF01", p2="00") == "9000"
    assert temporary.send(DF["DF01"]) == "6283"
    assert temporary.send(temporary.sealed("841E0001", "", "STKDF01")) == "9000"
    assert temporary.send(DF["DF01"]) == "9303"


def test_blocking_the_environment_blocks_what_lies_in_it() -> None:
    card = new_card()
    assert block(card, "SSSE") == "9000"
    for application in ("SSSE", *DF):
        assert card.send(HOME[application]) == "9303"
    assert card.send("00B2012C00") == "9303"
    card.ok(HOME["BANK"], HOME["MF"])


def test_application_block_asks_for_its_key_and_its_mac() -> None:
    card = new_card()
    card.ok(DF["DF03"])
    assert card.send(card.sealed("841E0001", "", "STKDF03")) == "6982", "LKDF03 first"
    assert block(card, "DF03", wrong=1) == "6988"
    assert card.tries("STKDF03") == 3, "a wrong MAC there locks no key"
    assert card.send(card.sealed("841E0001", "", "STKDF03")) == "6982", "the right was lost"
    assert block(card, "DF03", p2="00") == "6A86", "no temporary form in this layout"
    assert card.send("84180000" + "04" + "00" * 4) == "6D00"
    card.ok(HOME["MF"], "0084000008")
    assert card.send("841E000104" + "00" * 4) == "6A88", "no key reaches the MF"
    card.ok(SSSE)
    assert card.send("841E000104" + "00" * 4) == "6984"
    assert card.send("841E000100") == "6700"
    card.ok(*DF.values())


@pytest.fixture
def temporary(tmp_path: Path) -> Card:
    path = tmp_path / "pboc.toml"
    path.write_text('extends = "2.00"\nschema = 1\nname = "pboc"\n[blocking]\ntemporary = true\n', encoding="utf-8")
    chip = Chip(catalogue.card(personas.DEFAULT, path, "3des"))
    chip.power_on()
    return Card(chip)


def test_the_temporary_form(temporary: Card) -> None:
    card = temporary
    assert block(card, "DF01", p2="00") == "9000"
    card.chip.reset()
    card.ok(SSSE)
    assert card.send(DF["DF01"]) == "6283", "selected, but blocked"
    assert card.send("00B2012C00") == "6985"
    assert card.send("8418000004" + "00" * 4) == "6984"
    assert card.send(card.sealed("84180000", "", "STKDF01", wrong=1)) == "6988"
    card.chip.power_off()
    card.chip.power_on()
    assert card.send(DF["DF01"]) == "6283", "it survives power"
    assert card.send(card.sealed("84180000", "", "STKDF01")) == "9000"
    assert card.send("00B2012C00") == "6982", "as it was before"
    card.ok("0084000008")
    assert card.send("8418000004" + "00" * 4) == "6985", "it is not blocked"


def test_every_command_in_an_application_blocked_for_a_time(temporary: Card) -> None:
    card = temporary
    assert block(card, "DF01", p2="00") == "9000"
    card.chip.reset()
    assert card.send(DF["DF01"]) == "6283"
    works = {"GET CHALLENGE": "9000", "EXTERNAL AUTHENTICATION": "63C2", "APPLICATION UNBLOCK": "6984",
             "APPLICATION BLOCK": "6984", "SELECT": None, "GET RESPONSE": "6F00"}  # fmt: skip
    for name, command in every_command(card).items():
        expected = works.get(name, "6985")
        if expected:
            assert card.sw(command) == expected, name


def test_a_temporary_block_with_a_lock_key(temporary: Card) -> None:
    card = temporary
    assert block(card, "DF03", p2="00") == "9000"
    card.chip.reset()
    assert card.send(DF["DF03"]) == "6283"
    assert card.send(card.sealed("84180000", "", "STKDF03")) == "6982"
    assert card.authenticate("LKDF03") == "9000"
    assert card.send(card.sealed("84180000", "", "STKDF03")) == "9000"
    card.ok(DF["DF04"])
    assert block(card, "DF04") == "9000", "the permanent form is there too"
    assert card.send("8418000004" + "00" * 4) == "9303"


@pytest.mark.parametrize(("layout", "algorithm"), [("1.00", "3des"), ("2.00", "3des"), ("3.00", "sm4")])
def test_card_block(layout: str, algorithm: str) -> None:
    card = new_card(layout, algorithm)
    card.ok(SSSE)
    assert card.send(card.sealed("84160000", "", "STK")) == "6982", "BK first"
    assert card.authenticate("BK") == "9000"
    assert card.send(card.sealed("84160000", "", "STK", wrong=1)) == "6988"
    assert card.tries("STK") == 3
    assert card.authenticate("BK") == "9000"
    assert card.send(card.sealed("84160000", "", "STK")) == "9000"
    for _ in range(2):
        for name, command in every_command(card).items():
            assert card.send(command) == "6A81", name
        for command in ("", "00", "FFFF0000", "00A404", SSSE, HOME["BANK"]):
            assert card.send(command) == "6A81", command
        card.chip.power_off()
        assert card.chip.power_on() == card.chip.atr, "it still answers to reset"


def test_personas_in_these_states() -> None:
    card = new_card(persona="card-blocked")
    assert card.send(SSSE) == "6A81"
    card = new_card(persona="application-blocked")
    assert card.send(DF["DF04"]) == "9303"
    card.ok(DF["DF03"], VERIFY)


BEFORE = {
    "VERIFY": "6985", "CHANGE PIN": "6985", "PIN CHANGE/UNBLOCK": "6985",
    "INITIALIZE FOR LOAD": "6985", "INITIALIZE FOR PURCHASE": "6985", "GET BALANCE": "6985",
    "GET TRANSACTION PROOF": "6985", "UPDATE STARTING DAY": "6985", "GET STARTING DAY": "6985",
    "CREDIT FOR LOAD": "6985", "DEBIT FOR PURCHASE": "6985",
}  # fmt: skip


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_before_activation(algorithm: str) -> None:
    card = new_card("3.00", algorithm, "not-activated")
    card.ok(SSSE)
    for name, expected in BEFORE.items():
        assert card.send(every_command(card)[name]) == expected, name
    for application, command in DF.items():
        card.ok(command)
        for name, other in every_command(card).items():
            if name not in ("SELECT", "GET RESPONSE"):
                assert card.sw(other) == "6985", f"{name} in {application}"
    card.ok(SSSE, "00B2072C0B", "0084000008")
    assert card.authenticate("RKSSSE") == "9000"
    assert card.send("00B2083014")[-4:] == "9000"
    card.ok("0088000010" + "22" * 16)
    assert card.authenticate("UKSSSE") == "9000"
    assert card.send("00DC062C06" + "060420401231") == "9000"
    card.ok(HOME["BANK"], "00B2011432")


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_activation(algorithm: str) -> None:
    card = new_card("3.00", algorithm, "not-activated")
    card.ok(SSSE)
    assert card.send("8044000000") == "6982"
    assert card.authenticate("UKSSSE") == "9000"
    assert card.send("8044000001") == "6700"
    assert card.send("8044000100") == "6A86"
    assert card.send("8044000000") == "9000"
    assert card.send("8044000000") == "6985", "only once"
    card.chip.power_off()
    card.chip.power_on()
    card.ok(SSSE, VERIFY, DF["DF01"])
    assert card.send("00B2012C04")[-4:] == "9000"


@pytest.mark.parametrize(
    ("text", "command", "sw"),
    [
        ('[activation]\ncla = "90"\nins = "12"\n', "9012000000", "9000"),
        ('[activation]\ncla = "90"\nins = "12"\n', "8044000000", "6D00"),
        ("[activation]\nenabled = false\n", "8044000000", "6D00"),
        ('[activation]\nneeds = "free"\n', "8044000000", "9000"),
    ],
)
def test_a_layout_renames_activation_or_turns_it_off(tmp_path: Path, text: str, command: str, sw: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "2.00"\nschema = 1\nname = "own"\n{text}', encoding="utf-8")
    chip = Chip(catalogue.card("not-activated", path, "3des"))
    chip.power_on()
    card = Card(chip)
    card.ok(SSSE)
    if "needs" not in text:
        card.authenticate("UKSSSE")
    assert card.send(command) == sw
    if "enabled" in text:
        card.ok(VERIFY)
