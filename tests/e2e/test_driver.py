"""SSCardDriver over real PC/SC readers, the card in one slot and the terminal's own card in the next."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.chip import Chip
from emulator.reader.slot import CardGone, Slot
from harness.driver.backend import BackEnd
from harness.driver.library import SSCardDriver
from harness.driver.pad import Pad
from harness.driver.readers import PcscReaders
from harness.hsm.machine import EncryptionMachine
from harness.readers import pcsc
from harness.readers.connection import Pcsc
from tests.kit.cards import new_card
from tests.kit.counter import ANY, INITIAL, OWN, PAY
from tests.kit.served import DEADLINE, Served, serving, sscard, started

pytestmark = pytest.mark.pcsc
ADDRESS, DATA = "SSSEEF05|06|$DF01EF05|20|$", "SSSEEF05|20330101|$DF01EF05|9|$"


@pytest.fixture(
    scope="module",
    params=[("3.00", "3des", "t0"), ("3.00", "sm4", "apdu"), ("2.00", "3des", "apdu"), ("1.00", "3des", "t0")],
    ids="-".join,
)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    layout, algorithm, shape = request.param
    trace = tmp_path_factory.mktemp("driver") / "trace.jsonl"
    with serving(
        "--layout", layout, "--algorithm", algorithm, "--shape", shape, "--psam",
        "--trace", str(trace), "--personal-data", cards=2,
    ) as one:  # fmt: skip
        yield one, trace


def test_every_function_with_the_psam_and_in_steps(served: tuple[Served, Path]) -> None:
    (card, psam), trace = served[0].readers, served[1]
    pad = Pad()
    driver = SSCardDriver(PcscReaders([card], psam), pad)
    code, basic = driver.iReadCardBas(3)
    assert code == 0
    assert basic.split("|")[2:5:2] == ["A00000011", "测试甲"]
    assert driver.iWriteCard(1, ANY, ADDRESS, DATA) == (0, "")
    pad.script([INITIAL])  # 1.00 opens DF01 by the PIN alone
    assert driver.iReadCard(4, 2, ANY, ADDRESS) == (0, DATA)
    pad.script([INITIAL, OWN, OWN])
    assert driver.iChangePIN(1) == (0, "")
    assert driver.iUnblockPIN(1, ANY) == (0, "")
    pad.script(["135791", "135791", "135791"])
    assert driver.iReloadPIN(1, ANY) == (0, "")
    assert driver.iVerifyPIN(1) == (0, "")
    pad.script(["135791", "135791"])
    assert driver.iReadCard(1, 1, ANY, "DF01EF05|20|$") == (0, "DF01EF05|9|$")
    code, debit = driver.iDoDebit(1, ANY, PAY)
    assert code == 0
    assert debit.split("|")[1:3] == ["510100000001", "00000001"]

    alone = SSCardDriver(PcscReaders([card]), pad)
    back = BackEnd(alone, EncryptionMachine(), sequence=0x10)
    assert back.basic(1)[1].split("|")[:9] == basic.replace("20300914", "20330101").split("|")[:9]
    assert back.write(1, ANY, ADDRESS, DATA.replace("|9|", "|8|")) == (0, "")
    pad.script(["135791"])
    code, read = back.read(1, ANY, "DF01EF05|20|$DF03EF05|61|$")
    assert (code, read[:13]) == (0, "DF01EF05|8|$D")
    pad.script([OWN, OWN, OWN])
    assert back.unblock_pin(1, ANY) == (0, "")
    assert back.reload_pin(1, ANY) == (0, "")
    code, told = back.debit(1, ANY, PAY)
    assert code == 0
    assert told.split("|")[1:3] == ["510100000001", "00000010"]
    pad.script([OWN])
    code, log = alone.iReadDebitRecord(1)
    sequences = [told.split("|")[0], debit.split("|")[0]]
    assert (code, [record.split("|")[0] for record in log.split("$")[:2]]) == (0, sequences)
    sscard("monitor", str(trace), "--psam", "1", "--date", "2026-11-25")


def test_the_shell_with_a_machine_elsewhere(served: tuple[Served, Path]) -> None:
    card, _ = served[0].readers
    with started("machine", "serve", "--port", "0") as machine:
        by = ("--reader", card, "--machine", machine.line().split(" ")[1])
        assert json.loads(sscard("terminal", "basic", "--json", *by))["fields"]["name"] == "测试甲"
        sscard("terminal", "reload-pin", *by, environment={"SSCARD_NEW_PIN": OWN})
        sscard("terminal", "debit", "1", "2", *by, environment={"SSCARD_PIN": OWN})
        assert machine.end() == 0
    sscard("terminal", "unblock-pin", *by, expect=1)


def test_the_shell_and_wrong_readers(served: tuple[Served, Path]) -> None:
    card, psam = served[0].readers
    told = json.loads(sscard("terminal", "basic", "--reader", card, "--psam-reader", psam, "--json"))
    assert told["fields"]["name"] == "测试甲"
    sscard("terminal", "basic", "--reader", card, "--type", "2", expect=1)
    sscard("terminal", "basic", "--reader", "No Such", expect=3)
    assert SSCardDriver(PcscReaders([card], psam)).iReadCardBas(2)[0] == -11, "it calls itself contact"
    contactless = SSCardDriver(PcscReaders([card], psam, contactless=[card]))
    assert contactless.iReadCardBas(2)[0] == contactless.iReadCardBas(3)[0] == 0
    assert contactless.iReadCardBas(1)[0] == -11
    assert SSCardDriver(PcscReaders(psam=card)).iReadCardBas(1)[0] == -1, "the PSAM is no user's card"
    with Pcsc(card):
        assert SSCardDriver(PcscReaders([card], psam)).iReadCardBas(1)[0] == -11, "another program has it"


def test_cards_that_are_not_there(served: tuple[Served, Path]) -> None:
    card, psam = served[0].readers
    driver, needs_psam = SSCardDriver(PcscReaders([card], psam)), (1, ANY, "SSSEEF05|06|$", "SSSEEF05|20330101|$")
    assert SSCardDriver(PcscReaders([card], "No Such")).iWriteCard(*needs_psam)[0] == -2201
    for slot, code in (("1", -2201), ("0", -2)):
        sscard("card", "remove", slot)
        try:
            assert driver.iWriteCard(*needs_psam)[0] == code
        finally:
            sscard("card", "insert", slot)
        assert pcsc.wait_card(served[0].readers[int(slot)])
    assert driver.iWriteCard(*needs_psam)[0] == 0


class Worn(Chip):
    """A card that loses its contacts whenever it is given power."""

    def power_on(self) -> bytes:
        raise CardGone("no contact")


def test_a_card_that_cannot_be_powered(served: tuple[Served, Path]) -> None:
    card, psam = served[0].readers
    driver, codes = SSCardDriver(PcscReaders([card], psam)), set[int]()
    sscard("card", "remove", "0")
    slot = Slot(Worn(new_card().chip.image), pcsc.DEFAULT_PORT)
    try:
        slot.insert()
        deadline = time.monotonic() + DEADLINE
        while -3 not in codes and time.monotonic() < deadline:  # now there, now not
            codes.add(driver.iReadCardBas(1)[0])
    finally:
        slot.close()
        assert pcsc.wait_card(card, present=False)
        sscard("card", "insert", "0")
    assert -3 in codes
    assert pcsc.wait_card(card)
    assert driver.iReadCardBas(1)[0] == 0
