"""OpenSC's tools: those for any card work; those for one kind say that this is none of it, and do it no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deep.foreign.clients import ATR, CARD_MANAGER, FCI, said
from tests.deep.foreign.conftest import Reader
from tests.kit.cards import SSSE

NOT_OURS = "Card is invalid or cannot be handled"
OF_ANOTHER_CARD = {
    "eidenv": ("eidenv",),
    "pkcs15-tool": ("pkcs15-tool", "--dump"),
    "piv-tool": ("piv-tool", "--name"),
    "openpgp-tool": ("openpgp-tool", "--card-info"),
    "iasecc-tool": ("iasecc-tool", "--list-applications"),
    "netkey-tool": ("netkey-tool",),
    "sc-hsm-tool": ("sc-hsm-tool",),
    "egk-tool": ("egk-tool", "--pd"),
    "westcos-tool": ("westcos-tool", "--read-file", "0001"),
}
"""Tools for one kind of card each, asked for what changes nothing."""


@pytest.fixture(autouse=True)
def _the_card_is_well(reader: Reader) -> None:
    """Before each test, and so after the others: it is selected, and no try of its PIN was spent."""
    told = said("opensc-tool", "-r", reader.name, "-c", "default", "-s", SSSE, "-s", "0020000000")
    assert "Received (SW1=0x63, SW2=0xC3)" in told


def test_the_atr(reader: Reader) -> None:
    assert said("opensc-tool", "-r", reader.name, "--atr").strip().replace(":", "").upper() == ATR


def test_readers_are_listed(reader: Reader) -> None:
    (line,) = [one for one in said("opensc-tool", "--list-readers").splitlines() if one.endswith(reader.name)]
    assert line.split()[1] == "Yes", "a card is in it"


def test_no_card_of_opensc_s(reader: Reader) -> None:
    """It has some thirty kinds, of which this is none; a serial number is what a kind knows to ask for."""
    assert "Unsupported card" in said("opensc-tool", "-r", reader.name, "--name")
    assert "GET_SERIALNR, *) failed" in said("opensc-tool", "-r", reader.name, "--serial")


def test_files_are_listed_from_the_master_file(reader: Reader) -> None:
    """The card lists none, as no command of it would; the master file is there."""
    told = said("opensc-tool", "-r", reader.name, "-c", "default", "--list-files")
    assert [line.split()[0] for line in told.splitlines() if " type: " in line] == ["3f00"]


def test_commands_are_sent(reader: Reader) -> None:
    commands = (SSSE, "00B2072C0B", f"00A4040008{CARD_MANAGER}")
    sent = [word for one in commands for word in ("-s", one)]
    told = " ".join(said("opensc-tool", "-r", reader.name, "-c", "default", *sent).split())
    assert "07 09 41 30 30 30 30 30 30 31 31 ..A00000011" in told
    assert told.endswith("Received (SW1=0x6A, SW2=0x82)")


def test_the_explorer_takes_the_fci_apart(reader: Reader, tmp_path: Path) -> None:
    name = SSSE[10:]
    (tmp_path / "script").write_text(f"cd aid:{name}\ninfo\ncd aid:{CARD_MANAGER}\napdu 00B2072C0B\nquit\n")
    told = said("opensc-explorer", "-r", reader.name, "-c", "default", tmp_path / "script", expect=None)
    words = " ".join(told.split())
    assert r"DF name: sx1.sh.\xC9\xE7\xBB\xE1\xB1\xA3\xD5\xCF" in words
    proprietary = bytes.fromhex(FCI[reader.algorithm].partition("A509")[2]).hex(" ").upper()
    assert f"Proprietary attributes: {proprietary}" in words


@pytest.mark.parametrize("name", OF_ANOTHER_CARD)
def test_a_tool_for_another_card(reader: Reader, name: str) -> None:
    del reader
    assert NOT_OURS in said(*OF_ANOTHER_CARD[name], expect=None)


def test_cardos_tool(reader: Reader) -> None:
    """It asks by GET DATA, which this card has not: 6D00."""
    del reader
    assert "Unsupported INS byte in APDU" in said("cardos-tool", "--info", expect=None)


def test_pkcs11(reader: Reader) -> None:
    told = said("pkcs11-tool", "--list-slots").splitlines()
    at = next(number for number, line in enumerate(told) if line.endswith(reader.name))
    assert told[at + 1].strip() == "(token not recognized)"
    assert "CKR_TOKEN_NOT_" in said("pkcs11-tool", "--list-mechanisms", expect=None)
