"""The reference terminal's flows, judged: with a PSAM, through the driver library, under every shape of answers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from emulator.apdu.instructions.bank import GetData, GetProcessingOptions
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.select import Select
from emulator.filesystem.memory.cells import PIN_CELL
from harness.clock import Clock
from harness.driver.library import SSCardDriver
from harness.driver.pad import Pad
from harness.driver.readers import Given
from harness.keys.access import TerminalError
from harness.keys.psam import Psam
from harness.monitor.rules import RULES
from harness.readers.connection import InProcess
from harness.readers.pcsc import PcscError
from harness.serving import demo
from harness.terminal import region
from harness.terminal.session import TerminalSession
from harness.verdicts.verdict import Verdict
from tests.kit.cards import new_card
from tests.kit.judged import Judged, certified, demanding, in_field, keeping

OWN_PIN = "246802"
KINDS = pytest.mark.parametrize(
    "kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des"), ("1.00", "3des")], ids="-".join
)
SHAPES = pytest.mark.parametrize(
    "faults", [(), ("sw61,part=4",), ("sw6c,by=0,instruction=GET_CHALLENGE,every=2",)], ids=["plain", "sw61", "sw6c"]
)


@dataclass
class Lent:
    """A card in this process that is powered anew for each call, as a driver's reader does."""

    card: InProcess

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def reset(self) -> bytes:
        return self.card.reset()

    def send(self, command: bytes) -> bytes:
        return self.card.send(command)

    def close(self) -> None:
        self.card.close()


class Desk(Judged):
    """A counter with a card, its own PIN set, and a PSAM."""

    def __init__(self, kind: tuple[str, str] = ("3.00", "3des"), *faults: str, lost: str = "") -> None:
        super().__init__(kind[0], "adult-chengdu", *faults, algorithm=kind[1], lost=lost)
        self.image.memory.put(PIN_CELL, OWN_PIN)
        self.image.memory.commit()
        self.own = self.slot(1, new_card("psam", "3des", "psam").chip.image)
        self.pad = Pad()
        self.driver = SSCardDriver(Given(lambda _: Lent(self.connection), lambda: Lent(self.own)), self.pad)

    def keyed(self, *entries: str) -> None:
        """The cardholder takes the time to type."""
        self.later(6)
        self.pad.script(entries)

    def basic(self) -> str:
        """iReadCardBas; what means this card from then on."""
        code, out = self.driver.iReadCardBas(1)
        assert code == 0, out
        told = out.split("|")
        return f"{told[3]}|{told[2]}|"


def by_the_driver(desk: Desk) -> None:
    """Every function of the library once."""
    driver, meant = desk.driver, desk.basic()
    assert driver.iReadCard(1, 2, meant, "SSSEEF05|06|07|$SSSEEF06|09|$")[0] == 0
    assert driver.iWriteCard(1, meant, "SSSEEF05|06|$SSSEEF06|0A|$", "SSSEEF05|20330101|$SSSEEF06|2|$")[0] == 0
    assert driver.iReadCard(1, 2, meant, "SSSEEF05|06|$SSSEEF06|0A|$")[1] == "SSSEEF05|20330101|$SSSEEF06|2|$"
    desk.keyed(OWN_PIN)
    assert driver.iVerifyPIN(1)[0] == 0
    desk.keyed("111111")
    assert driver.iVerifyPIN(1)[0] == -51
    desk.keyed(OWN_PIN, "864200", "864200")
    assert driver.iChangePIN(1)[0] == 0
    desk.keyed("864201", "864201")
    assert driver.iReloadPIN(1, meant)[0] == 0
    assert driver.iUnblockPIN(1, meant)[0] == 0
    desk.keyed("864201")
    assert driver.iReadCard(1, 1, meant, "DF01EF05|20|$")[0] == 0


def the_region_by_the_driver(desk: Desk) -> None:
    """Each call opens the card anew: what was read in one and written in the next is one card's all the same."""
    driver, meant = desk.driver, desk.basic()
    where = "DF03EF05|61|$DF03EF07|71|$DF03EF15|7A|$DF03EF16|51|$DF04EF05|84|$"
    desk.keyed(OWN_PIN)
    code, before = driver.iReadCard(1, 1, meant, where)
    assert (code, before.count("510100")) == (0, 5)
    assert driver.iWriteCard(1, meant, where, before.replace("510100", "510700"))[0] == 0
    desk.keyed(OWN_PIN)
    assert driver.iReadCard(1, 1, meant, where)[1].count("510700") == 5


def by_the_terminal(desk: Desk) -> None:
    """The same keys by the reference terminal itself, with the PSAM: the region moves."""
    terminal, own = desk.terminal, Psam(TerminalSession(desk.own))
    terminal.keys = own
    terminal.begin()
    terminal.valid_until()
    own.begin(bytes.fromhex(str(terminal.read("SSSE/EF05/01"))))
    region.move(terminal, "510700", "510100")
    terminal.reload_pin("135790")
    terminal.unblock_pin()
    desk.later(6)
    assert terminal.pin_state()
    terminal.verify_pin("135790")
    desk.connection.close()


def in_the_demo(desk: Desk) -> None:
    said: list[str] = []
    assert demo.run(desk.connection, said.append, pin=OWN_PIN, clock=Clock())
    desk.connection.close()


def silent(desk: Judged) -> set[str]:
    """Nothing was broken and nothing hidden; the rules that came up."""
    assert desk.end() == [], desk.found
    results = desk.monitor.results()
    assert {one.verdict for one in results} <= {Verdict.PASSED, Verdict.NOT_APPLICABLE}, results
    return {one.subject.id for one in results if one.verdict is Verdict.PASSED}


@KINDS
@SHAPES
def test_the_driver_library_breaks_no_rule(kind: tuple[str, str], faults: tuple[str, ...]) -> None:
    desk = Desk(kind, *faults)
    by_the_driver(desk)
    assert {"PSAM-FACTOR", "PSAM-CRYPTOGRAM", "WRITE-READ-BACK", "PIN-SET-INITIAL"} <= silent(desk)
    assert bool(faults) is bool(desk.chip.injections)


@pytest.mark.parametrize("kind", [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des")], ids="-".join)
@SHAPES
def test_a_terminal_with_a_psam_breaks_no_rule(kind: tuple[str, str], faults: tuple[str, ...]) -> None:
    desk = Desk(kind, *faults)
    by_the_terminal(desk)
    assert {"REGION-UNCHECKED", "REGION-READ-BACK", "REGION-PART", "RIGHTS-COMMAND"} <= silent(desk)


SPOILT = {
    "status,sw=6982,item=SSSE/EF06/09,once=yes": "RIGHTS-INSISTED",
    "removal,item=SSSE/EF06/09,once=yes": "ANSWER-NONE",
    "challenge,nth=2": "RIGHTS-IGNORED",
    "status,sw=6581,instruction=UPDATE_RECORD,once=yes": "WRITE-FAILED",
    "truncated,by=2,item=SSSE/EF06/09,once=yes": "ANSWER-BROKEN",
}
"""Faults, and the rule that each puts to the test."""


@pytest.mark.parametrize(("fault", "rule"), SPOILT.items())
def test_a_terminal_that_begins_anew_after_a_fault_breaks_no_rule(fault: str, rule: str) -> None:
    assert rule in silent(after_a_fault(fault))


def after_a_fault(fault: str) -> Desk:
    """What a card at fault spoils is done once more from the reset on."""
    desk = Desk(("3.00", "3des"), fault)
    for _ in range(2):
        desk.terminal.begin()
        desk.terminal.valid_until()
        try:
            desk.terminal.read("SSSE/EF06/09")
            desk.terminal.update("SSSE/EF06/0A", "2")
            desk.terminal.read("SSSE/EF06/0A")
        except (TerminalError, PcscError, ValueError):
            assert desk.chip.injections
    assert len(desk.chip.injections) == 1
    desk.connection.close()
    return desk


def under_messaging() -> Desk:
    """A layout of one's own that demands a MAC, or MAC and cipher."""
    desk = Desk((demanding(), "3des"))
    desk.terminal.begin()
    desk.terminal.valid_until()
    desk.terminal.update("SSSE/EF06/0A", "2")
    assert desk.terminal.read("SSSE/EF06/0A") == "2"
    desk.connection.close()
    return desk


def in_a_field() -> Judged:
    """A card whose layout keeps the PIN and some files to the contacts, read of what is left."""
    desk = in_field(keeping())
    desk.terminal.begin()
    desk.terminal.valid_until()
    assert desk.terminal.read("SSSE/EF06/0A") == "1"
    desk.connection.close()
    return desk


def reading_the_bank() -> Desk:
    """The bank's side as its readers take it: options with what is asked for, the records, objects, the log."""
    desk = Desk()
    known = desk.terminal.exchange(Select.command(bytes.fromhex("A000000333010101")), "selecting")
    assert bytes.fromhex("9F3809") in known
    desk.terminal.exchange(GetProcessingOptions.command(bytes(9)), "options")
    for sfi, number in ((1, 1), (1, 2), (2, 1), (3, 1), (11, 1)):
        desk.terminal.exchange(ReadRecord.command(sfi, number=number), "a record")
    assert desk.terminal.exchange(GetData.command(0x9F36), "the counter")[:3] == bytes.fromhex("9F3602")
    desk.connection.close()
    return desk


def test_a_region_moved_in_several_calls_breaks_no_rule() -> None:
    desk = Desk()
    the_region_by_the_driver(desk)
    assert {"REGION-UNCHECKED", "REGION-READ-BACK", "REGION-PART"} <= silent(desk)


def test_every_rule_comes_up_in_a_good_session_and_is_silent() -> None:
    came: set[str] = set()
    for deed in (by_the_driver, by_the_terminal, in_the_demo):
        desk = Desk(lost="Z99999999")
        deed(desk)
        came |= silent(desk)
    for fault in SPOILT:
        came |= silent(after_a_fault(fault))
    came |= silent(under_messaging())
    came |= silent(in_a_field())
    came |= silent(reading_the_bank())
    came |= silent(certified())
    assert {rule.id for rule in RULES} - came == set()
