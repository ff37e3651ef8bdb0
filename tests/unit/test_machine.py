"""The encryption machine's answers open a card; what it refuses it says, and no key is ever in what it says."""

from __future__ import annotations

import pytest

from emulator.apdu.command import CommandAPDU
from emulator.crypto.keys import test_root as root_of
from harness.connection import InProcess
from harness.terminal.machine import EncryptionMachine, MachineError
from harness.terminal.terminal import Terminal
from tests.support import new_card

ALGORITHMS = pytest.mark.parametrize("algorithm", ["3des", "sm4"])
HISTORY = "0081544C908684510151010001"
IDENTIFICATION = "510100D15600000551010001C4A06E3C"
ZERO = "0" * 16


def started(algorithm: str) -> tuple[Terminal, EncryptionMachine, str]:
    """A terminal that has a machine and no key, and the algorithm's number."""
    image = new_card("3.00", algorithm).chip.image
    terminal = Terminal(InProcess(type(new_card().chip)(image)), image.layout, root_of)
    terminal.begin()
    return terminal, EncryptionMachine(), f"{terminal.suite.code:02d}"


def proved(terminal: Terminal, machine: EncryptionMachine, code: str, address: str) -> None:
    data, factor = terminal.challenge(), terminal.challenge()
    card = machine.card("510100", HISTORY, code)
    name = machine.addresses[address]
    terminal.prove(name, bytes.fromhex(machine.external(address, card, factor.hex(), data.hex())))


@ALGORITHMS
def test_basic_information(algorithm: str) -> None:
    terminal, machine, code = started(algorithm)
    inner, factor = terminal.challenge(), terminal.challenge()
    answer = terminal.internal(factor, inner)
    outer, last = terminal.challenge(), terminal.challenge()
    randoms = "|".join(one.hex().upper() for one in (factor, inner, last, outer))
    line = f"510100|{HISTORY}|{code}|{IDENTIFICATION}|{randoms}|510100000001|"
    mine, proof = machine.basic(line).split("|")[:2]
    assert bytes.fromhex(mine) == answer + inner, "the card is the one it says it is"
    terminal.prove("RKSSSE", bytes.fromhex(proof))
    assert terminal.read("SSSE/EF06/09") == "测试甲"


@ALGORITHMS
def test_an_update_key_by_its_address(algorithm: str) -> None:
    terminal, machine, code = started(algorithm)
    proved(terminal, machine, code, "0094")
    terminal.update("SSSE/EF05/06", "20330101")
    assert terminal.read("SSSE/EF05/06") == "20330101"


@ALGORITHMS
@pytest.mark.parametrize("whole", [True, False])
def test_reloading_and_unblocking_a_pin(algorithm: str, whole: bool) -> None:
    terminal, machine, code = started(algorithm)
    card = machine.card("510100", HISTORY, code)
    for header, pin in (("84240001" + ("14" if algorithm == "sm4" else "0C"), "246802"), ("8424000004", "")):
        proved(terminal, machine, code, "0090")
        told = bytes.fromhex(machine.pin("0173", card, terminal.challenge().hex(), header, pin, whole=whole))
        command = told if whole else bytes(CommandAPDU(0x84, 0x24, 0x00, int(header[6:8], 16), told))
        assert terminal.connection.send(command) == b"\x90\x00"
    terminal.verify_pin("246802")


LINE = f"510100|{HISTORY}|01|{IDENTIFICATION}|" + f"{ZERO}|" * 4
CARD = object()
REFUSED: dict[str, tuple[str, str, tuple[object, ...]]] = {
    "fields": ("input", "basic", ("510100|",)),
    "too long": ("input", "basic", ("1" * 600 + "|",)),
    "terminal": ("input", "basic", (LINE + "x" * 33 + "|",)),
    "another region": ("region", "basic", (LINE.replace("510100|", "510700|", 1) + "t|",)),
    "unknown region": ("region", "card", ("440100", HISTORY, "01")),
    "no region": ("input", "card", ("5101", HISTORY, "01")),
    "history": ("input", "card", ("510100", HISTORY[2:], "01")),
    "SSF33": ("algorithm", "card", ("510100", HISTORY, "02")),
    "address": ("address", "external", ("FFFF", CARD, ZERO, ZERO)),
    "level": ("level", "key", ("0094", 3)),
    "factor": ("input", "external", ("0094", CARD, "zz", ZERO)),
    "header": ("input", "pin", ("0173", CARD, ZERO, "00A4000004")),
    "no pin": ("input", "pin", ("0173", CARD, ZERO, "842400010C")),
    "pin to unblock": ("input", "pin", ("0173", CARD, ZERO, "8424000004", "123456")),
    "letters": ("input", "pin", ("0173", CARD, ZERO, "842400010C", "12345x")),
    "Lc": ("input", "pin", ("0173", CARD, ZERO, "8424000114", "246802")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_refuses(what: str) -> None:
    kind, request, arguments = REFUSED[what]
    machine = EncryptionMachine()
    card = machine.card("510100", HISTORY, "01")
    with pytest.raises(MachineError) as error:
        getattr(machine, request)(*(card if one is CARD else one for one in arguments))
    assert error.value.kind == kind
    said = str(error.value)
    assert not any(secret in said for secret in ("123456", "246802", root_of("STK", 1).hex(), "zz"))


def test_it_lists_addresses_and_no_key() -> None:
    told = EncryptionMachine().addresses
    assert told["0173"] == "STK"
    assert told["0090"] == "PUK"
    assert told["004C"] == "RKSSSE"
