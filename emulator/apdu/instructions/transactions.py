"""Load and settlement: INITIALIZE, and what carries it out against the other side's MAC.

Load key: DLK over random ‖ sequence ‖ 8000; purchase key: DPK over random ‖ card sequence ‖ the last two bytes of the
terminal's, both made as process keys are. TACs under DTK. No header is in these MACs. [T: part7:11, part7:12, part7:15]
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from emulator.apdu.answers import split
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.purse import LOAD, PURCHASE, Proofs, PurseInstruction, number, u16, u32
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import ApplicationSpec, Layout, PurseSpec
from emulator.filesystem.memory.cells import PURSE_CELL, file_cell
from emulator.filesystem.memory.purse import Purse
from emulator.security import Condition

LAST_SEQUENCE = 0xFFFF
LARGEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction that INITIALIZE began. ``amounts``: account, self-paid and pooled, 4 bytes each; a load has one."""

    kind: int
    key: bytes
    random: bytes
    amounts: bytes
    terminal: bytes

    @property
    def account(self) -> int:
        """What comes into or goes out of the account."""
        return int.from_bytes(self.amounts[:4], "big")


@dataclass(frozen=True, slots=True)
class PurchaseBegun:
    """What INITIALIZE FOR PURCHASE answers. Amounts in fen; ``year``, 2 bytes of BCD, is the sums'; ``sequence`` (2
    bytes) the card's; ``version`` the key's; ``algorithm`` its code; ``random`` 4 bytes.
    """

    balance: int
    self_paid: int
    pooled: int
    year: bytes
    sequence: bytes
    version: int
    algorithm: int
    random: bytes

    @classmethod
    def parse(cls, answer: bytes) -> PurchaseBegun:
        """An answer's data. AnswerLengthError."""
        balance, own, pooled, year, sequence, version, algorithm, random = split(answer, 4, 4, 4, 2, 2, 1, 1, 4)
        return cls(number(balance), number(own), number(pooled), year, sequence, version[0], algorithm[0], random)

    def __bytes__(self) -> bytes:
        sums = u32(self.balance) + u32(self.self_paid) + u32(self.pooled) + self.year
        return sums + self.sequence + bytes((self.version, self.algorithm)) + self.random


class _Transaction(PurseInstruction):
    """What the four commands of a load or settlement share."""

    __slots__ = ()

    @staticmethod
    def key(card: CardState, name: str, index: int) -> bytes:
        """A key of the account by its index, which is its version; 9403."""
        try:
            return card.key(card.layout.keys[name], index)
        except CardError:
            raise CardError(SW.KEY_INDEX_UNKNOWN, f"{name} has no index {index:02X}") from None

    @staticmethod
    def tac(card: CardState, spec: PurseSpec, message: bytes) -> bytes:
        """Returns the transaction's authentication code under DTK, 4 bytes."""
        return card.suite.tac(card.key(card.layout.keys[spec.tac_key]), message)

    @staticmethod
    def begun(card: CardState, kind: int) -> Begun:
        """What INITIALIZE began; 6901 if it did not."""
        begun, card.session.transaction = card.session.transaction, None
        if not isinstance(begun, Begun) or begun.kind != kind:
            raise CardError(SW.INVALID_STATE, "INITIALIZE comes right before, and serves once")
        return begun

    @staticmethod
    def log(card: CardState, spec: PurseSpec, sequence: int, begun: Begun, time: bytes) -> None:
        """Adds the newest record of the log."""
        amounts = begun.amounts.ljust(12, b"\0")
        record = u16(sequence) + str(begun.kind).encode() + begun.terminal + time + amounts
        kept = card.memory.records(spec.log)[: card.layout.files[spec.log].records - 1]
        card.memory.put(file_cell(spec.log), (record, *kept))


@dataclass(slots=True)
class InitializeForLoad(_Transaction):
    """Begins a load: the card tells balance and random number, and proves itself by MAC1."""

    name = "INITIALIZE FOR LOAD"
    name_zh = "圈存初始化"
    ins = 0x28
    by_p1 = True
    source = "[S: part5:7.5, reference:card §7]"
    p1p2 = {0x0001: "load"}
    lengths = frozenset({11})
    answers = "balance 4, sequence 2, key version, algorithm, random 4, MAC1 4"
    case4 = True
    harmless_answer = ((6, 16),)  # not the balance, nor how often it was loaded
    fresh_answer = True
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x9303, 0x9402, 0x9403)

    index: int
    amount: bytes
    terminal: bytes

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """Returns the right that the layout asks for to load; None for cards without a purse."""
        return layout.purse.load if layout.purse is not None else None

    @classmethod
    def command(cls, index: int, amount: bytes, terminal: bytes) -> CommandAPDU:
        """Key index, amount in fen (4), the terminal's number (6)."""
        return cls.apdu(bytes((index,)) + amount + terminal)

    @classmethod
    def parse(cls, command: CommandAPDU) -> InitializeForLoad:
        """Key index 1, amount 4, terminal 6."""
        data = command.data
        return cls(data[0], data[1:5], data[5:11])

    def execute(self, card: CardState) -> bytes:
        """What ``answers`` says; 6982, 6985 for an account that would overflow, 9402, 9403."""
        spec, purse = self.opened(card)
        self.permit(card)
        if purse.load_sequence == LAST_SEQUENCE:
            raise CardError(SW.COUNTER_EXHAUSTED, "the load sequence is at its end")
        key = self.key(card, spec.load_key, self.index)
        if purse.balance + int.from_bytes(self.amount, "big") > spec.limit:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"the account holds at most {spec.limit} fen")
        random, sequence = card.random(4), u16(purse.load_sequence)
        process_key = card.suite.process_key(key, random + sequence + b"\x80\0")
        card.session.transaction = Begun(LOAD, process_key, random, self.amount, self.terminal)
        mac = card.suite.mac(process_key, u32(purse.balance) + self.amount + bytes((LOAD,)) + self.terminal)
        return u32(purse.balance) + sequence + bytes((self.index, card.suite.code)) + random + mac


@dataclass(slots=True)
class CreditForLoad(_Transaction):
    """Carries the load out, against the host's MAC2."""

    name = "CREDIT FOR LOAD"
    name_zh = "圈存"
    ins = 0x2A
    source = "[S: part5:7.1, reference:card §7]"
    p1p2 = {0x0000: "load"}
    lengths = frozenset({11})
    answers = "TAC 4"
    case4 = True
    harmless_answer = ((0, 4),)
    fresh_data = fresh_answer = True
    status = (0x6581, 0x6700, 0x6901, 0x6985, 0x6A81, 0x6A86, 0x9302, 0x9303)
    writes = True
    continues = True

    time: bytes
    mac: bytes

    @classmethod
    def command(cls, time: bytes, mac: bytes) -> CommandAPDU:
        """Time in BCD (7), the host's MAC2 (4)."""
        return cls.apdu(time + mac)

    @classmethod
    def parse(cls, command: CommandAPDU) -> CreditForLoad:
        """Returns the instruction: time in BCD, 7 bytes, and MAC2, 4 bytes."""
        return cls(command.data[:7], command.data[7:])

    def execute(self, card: CardState) -> bytes:
        """Returns the TAC, 4 bytes, once the amounts are in the account. CardError 6901, 9302."""
        begun = self.begun(card, LOAD)
        spec, purse = self.opened(card)
        body = begun.amounts + bytes((LOAD,)) + begun.terminal + self.time
        if not hmac.compare_digest(card.suite.mac(begun.key, body), self.mac):
            raise CardError(SW.MAC_INVALID, "MAC2 is not right under the load key")
        balance, sequence = purse.balance + begun.account, purse.load_sequence
        tac = self.tac(card, spec, u32(balance) + u16(sequence) + body)
        proof = u16(sequence) + self.mac + tac
        after = replace(purse, balance=balance, load_sequence=sequence + 1, load_proof=proof)
        card.memory.put(PURSE_CELL, after.cell())
        self.log(card, spec, sequence, begun, self.time)
        return tac


@dataclass(slots=True)
class InitializeForPurchase(_Transaction):
    """Begins a settlement: what the account, the insured and the pool pay. The account may pay 0.
    [S: reference:card §7]
    """

    name = "INITIALIZE FOR PURCHASE"
    name_zh = "消费初始化"
    ins = 0x28
    by_p1 = True
    source = "[T: part5:7.6]"
    p1p2 = {0x0101: "purchase"}
    lengths = frozenset({19})
    answers = "balance 4, self-paid sum 4, pooled sum 4, year 2, sequence 2, key version, algorithm, random 4"
    case4 = True
    harmless_answer = ((16, 22),)  # not the sums, nor how often was paid
    fresh_answer = True
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x9303, 0x9401, 0x9402, 0x9403)

    index: int
    amounts: bytes
    terminal: bytes

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """Returns the right that the layout asks for to settle; None for cards without a purse."""
        return layout.purse.purchase if layout.purse is not None else None

    @classmethod
    def command(cls, index: int, amounts: bytes, terminal: bytes) -> CommandAPDU:
        """Key index; account, self-paid and pooled in fen (4 each); the terminal's number (6)."""
        return cls.apdu(bytes((index,)) + amounts + terminal)

    @classmethod
    def parse(cls, command: CommandAPDU) -> InitializeForPurchase:
        """Key index 1, account 4, self-paid 4, pooled 4, terminal 6."""
        data = command.data
        return cls(data[0], data[1:13], data[13:19])

    @classmethod
    def answer(cls, data: bytes) -> PurchaseBegun:
        """What a card answered. AnswerLengthError."""
        return PurchaseBegun.parse(data)

    def execute(self, card: CardState) -> bytes:
        """What ``answers`` says; 6982, 9401, 9402, 9403."""
        spec, purse = self.opened(card)
        self.permit(card)
        if purse.purchase_sequence == LAST_SEQUENCE:
            raise CardError(SW.COUNTER_EXHAUSTED, "the purchase sequence is at its end")
        key = self.key(card, spec.debit_key, self.index)
        if int.from_bytes(self.amounts[:4], "big") > purse.balance:
            raise CardError(SW.INSUFFICIENT_FUNDS, "the account holds less than is to be paid")
        random = card.random(4)
        card.session.transaction = Begun(PURCHASE, key, random, self.amounts, self.terminal)
        sequence = u16(purse.purchase_sequence)
        sums = (purse.balance, purse.own, purse.pooled)
        return bytes(PurchaseBegun(*sums, purse.year, sequence, self.index, card.suite.code, random))


@dataclass(slots=True)
class DebitForPurchase(_Transaction):
    """Carries the settlement out, against the terminal's MAC1."""

    name = "DEBIT FOR PURCHASE"
    name_zh = "消费"
    ins = 0x2C
    source = "[T: part5:7.2]"
    p1p2 = {0x0100: "purchase"}
    lengths = frozenset({15})
    answers = "TAC 4, MAC2 4"
    case4 = True
    harmless_answer = ((0, 8),)
    fresh_data = fresh_answer = True
    status = (0x6581, 0x6700, 0x6901, 0x6985, 0x6A81, 0x6A86, 0x9302, 0x9303)
    writes = True
    continues = True

    sequence: bytes
    time: bytes
    mac: bytes

    @classmethod
    def command(cls, sequence: bytes, time: bytes, mac: bytes) -> CommandAPDU:
        """The terminal's sequence (4), time in BCD (7), MAC1 (4)."""
        return cls.apdu(sequence + time + mac)

    @classmethod
    def parse(cls, command: CommandAPDU) -> DebitForPurchase:
        """Terminal sequence 4, time 7 (BCD), MAC1 4."""
        data = command.data
        return cls(data[:4], data[4:11], data[11:])

    @classmethod
    def answer(cls, data: bytes) -> Proofs:
        """What a card answered. AnswerLengthError."""
        tac, mac = split(data, 4, 4)
        return Proofs(tac, mac)

    def execute(self, card: CardState) -> bytes:
        """TAC and MAC2; 6901, 6985 where a yearly sum would overflow, 9302."""
        begun = self.begun(card, PURCHASE)
        spec, purse = self.opened(card)
        own_sequence = u16(purse.purchase_sequence)
        key = card.suite.process_key(begun.key, begun.random + own_sequence + self.sequence[2:])
        head = begun.amounts + bytes((PURCHASE,)) + begun.terminal
        if not hmac.compare_digest(card.suite.mac(key, head + self.time), self.mac):
            raise CardError(SW.MAC_INVALID, "MAC1 is not right under the purchase key")
        mac = card.suite.mac(key, begun.amounts)
        tac = self.tac(card, spec, head + self.sequence + self.time)
        after = replace(
            self._summed(purse, begun),
            balance=purse.balance - begun.account,
            purchase_sequence=purse.purchase_sequence + 1,
            purchase_proof=own_sequence + mac + tac,
        )
        card.memory.put(PURSE_CELL, after.cell())
        self.log(card, spec, purse.purchase_sequence, begun, self.time)
        return tac + mac

    def _summed(self, purse: Purse, begun: Begun) -> Purse:
        """The yearly sums with this settlement, one dated before their year too; anew from the next year on.
        [T: part7:12.6]
        """
        same = purse.in_year(self.time)
        year = purse.year if same else purse.year_of(self.time)
        own, pooled = (purse.own, purse.pooled) if same else (0, 0)
        own += int.from_bytes(begun.amounts[4:8], "big")
        pooled += int.from_bytes(begun.amounts[8:], "big")
        if max(own, pooled) > LARGEST:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "a yearly sum would overflow")
        return replace(purse, own=own, pooled=pooled, year=year)
