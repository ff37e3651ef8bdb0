"""The medical account: load, settlement, balance, proof, starting day; what is written is held against the rules of the
standard's family, computed here apart from the chip.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import pytest

from emulator.filesystem.memory.cells import PURSE_CELL
from emulator.filesystem.memory.nvm import PowerCut
from emulator.filesystem.memory.purse import Purse
from tests.kit.cards import DF, SSSE, VERIFY, Card, new_card

TERMINAL = "510100000001"
TIME = "20261124093000"
LOAD, PURCHASE = "01", "02"


def fen(amount: int) -> str:
    return f"{amount:08X}"


@dataclass
class Account:
    """The host's and the terminal's side of an account."""

    card: Card
    sequence: int = 7

    def fetch(self, command: str) -> bytes:
        told = self.card.send(command)
        assert told[:2] == "61", told
        return bytes.fromhex(self.card.ok(f"00C00000{told[2:]}"))

    def tac(self, message: bytes) -> bytes:
        key = self.card.key("DTK")
        if self.card.suite.name == "3des":
            key = bytes(a ^ b for a, b in zip(key[:8], key[8:], strict=True))
        return self.card.suite.mac(key, message)

    def begin_load(self, amount: int, index: str = "01") -> bytes:
        return self.fetch(f"B02800010B{index}{fen(amount)}{TERMINAL}")

    def credit(self, told: bytes, amount: int, version: int = 1, wrong: int = 0) -> str:
        suite = self.card.suite
        key = suite.process_key(self.card.key("DLK", version), told[8:12] + told[4:6] + b"\x80\0")
        assert told[12:] == suite.mac(key, told[:4] + bytes.fromhex(fen(amount) + LOAD + TERMINAL)), "MAC1"
        mac = suite.mac(key, bytes.fromhex(fen(amount) + LOAD + TERMINAL + TIME))
        return f"B02A00000B{TIME}{mac[:3].hex()}{mac[3] ^ wrong:02X}"

    def load(self, amount: int) -> bytes:
        return self.fetch(self.credit(self.begin_load(amount), amount))

    def begin_purchase(self, account: int, own: int = 0, pooled: int = 0, index: str = "01") -> bytes:
        return self.fetch(f"B028010113{index}{fen(account)}{fen(own)}{fen(pooled)}{TERMINAL}")

    def debit(
        self,
        told: bytes,
        account: int,
        own: int = 0,
        pooled: int = 0,
        *,
        time: str = TIME,
        version: int = 1,
        wrong: int = 0,
    ) -> tuple[str, bytes, bytes]:
        """The command, and the TAC and MAC2 that are to come."""
        suite, sequence = self.card.suite, self.sequence.to_bytes(4, "big")
        key = suite.process_key(self.card.key("DPK", version), told[18:22] + told[14:16] + sequence[2:])
        amounts = bytes.fromhex(fen(account) + fen(own) + fen(pooled))
        tail = bytes.fromhex(PURCHASE + TERMINAL)
        mac = suite.mac(key, amounts + tail + bytes.fromhex(time))
        command = f"B02C01000F{sequence.hex()}{time}{mac[:3].hex()}{mac[3] ^ wrong:02X}"
        return command, self.tac(amounts + tail + sequence + bytes.fromhex(time)), suite.mac(key, amounts)

    def pay(self, account: int, own: int = 0, pooled: int = 0, time: str = TIME) -> None:
        told = self.begin_purchase(account, own, pooled)
        command, tac, mac = self.debit(told, account, own, pooled, time=time)
        assert self.fetch(command) == tac + mac

    @property
    def state(self) -> Purse:
        return Purse.read(self.card.chip.image.memory.parts(PURSE_CELL))

    @property
    def log(self) -> tuple[bytes, ...]:
        return self.card.chip.image.memory.records("DF04/EF08")


@pytest.fixture(params=[("2.00", "3des"), ("3.00", "3des"), ("3.00", "sm4")], ids=lambda one: "-".join(one))
def account(request: pytest.FixtureRequest) -> Account:
    card = new_card(*request.param)
    card.ok(DF["DF04"], VERIFY)
    return Account(card)


def test_a_load(account: Account) -> None:
    told = account.begin_load(5000)
    assert told[:4].hex() == fen(10000).lower()
    assert told[4:8].hex() == f"000201{account.card.suite.code:02x}"
    tac = account.fetch(account.credit(told, 5000))
    rest = bytes.fromhex(fen(5000) + LOAD + TERMINAL + TIME)
    assert tac == account.tac(bytes.fromhex(fen(15000)) + b"\0\2" + rest)
    assert account.card.send("B026000104") == fen(15000) + "9000"
    assert account.state.load_sequence == 3
    assert account.log[0].hex().upper() == f"000231{TERMINAL}{TIME}{fen(5000)}{fen(0)}{fen(0)}"


def test_a_settlement(account: Account) -> None:
    told = account.begin_purchase(1000, 250, 4000)
    assert (
        told.hex().upper()
        == f"{fen(10000)}{fen(2300)}{fen(6500)}2026000401{account.card.suite.code:02X}" + told[-4:].hex().upper()
    )
    command, tac, mac = account.debit(told, 1000, 250, 4000)
    assert account.fetch(command) == tac + mac
    assert account.card.send("B026000104") == fen(9000) + "9000"
    assert account.card.send("B026000206") == fen(2550) + "20269000"
    assert account.card.send("B026000306") == fen(10500) + "20269000"
    assert account.log[0].hex().upper() == f"000432{TERMINAL}{TIME}{fen(1000)}{fen(250)}{fen(4000)}"


def test_an_account_amount_of_nothing_records_a_settlement(account: Account) -> None:
    account.pay(0, 700, 900)
    assert (account.state.balance, account.state.own, account.state.pooled) == (10000, 3000, 7400)


def test_all_key_versions(account: Account) -> None:
    for version in (1, 2, 3):
        told = account.begin_purchase(1, index=f"0{version}")
        assert told[16] == version
        command, tac, mac = account.debit(told, 1, version=version)
        assert account.fetch(command) == tac + mac
        told = account.begin_load(1, index=f"0{version}")
        account.fetch(account.credit(told, 1, version))
    for index in ("00", "04"):
        assert account.card.send(f"B028010113{index}{'00' * 12}{TERMINAL}") == "9403"
        assert account.card.send(f"B02800010B{index}{fen(1)}{TERMINAL}") == "9403"


def test_order_is_enforced(account: Account) -> None:
    card = account.card
    load, purchase = f"B02A00000B{TIME}00000000", f"B02C01000F00000001{TIME}00000000"
    assert card.send(load) == "6901"
    assert card.send(purchase) == "6901"
    told = account.begin_load(1)
    assert card.send(purchase) == "6901", "a load was begun, not a purchase"
    assert card.send(account.credit(told, 1)) == "6901", "and that ended it"
    told = account.begin_purchase(1)
    command, tac, mac = account.debit(told, 1)
    assert account.fetch(command) == tac + mac
    assert card.send(command) == "6901", "twice"
    told = account.begin_purchase(1)
    card.chip.reset()
    card.ok(DF["DF04"], VERIFY)
    assert card.send(account.debit(told, 1)[0]) == "6901", "a reset forgets it"


def begin(account: Account, state: str) -> bytes:
    return account.begin_load(1) if state == "load" else account.begin_purchase(1) if state == "purchase" else b""


def state_of(account: Account, told: dict[str, bytes]) -> str:
    """By what would be carried out: CREDIT, DEBIT, or neither."""
    card = account.card
    session = copy(card.chip.session)
    for state, command in (
        ("load", account.credit(told["load"], 1) if "load" in told else ""),
        ("purchase", account.debit(told["purchase"], 1)[0] if "purchase" in told else ""),
    ):
        card.chip.session = copy(session)
        if command and card.send(command) != "6901":
            return state
    return "idle"


# Table 49 of part 5: the state before, the command, the state after.
TABLE = [
    ("idle", "GET BALANCE", "idle"), ("load", "GET BALANCE", "load"), ("purchase", "GET BALANCE", "purchase"),
    ("load", "GET TRANSACTION PROOF", "load"), ("purchase", "GET TRANSACTION PROOF", "purchase"),
    ("idle", "INITIALIZE FOR LOAD", "load"), ("load", "INITIALIZE FOR LOAD", "load"),
    ("purchase", "INITIALIZE FOR LOAD", "load"),
    ("idle", "INITIALIZE FOR PURCHASE", "purchase"), ("load", "INITIALIZE FOR PURCHASE", "purchase"),
    ("purchase", "INITIALIZE FOR PURCHASE", "purchase"),
    ("load", "CREDIT FOR LOAD", "idle"), ("purchase", "CREDIT FOR LOAD", "idle"), ("idle", "CREDIT FOR LOAD", "idle"),
    ("purchase", "DEBIT FOR PURCHASE", "idle"), ("load", "DEBIT FOR PURCHASE", "idle"),
    ("idle", "DEBIT FOR PURCHASE", "idle"),
    # Not in the table: every other command ends it. [D]
    ("load", "GET STARTING DAY", "idle"), ("purchase", "SELECT", "idle"), ("load", "GET CHALLENGE", "idle"),
    ("purchase", "VERIFY", "idle"), ("load", "READ RECORD", "idle"),
    # A command that fails ends it; one with a wrong Le is not carried out, and repeated.
    ("purchase", "a balance that there is not", "idle"), ("load", "a proof that there is not", "idle"),
    ("purchase", "an unknown instruction", "idle"), ("purchase", "an unknown class", "idle"),
    ("load", "a broken command", "idle"), ("purchase", "GET BALANCE, Le 00", "purchase"),
]  # fmt: skip
NOT_ALLOWED = {
    ("purchase", "CREDIT FOR LOAD"), ("idle", "CREDIT FOR LOAD"),
    ("load", "DEBIT FOR PURCHASE"), ("idle", "DEBIT FOR PURCHASE"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "command", "after"), TABLE)
def test_the_states_of_a_transaction(account: Account, before: str, command: str, after: str) -> None:
    card = account.card
    account.pay(1)  # so that there is a proof
    sequence = f"{account.state.purchase_sequence - 1:04X}"
    credit, debit = f"B02A00000B{TIME}00000000", f"B02C01000F00000001{TIME}00000000"
    told = {before: begin(account, before)} if before != "idle" else {}
    if command.startswith("INITIALIZE"):
        state = command.split()[-1].lower()
        told[state] = begin(account, state)
    else:
        answer = card.sw({
            "GET BALANCE": "B026000104", "GET BALANCE, Le 00": "B026000100",
            "GET TRANSACTION PROOF": f"B02E000202{sequence}", "CREDIT FOR LOAD": credit, "DEBIT FOR PURCHASE": debit,
            "GET STARTING DAY": "B056010002", "SELECT": DF["DF04"], "GET CHALLENGE": "0084000008", "VERIFY": VERIFY,
            "READ RECORD": "00B201441C", "a balance that there is not": "B026000404",
            "a proof that there is not": "B02E000202FFFF", "an unknown instruction": "00FF000000",
            "an unknown class": "E0FF000000", "a broken command": "00B200",
        }[command])  # fmt: skip
        if command == "GET TRANSACTION PROOF":
            card.ok("00C0000008")
        if (before, command) in NOT_ALLOWED:
            assert answer == "6901"
    assert state_of(account, told) == after


def test_reading_the_balance_between_leaves_the_settlement(account: Account) -> None:
    told = account.begin_purchase(100, 20, 30)
    for which, size in (("01", "04"), ("02", "06"), ("03", "06")):
        account.card.ok(f"B02600{which}{size}")
    command, tac, mac = account.debit(told, 100, 20, 30)
    assert account.fetch(command) == tac + mac


def test_wrong_macs(account: Account) -> None:
    before, log = account.state, account.log
    told = account.begin_load(100)
    assert account.card.send(account.credit(told, 100, wrong=1)) == "9302"
    assert account.card.send(account.credit(told, 100)) == "6901", "INITIALIZE serves once"
    told = account.begin_purchase(100)
    assert account.card.send(account.debit(told, 100, wrong=1)[0]) == "9302"
    told = account.begin_purchase(100)
    assert account.card.send(account.debit(told, 100, 1)[0]) == "9302", "another amount than was begun"
    assert (account.state, account.log) == (before, log)


def test_limits(account: Account) -> None:
    card = account.card
    assert card.send(f"B02801011301{fen(10001)}{fen(0)}{fen(0)}{TERMINAL}") == "9401"
    account.pay(10000)
    assert account.state.balance == 0
    account.load(0xFFFFFFFF)
    assert card.send(f"B02800010B01{fen(1)}{TERMINAL}") == "6985", "it would overflow"
    told = account.begin_purchase(0, 0xFFFFFFFF)
    assert card.send(account.debit(told, 0, 0xFFFFFFFF)[0]) == "6985", "the yearly sum would"
    assert account.state.own == 2300


@pytest.mark.parametrize("command", [f"B02800010B01{fen(1)}{TERMINAL}", f"B02801011301{'00' * 12}{TERMINAL}"])
def test_sequences_end(account: Account, command: str) -> None:
    memory = account.card.chip.image.memory
    memory.put(PURSE_CELL, replace(account.state, load_sequence=0xFFFF, purchase_sequence=0xFFFF).cell())
    memory.commit()
    assert account.card.send(command) == "9402"


def test_rights_and_place() -> None:
    card = new_card()
    card.ok(DF["DF04"])
    for command in (f"B02800010B01{fen(1)}{TERMINAL}", f"B02801011301{'00' * 12}{TERMINAL}", "B026000104"):
        assert card.send(command) == "6982", "the PIN comes first"
    assert card.send("B056010002") == "00009000", "the starting day is free"
    assert card.send("B0560000020701") == "6982"
    card.ok(SSSE, VERIFY)
    assert card.send("B026000104") == "6985", "the account is in DF04"


def test_the_item_that_turns_it_on() -> None:
    card = new_card()
    card.ok(DF["DF04"], VERIFY)
    assert card.authenticate("UK1DF04") == "9000"
    card.ok("00DC8F28038F0131")
    for command in ("B026000104", f"B02800010B01{fen(1)}{TERMINAL}", "B056010002"):
        assert card.send(command) == "6985", "用卡方式 is 1: not offline"
    card.ok("00DC8F28038F0132", "B026000104")


def test_the_starting_day(account: Account) -> None:
    card = account.card
    assert card.authenticate("DSK") == "9000"
    for wrong in ("0000", "1301", "0100", "0132", "0A01"):
        assert card.send(f"B056000002{wrong}") == "6985"
    assert card.send("B0560000020701") == "9000"
    assert card.send("B056010002") == "07019000"
    assert card.send("B056010003") == "6C02"
    account.pay(0, 10, 20, time="20270630235959")
    assert account.state.year.hex() == "2026", "before the starting day it is still last year"
    assert (account.state.own, account.state.pooled) == (2310, 6520)
    account.pay(0, 1, 2, time="20270701000000")
    assert (account.state.year.hex(), account.state.own, account.state.pooled) == ("2027", 1, 2)
    account.pay(0, 50, 60, time="20270630000000")
    assert (account.state.own, account.state.pooled) == (51, 62), "one dated before the year adds to it all the same"
    assert account.state.year.hex() == "2027"
    account.pay(0, 5, 5, time="20190101000000")
    assert (account.state.year.hex(), account.state.own) == ("2027", 56), "however long before"
    account.pay(0, 7, 8, time="20290630000000")
    assert (account.state.year.hex(), account.state.own) == ("2028", 7), "the year that it falls into, not the next one"


@pytest.mark.parametrize(
    ("time", "year", "own"),
    [
        ("20251231", "2026", 2301),
        ("20260101", "2026", 2301),
        ("20261231", "2026", 2301),
        ("20270101", "2027", 1),
        ("20310401", "2031", 1),
    ],
)
def test_the_year_without_a_starting_day(account: Account, time: str, year: str, own: int) -> None:
    account.pay(0, 1, 1, time=f"{time}120000")
    assert (account.state.year.hex(), account.state.own) == (year, own)


def test_the_log_is_cyclic(account: Account) -> None:
    for amount in range(1, 33):
        account.pay(amount)
    assert len(account.log) == 30
    assert int.from_bytes(account.log[0][16:20], "big") == 32
    assert int.from_bytes(account.log[-1][16:20], "big") == 3
    card = account.card
    assert card.send("00B2014400")[:2] == "6C"
    assert card.ok("00B201441C")[:4] == account.log[0][:2].hex().upper()
    assert card.authenticate("UK1DF04") == "9000"
    assert card.send("00DC00431C" + "00" * 28) == "6982", "only the account's commands write it"


def test_proofs(account: Account) -> None:
    card = account.card
    told = account.begin_purchase(100)
    sequence = told[14:16].hex().upper()
    assert card.send(f"B02E000202{sequence}") == "9406", "begun, not done"
    told = account.begin_purchase(100)
    command, tac, mac = account.debit(told, 100)
    account.fetch(command)
    assert account.fetch(f"B02E000202{sequence}") == mac + tac
    assert card.send(f"B02E000102{sequence}") == "9406", "of another kind"
    assert card.send("B02E0002020003") == "9406", "an older one"
    told = account.begin_load(5)
    credit = account.credit(told, 5)
    tac = account.fetch(credit)
    assert account.fetch(f"B02E000102{told[4:6].hex()}") == bytes.fromhex(credit[-8:]) + tac
    card.chip.reset()
    card.ok(DF["DF04"])
    assert account.fetch(f"B02E000102{told[4:6].hex()}")[4:] == tac, "power and PIN do not matter"


def test_a_debit_torn_at_every_write_can_be_proven_or_never_was(account: Account) -> None:
    """Old or new, never between; and the proof says which."""
    card, cuts = account.card, 0
    snapshot = card.chip.image.memory.snapshot()
    while True:
        card.chip.image.memory.restore(snapshot)
        card.chip.reset()
        card.ok(DF["DF04"], VERIFY)
        before, log = account.state, account.log
        told = account.begin_purchase(100, 20, 3)
        command, tac, mac = account.debit(told, 100, 20, 3)
        card.chip.image.memory.nvm.cut_after = cuts
        try:
            card.send(command)
        except PowerCut:
            card.chip.power_on()
            card.ok(DF["DF04"], VERIFY)
            proven = card.send(f"B02E000202{told[14:16].hex()}")
            if proven == "9406":
                assert (account.state, account.log) == (before, log)
            else:
                assert bytes.fromhex(card.ok("00C0000008")) == mac + tac
                assert account.state.balance == before.balance - 100
                assert account.log[1:] == log
            cuts += 1
            continue
        break
    card.chip.image.memory.nvm.cut_after = None
    assert cuts > 5
    assert account.state.balance == before.balance - 100


def test_lengths_and_parameters(account: Account) -> None:
    card = account.card
    assert card.send("B026000100") == "6C04"
    assert card.send("B026000200") == "6C06"
    assert card.send("B026000404") == "6A86"
    assert card.send("B028000B0A" + "00" * 10) == "6A86"
    assert card.send("B02800010A" + "00" * 10) == "6700"
    assert card.send("B028020113" + "00" * 19) == "6A86", "neither load nor purchase"
    assert card.send("B056020002") == "6A86"
    assert card.send("B02E0003020001") == "6A86"
    assert card.send("B0FF000000") == "6D00"
