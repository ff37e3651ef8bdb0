"""The encryption machine's answers open a card, in this process and over HTTP; what it refuses it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from emulator.apdu.command import CommandAPDU
from emulator.chip import Chip
from emulator.crypto.keys import test_root as root_of
from harness.hsm.client import MachineClient
from harness.hsm.machine import Card, EncryptionMachine, Machine, MachineError
from harness.keys import roots
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from harness.web import app as web
from harness.web import hsm as service
from tests.kit.cards import new_card

ALGORITHMS = pytest.mark.parametrize("algorithm", ["3des", "sm4"])
HISTORY = "0081544C908684510151010001"
IDENTIFICATION = "510100D15600000551010001C4A06E3C"
ZERO = "0" * 16
OWN, POOLED, TIME, TERMINAL, SEQUENCE = "000002BC", "000005DC", "20261124093000", "510100000001", "00010007"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with web.background(service.create(EncryptionMachine())) as url:
        yield url


@pytest.fixture(params=["in-process", "over HTTP"])
def machine(request: pytest.FixtureRequest, url: str) -> Machine:
    return MachineClient(url) if request.param == "over HTTP" else EncryptionMachine()


def started(algorithm: str) -> tuple[Terminal, str]:
    """A terminal that has no key, and the algorithm's number."""
    image = new_card("3.00", algorithm).chip.image
    terminal = Terminal(InProcess(Chip(image)), image.layout, roots.load(None))
    terminal.begin()
    return terminal, f"{terminal.suite.code:02d}"


def proved(terminal: Terminal, machine: Machine, code: str, address: str, levels: int | None = None) -> None:
    data, factor = terminal.challenge(), terminal.challenge()
    card = machine.card("510100", HISTORY, code)
    proof = machine.external(address, card, factor.hex(), data.hex(), levels=levels)
    terminal.prove(machine.addresses[address], bytes.fromhex(proof))


def read_basic(terminal: Terminal, machine: Machine, code: str) -> None:
    """Flow 1 with the machine."""
    inner, factor = terminal.challenge(), terminal.challenge()
    answer = terminal.internal(factor, inner)
    outer, last = terminal.challenge(), terminal.challenge()
    randoms = "|".join(one.hex().upper() for one in (factor, inner, last, outer))
    line = f"510100|{HISTORY}|{code}|{IDENTIFICATION}|{randoms}|{TERMINAL}|"
    mine, proof = machine.basic(line).split("|")[:2]
    assert bytes.fromhex(mine) == answer + inner, "the card is the one it says it is"
    terminal.prove("RKSSSE", bytes.fromhex(proof))
    assert terminal.read("SSSE/EF06/09") == "测试甲"


@ALGORITHMS
def test_basic_information(machine: Machine, algorithm: str) -> None:
    terminal, code = started(algorithm)
    read_basic(terminal, machine, code)


@ALGORITHMS
def test_an_update_key_by_its_address(machine: Machine, algorithm: str) -> None:
    terminal, code = started(algorithm)
    proved(terminal, machine, code, "0094", levels=2)
    terminal.update("SSSE/EF05/06", "20330101")
    assert terminal.read("SSSE/EF05/06") == "20330101"


@ALGORITHMS
@pytest.mark.parametrize("whole", [True, False])
def test_reloading_and_unblocking_a_pin(machine: Machine, algorithm: str, whole: bool) -> None:
    terminal, code = started(algorithm)
    card = machine.card("510100", HISTORY, code)
    for header, pin in (("84240001" + ("14" if algorithm == "sm4" else "0C"), "246802"), ("8424000004", "")):
        proved(terminal, machine, code, "0090")
        told = bytes.fromhex(machine.pin("0173", card, terminal.challenge().hex(), header, pin, whole=whole))
        command = told if whole else bytes(CommandAPDU(0x84, 0x24, 0x00, int(header[6:8], 16), told))
        assert terminal.connection.send(command) == b"\x90\x00"
    terminal.verify_pin("246802")


@ALGORITHMS
def test_a_settlement(machine: Machine, algorithm: str) -> None:
    terminal, code = started(algorithm)
    terminal.verify_pin("123456")
    terminal.enter("DF04")
    asked = bytes.fromhex(f"01{0:08X}{OWN}{POOLED}{TERMINAL}")
    begun = terminal.send(CommandAPDU(0xB0, 0x28, 0x01, 0x01, asked)).data
    card = machine.card("510100", HISTORY, code)
    drawn = begun[18:22].hex(), begun[14:16].hex()
    mac1 = machine.debit("0190", card, *drawn, OWN, POOLED, TIME, TERMINAL, SEQUENCE)
    done = terminal.send(CommandAPDU(0xB0, 0x2C, 0x01, 0x00, bytes.fromhex(SEQUENCE + TIME + mac1)))
    assert done.ok, f"{done.sw:04X}"
    mac2 = done.data[4:].hex()
    proof = "0190", card, *drawn, OWN, POOLED, TIME, TERMINAL, SEQUENCE
    assert machine.debit_proof(*proof, mac2)
    assert not machine.debit_proof(*proof, f"{int(mac2, 16) ^ 1:08x}")
    assert not machine.debit_proof("0190", card, *drawn, OWN, OWN, TIME, TERMINAL, SEQUENCE, mac2), "other amounts"


LINE = f"510100|{HISTORY}|01|{IDENTIFICATION}|" + f"{ZERO}|" * 4
SETTLED = "01020304", "0004", OWN, POOLED, TIME, TERMINAL, SEQUENCE


def at(place: int, value: str) -> tuple[str, ...]:
    """A settlement with one field that is wrong."""
    return (*SETTLED[:place], value, *SETTLED[place + 1 :])


Request = Callable[[Machine, Card], object]
REFUSED: dict[str, tuple[str, Request]] = {
    "fields": ("input", lambda machine, _: machine.basic("510100|")),
    "too long": ("input", lambda machine, _: machine.basic(LINE + "1" * 600 + "|")),
    "no end": ("input", lambda machine, _: machine.basic(LINE + "t")),
    "terminal": ("input", lambda machine, _: machine.basic(LINE + "x" * 33 + "|")),
    "another region": ("region", lambda machine, _: machine.basic(LINE.replace("510100|", "510700|", 1) + "t|")),
    "random": ("input", lambda machine, _: machine.basic(LINE.replace(ZERO, "zz", 1) + "t|")),
    "unknown region": (
        "region", lambda machine, _: machine.external("0094", machine.card("440100", HISTORY, "01"), ZERO, ZERO),
    ),
    "unknown region in a line": ("region", lambda machine, _: machine.basic(LINE.replace("510100", "440100") + "t|")),
    "no region": ("input", lambda machine, _: machine.card("5101", HISTORY, "01")),
    "history": ("input", lambda machine, _: machine.card("510100", HISTORY[2:], "01")),
    "SSF33": ("algorithm", lambda machine, _: machine.card("510100", HISTORY, "02")),
    "SSF33 in a line": ("algorithm", lambda machine, _: machine.basic(LINE.replace("|01|", "|02|") + "t|")),
    "address": ("address", lambda machine, card: machine.external("FFFF", card, ZERO, ZERO)),
    "no address": ("input or address", lambda machine, card: machine.external("246802", card, ZERO, ZERO)),
    "a MAC key's cryptogram": ("address", lambda machine, card: machine.external("0173", card, ZERO, ZERO)),
    "a PIN under a read key": ("address", lambda machine, card: machine.pin("004C", card, ZERO, "8424000004")),
    "a debit under a read key": ("address", lambda machine, card: machine.debit("004C", card, *SETTLED)),
    "level": ("level", lambda machine, card: machine.external("0094", card, ZERO, ZERO, levels=3)),
    "no level": ("input or level", lambda machine, card: machine.external("0094", card, ZERO, ZERO, levels=4)),
    "factor": ("input", lambda machine, card: machine.external("0094", card, "zz", ZERO)),
    "blanks": ("input", lambda machine, card: machine.external("0094", card, " " * 400 + ZERO, ZERO)),
    "header": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "00A4000004")),
    "no Lc": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "842400000x", whole=True)),
    "no pin": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "842400010C")),
    "short pin": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "842400010C", "123")),
    "pin to unblock": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "8424000004", "123456")),
    "letters": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "842400010C", "12345x")),
    "other digits": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "842400010C", "１２３４５６")),
    "Lc": ("input", lambda machine, card: machine.pin("0173", card, ZERO, "8424000114", "246802")),
    "debit random": ("input", lambda machine, card: machine.debit("0190", card, *at(0, "0102"))),
    "debit sequence": ("input", lambda machine, card: machine.debit("0190", card, *at(1, "00000004"))),
    "self-paid": ("input", lambda machine, card: machine.debit("0190", card, *at(2, "7.00"))),
    "pooled": ("input", lambda machine, card: machine.debit("0190", card, *at(3, ""))),
    "no such day": ("input", lambda machine, card: machine.debit("0190", card, *at(4, "20260230093000"))),
    "a day alone": ("input", lambda machine, card: machine.debit("0190", card, *at(4, "20260228"))),
    "debit terminal": ("input", lambda machine, card: machine.debit("0190", card, *at(5, "51010000000A"))),
    "terminal sequence": ("input", lambda machine, card: machine.debit("0190", card, *at(6, "0007"))),
    "MAC2": ("input", lambda machine, card: machine.debit_proof("0190", card, *SETTLED, "00")),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_refuses(machine: Machine, what: str) -> None:
    kind, request = REFUSED[what]
    with pytest.raises(MachineError) as error:
        request(machine, machine.card("510100", HISTORY, "01"))
    assert error.value.word in kind.split(" or ")
    said = str(error.value)
    assert not any(secret in said for secret in ("123456", "246802", "12345x", root_of("STK", 1).hex(), "zz", "7.00"))


def test_it_lists_addresses(machine: Machine) -> None:
    told = machine.addresses
    assert (told["0173"], told["0090"], told["004C"], told["0190"]) == ("STK", "PUK", "RKSSSE", "DPK")
    assert told == EncryptionMachine().addresses


# --- whose machine it is -------------------------------------------------------------------------------------------


@ALGORITHMS
@pytest.mark.parametrize("region", ["5101", "510100"])
def test_a_city_has_roots_of_two_levels(algorithm: str, region: str) -> None:
    terminal, code = started(algorithm)
    machine = EncryptionMachine(region=region)
    read_basic(terminal, machine, code)
    terminal.enter("DF03")
    with pytest.raises(MachineError, match="has 2 levels") as error:
        proved(terminal, machine, code, "0193", levels=3)
    assert error.value.word == "level"
    proved(terminal, machine, code, "0193", levels=2)
    assert terminal.read("DF03/EF07/71") == "510100"
    with pytest.raises(MachineError) as error:
        machine.card("510700", HISTORY, code)
    assert error.value.word == "region"
    proved(terminal, EncryptionMachine(), code, "0193", levels=3)


@pytest.mark.parametrize("region", ["", "5", "51010", "5101000", "5x", "５１"])
def test_a_region_that_is_none(region: str) -> None:
    with pytest.raises(MachineError, match="two, four or six digits"):
        EncryptionMachine(region=region)


def test_what_it_has_no_root_of() -> None:
    def root(name: str, version: int) -> bytes:
        if name != "UKSSSE":
            raise LookupError(name)
        return root_of(name, version)

    machine = EncryptionMachine(root)
    assert machine.addresses == {"0094": "UKSSSE"}
    requests: tuple[Callable[[], str], ...] = (
        lambda: machine.basic(LINE + "t|"),
        lambda: machine.external("0090", machine.card("510100", HISTORY, "01"), ZERO, ZERO),
    )
    for request in requests:
        with pytest.raises(MachineError) as error:
            request()
        assert error.value.word == "address"
