"""Debits of the medical account and their log, by the PSAM and by the encryption machine."""

from __future__ import annotations

import pytest

from emulator.filesystem.memory.cells import PIN_CELL, PURSE_CELL
from emulator.filesystem.memory.purse import Purse
from harness.driver.backend import BackEnd
from harness.hsm.machine import EncryptionMachine
from harness.keys.psam import Psam
from harness.readers.connection import InProcess
from harness.terminal import account
from harness.terminal.account import Payment
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import Terminal
from tests.kit.counter import ANY, KINDS, OWN, PAY, SHAPES, Counter

ALL = pytest.mark.parametrize("kind", KINDS, ids="-".join)
BY = pytest.mark.parametrize("by", ["PSAM", "machine"])


def pay(counter: Counter, by: str, pay_info: str = PAY) -> tuple[int, str]:
    counter.enters(OWN)
    return counter.driver.iDoDebit(1, ANY, pay_info) if by == "PSAM" else counter.back.debit(1, ANY, pay_info)


def purse(counter: Counter) -> Purse:
    return Purse.read(counter.image.memory.parts(PURSE_CELL))


@ALL
@BY
@pytest.mark.parametrize("shape", SHAPES)
def test_a_debit_is_proven_and_logged(kind: tuple[str, str], by: str, shape: str) -> None:
    counter = Counter(*kind, shape=shape).with_own_pin()
    before = purse(counter)
    code, told = pay(counter, by)
    assert code == 0, told
    sequence, terminal, own_sequence, time, self_paid, pooled, tac, mac2, end = told.split("|")
    assert (sequence, terminal, own_sequence) == (f"{before.purchase_sequence:04X}", "510100000001", "00000001")
    assert (time, self_paid, pooled, len(tac), len(mac2), end) == ("20261125093000", "700", "1500", 8, 8, "")
    after = purse(counter)
    assert after.purchase_proof.hex().upper() == sequence + mac2 + tac
    assert (after.balance, after.own, after.pooled) == (before.balance, before.own + 700, before.pooled + 1500)
    code, told = counter.enters(OWN).driver.iReadDebitRecord(1)
    records = told.split("$")
    assert (code, records[0], records[-1]) == (0, f"{sequence}|2|510100000001|20261125093000|0|700|1500|", "")
    assert [record.split("|")[0] for record in records[1:-1]] == ["0003", "0002", "0001"][: len(records) - 2]
    assert pay(counter, by)[1].split("|")[2] == "00000002", "the terminal's sequence goes on"


def test_a_citys_psam_settles_in_its_city() -> None:
    assert pay(Counter(psam="psam-city").with_own_pin(), "PSAM")[0] == 0


def test_step_1_gives_what_the_machine_asks_for() -> None:
    counter = Counter().with_own_pin()
    code, told = counter.driver.iDoDebit_HSM_Step1(1, ANY, PAY)
    assert code == 0
    *_, address, random, sequence, own, pooled, time, terminal, device, end = told.split("|")
    assert (address, len(random), sequence, own, pooled) == ("0190", 8, "0004", "000002BC", "000005DC")
    assert (time, terminal, device, end) == ("20261125093000", "510100000001", "SSCARD000001", "")


@pytest.mark.parametrize("key", ["", "00000001|20261125093000|", "1|20261125093000|00000000|", "00000001|x|00000000|"])
def test_step_2_refuses_what_is_no_answer(key: str) -> None:
    counter = Counter().with_own_pin()
    before = purse(counter)
    assert counter.driver.iDoDebit_HSM_Step1(1, ANY, PAY)[0] == 0
    assert counter.driver.iDoDebit_HSM_Step2(key)[0] == -23
    assert purse(counter) == before


def test_a_wrong_mac1_is_refused_by_the_card() -> None:
    counter = Counter().with_own_pin()
    before = purse(counter)
    assert counter.driver.iDoDebit_HSM_Step1(1, ANY, PAY)[0] == 0
    assert counter.driver.iDoDebit_HSM_Step2("00000001|20261125093000|00000000|")[0] == -37634
    assert purse(counter) == before


def test_a_card_that_proves_nothing_is_told() -> None:
    class Doubting(EncryptionMachine):
        def debit_proof(self, *arguments: object, **more: object) -> bool:
            del arguments, more
            return False

    counter = Counter().with_own_pin()
    assert BackEnd(counter.driver, Doubting()).debit(1, ANY, PAY)[0] == -37634


@BY
def test_a_lost_answer_is_asked_for_again(by: str) -> None:
    """The card recorded the debit and was gone before it could say so: its proof stands for the answer."""
    counter = Counter(faults=("removal,moment=within,instruction=DEBIT_FOR_PURCHASE",)).with_own_pin()
    code, told = pay(counter, by)
    assert code == 0, told
    assert purse(counter).purchase_proof.hex().upper() == "{0}{7}{6}".format(*told.split("|"))


def test_a_card_that_never_comes_back() -> None:
    counter = Counter(faults=("removal,moment=within,back=no,instruction=DEBIT_FOR_PURCHASE",)).with_own_pin()
    assert pay(counter, "PSAM")[0] == -4


def test_no_debit_after_the_last_day() -> None:
    counter = Counter().with_own_pin()
    assert pay(counter, "PSAM", "1|1|20300914235959|")[0] == 0
    assert pay(counter, "PSAM", "1|1|20300915000000|")[0] == -27013


def test_a_card_without_pin_pays() -> None:
    counter = Counter().put(PIN_CELL, "")
    assert counter.driver.iDoDebit(1, ANY, PAY)[0] == 0


def test_the_reference_terminal_settles_and_reads_the_log() -> None:
    counter = Counter()
    assert counter.own is not None
    terminal, own = Terminal(counter.open()), Psam(TerminalSession(InProcess(counter.own)))
    terminal.begin()
    terminal.verify_pin("123456")
    own.begin(terminal.identification)
    settled = account.settle(terminal, Payment(5, 7, "20261125093000"), own)
    newest = next(account.log(terminal))
    assert (newest.sequence, newest.kind, newest.terminal) == (settled.begun.sequence.hex(), "2", own.terminal_number)
    assert (newest.account, newest.self_paid, newest.pooled) == (0, 5, 7)
