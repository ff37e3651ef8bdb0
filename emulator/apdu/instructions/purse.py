"""The medical account (class B0): balance, proof and starting day. Amounts are in fen, 4 bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emulator.apdu.answers import split
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.lengths import exact
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import ApplicationSpec, Layout, PurseSpec
from emulator.filesystem.memory.cells import PURSE_CELL
from emulator.filesystem.memory.purse import Purse
from emulator.security import Condition

LOAD, PURCHASE = 1, 2
ACCOUNT, SELF_PAID, POOLED = 1, 2, 3
"""What GET BALANCE tells: the account, or a yearly sum."""


def number(data: bytes) -> int:
    """Returns the number that bytes are, big-endian."""
    return int.from_bytes(data, "big")


def u32(value: int) -> bytes:
    """Returns a number as 4 bytes, big-endian. OverflowError beyond them."""
    return value.to_bytes(4, "big")


def u16(value: int) -> bytes:
    """Returns a number as 2 bytes, big-endian. OverflowError beyond them."""
    return value.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Proofs:
    """A transaction that was carried out, proven: ``tac`` for the host, ``mac`` (MAC2) for the terminal's side, 4 bytes
    each.
    """

    tac: bytes
    mac: bytes


class PurseInstruction(Instruction):
    """What all commands of the account share."""

    cla = 0xB0

    __slots__ = ()

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where the layout has the account."""
        return layout.purse is not None and layout.card in cls.cards

    @staticmethod
    def opened(card: CardState) -> tuple[PurseSpec, Purse]:
        """The account; 6985 outside its DF, and on a card whose item says that it is not used."""
        spec = card.layout.purse
        assert spec is not None
        here = card.session.directory.spec.id
        if here != spec.application:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"the medical account is in {spec.application}, not in {here}")
        if spec.switch and not any(
            record[0] == spec.switch.tag and record[2:].rstrip(b"\0") == spec.value.encode()
            for record in card.memory.records(spec.switch.file)
        ):
            raise CardError(
                SW.CONDITIONS_NOT_SATISFIED, f"the account is used only where {spec.switch} is {spec.value}"
            )
        return spec, Purse.read(card.memory.parts(PURSE_CELL))


@dataclass(slots=True)
class GetBalance(PurseInstruction):
    """Tells the balance, or a yearly sum and its year."""

    name = "GET BALANCE"
    name_zh = "读余额"
    ins = 0x26
    source = "[S: part5:7.3, reference:card §7]"
    p1p2 = {ACCOUNT: "account", SELF_PAID: "self-paid in the year", POOLED: "pooled in the year"}
    answers = "account 4, or sum 4 and year 2"
    status = (0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x6C00, 0x9303)
    continues = True

    which: int
    le: int | None

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What reading the balance asks for."""
        return layout.purse.balance if layout.purse is not None else None

    @classmethod
    def command(cls, which: int = ACCOUNT, le: int = 0) -> CommandAPDU:
        """Returns the command; ``which`` is ``ACCOUNT``, ``SELF_PAID`` or ``POOLED``."""
        return cls.apdu(p1p2=which, le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetBalance:
        """Returns the instruction: P2 says which amount, Le how many bytes."""
        return cls(command.p2, command.le)

    def execute(self, card: CardState) -> bytes:
        """Returns the amount in fen, 4 bytes, with its year where there is one. CardError 6982, 6985 or 6Cxx."""
        _, purse = self.opened(card)
        self.permit(card)
        amounts = {
            ACCOUNT: u32(purse.balance),
            SELF_PAID: u32(purse.own) + purse.year,
            POOLED: u32(purse.pooled) + purse.year,
        }
        return exact(self.le, amounts[self.which])


@dataclass(slots=True)
class GetTransactionProof(PurseInstruction):
    """Proves a last transaction after its answer was lost: MAC2 and TAC by its sequence number."""

    name = "GET TRANSACTION PROOF"
    name_zh = "取交易认证"
    ins = 0x2E
    source = "[T: part5:7.4]"
    p1p2 = {LOAD: "load", PURCHASE: "purchase"}
    lengths = frozenset({2})
    answers = "MAC2 4, TAC 4"
    case4 = True
    harmless_answer = ((0, 8),)
    fresh_data = fresh_answer = True
    status = (0x6700, 0x6985, 0x6A81, 0x6A86, 0x9303, 0x9406)
    continues = True

    kind: int
    sequence: bytes

    @classmethod
    def command(cls, kind: int, sequence: bytes) -> CommandAPDU:
        """``LOAD`` or ``PURCHASE``, and the sequence that INITIALIZE told, 2 bytes."""
        return cls.apdu(sequence, kind)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetTransactionProof:
        """Type from P2, the sequence that INITIALIZE told."""
        return cls(command.p2, command.data)

    @classmethod
    def answer(cls, data: bytes) -> Proofs:
        """What a card answered. AnswerLengthError."""
        mac, tac = split(data, 4, 4)
        return Proofs(tac, mac)

    def execute(self, card: CardState) -> bytes:
        """The proof; 9406 for another than the last one of its kind that was carried out."""
        _, purse = self.opened(card)
        proof = purse.load_proof if self.kind == LOAD else purse.purchase_proof
        if proof[:2] != self.sequence or not any(proof[2:]):
            raise CardError(SW.PROOF_NOT_AVAILABLE, f"no proof of {self.p1p2[self.kind]} {self.sequence.hex().upper()}")
        return proof[2:]


@dataclass(slots=True)
class UpdateStartingDay(PurseInstruction):
    """Sets the day on which the yearly sums start anew."""

    name = "UPDATE STARTING DAY"
    name_zh = "修改起始日"
    ins = 0x56
    by_p1 = True
    source = "[T: part5:7.7]"
    p1p2 = {0x0000: "month and day"}
    lengths = frozenset({2})
    status = (0x6581, 0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x9303)
    writes = True

    day: bytes

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What setting the day asks for."""
        return layout.purse.set_day if layout.purse is not None else None

    @classmethod
    def command(cls, day: bytes) -> CommandAPDU:
        """Returns the command; ``day`` is month and day in BCD, 2 bytes."""
        return cls.apdu(day)

    @classmethod
    def parse(cls, command: CommandAPDU) -> UpdateStartingDay:
        """Returns the instruction with month and day in BCD, 2 bytes."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns no data. CardError: 6982, 6985 for no day of a year."""
        _, purse = self.opened(card)
        self.permit(card)
        day = self.day.hex()
        if not (day.isdecimal() and 1 <= int(day[:2]) <= 12 and 1 <= int(day[2:]) <= 31):
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"expected month and day as mmdd, found {day.upper()}")
        card.memory.put(PURSE_CELL, replace(purse, day=self.day).cell())
        return b""


@dataclass(slots=True)
class GetStartingDay(PurseInstruction):
    """Tells the day on which the yearly sums start anew; 0000: the first of the year."""

    name = "GET STARTING DAY"
    name_zh = "读起始日"
    ins = 0x56
    by_p1 = True
    source = "[T: part5:7.8]"
    p1p2 = {0x0100: "month and day"}
    answers = "mmdd, 2 bytes"
    status = (0x6700, 0x6982, 0x6985, 0x6A81, 0x6A86, 0x6C00, 0x9303)

    le: int | None

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition | None:  # noqa: ARG003
        """What reading the day asks for."""
        return layout.purse.read_day if layout.purse is not None else None

    @classmethod
    def command(cls, le: int = 0) -> CommandAPDU:
        """Returns the command; 2 is the right Le."""
        return cls.apdu(le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetStartingDay:
        """Returns the instruction: Le says how many bytes are asked for."""
        return cls(command.le)

    def execute(self, card: CardState) -> bytes:
        """Returns month and day in BCD, 2 bytes. CardError 6982, 6985 or 6Cxx."""
        _, purse = self.opened(card)
        self.permit(card)
        return exact(self.le, purse.day)
