"""The medical account: a settlement recorded in the card, proven by MACs of both sides; and the card's log of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulator.apdu.instructions.purse import PURCHASE, GetTransactionProof
from emulator.apdu.instructions.transactions import DebitForPurchase, InitializeForPurchase
from emulator.apdu.status import SW
from emulator.filesystem.layouts.specs import PurseSpec
from emulator.messages import _
from harness.keys.access import TerminalError
from harness.keys.psam import Psam
from harness.readers.pcsc import PcscError
from harness.terminal.terminal import Refused, Terminal

KEY_INDEX = 1
AMOUNT = 4
DEBIT_ANSWER = 22
"""Bytes that INITIALIZE FOR PURCHASE answers."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What is settled, in fen. ``time``: YYYYMMDDhhmmss. Nothing is taken from the account itself.
    [S: reference:card §7]
    """

    self_paid: int
    pooled: int
    time: str

    @property
    def amounts(self) -> bytes:
        """Returns the amounts in fen, 4 bytes each: account, self-paid, pooled."""
        return b"".join(one.to_bytes(AMOUNT, "big") for one in (0, self.self_paid, self.pooled))


@dataclass(frozen=True, slots=True)
class Begun:
    """A settlement that the card began: its sequence (2 bytes), its random (4), its key's version.

    ``terminal``: the terminal's number, 12 digits.
    """

    payment: Payment
    terminal: str
    sequence: bytes
    version: int
    random: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """A settlement that the card recorded, and its proofs: TAC for the host, MAC2 for the terminal's side."""

    begun: Begun
    terminal_sequence: bytes
    time: str
    tac: bytes
    mac2: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the card's log. Amounts in fen; ``kind`` 1 load, 2 settlement; ``sequence`` the card's, in hex."""

    sequence: str
    kind: str
    terminal: str
    time: str
    account: int
    self_paid: int
    pooled: int


def purse(terminal: Terminal) -> PurseSpec:
    """Where the account is and what its keys are; TerminalError where the card has none."""
    found = terminal.layout.purse
    if found is None:
        raise TerminalError(_("layout {name} has no medical account").format(name=terminal.layout.name))
    return found


def begin(terminal: Terminal, payment: Payment, number: str) -> Begun:
    """INITIALIZE FOR PURCHASE by the terminal of this number; the PIN must have been verified. Refused."""
    terminal.enter(purse(terminal).application)
    command = InitializeForPurchase.command(KEY_INDEX, payment.amounts, bytes.fromhex(number))
    answer = terminal.exchange(command, "beginning the settlement")
    if len(answer) != DEBIT_ANSWER:
        raise TerminalError(
            _("beginning the settlement: the card answered {count} bytes, not {debit_answer}").format(
                count=len(answer), debit_answer=DEBIT_ANSWER
            )
        )
    return Begun(payment, number, answer[14:16], answer[16], answer[18:22])


def debit(terminal: Terminal, begun: Begun, sequence: bytes, time: str, mac1: bytes) -> Settled:
    """DEBIT FOR PURCHASE. ``sequence`` (4) and MAC1 are the terminal's side's. Refused.

    Where the answer is lost the card is asked for its proof: Refused with 9406 where it recorded nothing.
    """
    command = DebitForPurchase.command(sequence, bytes.fromhex(time), mac1)
    try:
        answer = terminal.exchange(command, "settling")
        tac, mac2 = answer[:4], answer[4:8]
    except PcscError as lost:
        proof = _proof(terminal, begun, lost)
        mac2, tac = proof[:4], proof[4:8]
    return Settled(begun, sequence, time, tac, mac2)


def _proof(terminal: Terminal, begun: Begun, lost: PcscError) -> bytes:
    try:
        terminal.begin()
        terminal.enter(purse(terminal).application)
    except PcscError:
        raise lost from None
    command = GetTransactionProof.command(PURCHASE, begun.sequence)
    return terminal.exchange(command, "asking whether the settlement was recorded")


def settle(terminal: Terminal, payment: Payment, own: Psam) -> Settled:
    """A whole settlement with the terminal's own card, which has begun. Refused, PsamError."""
    begun = begin(terminal, payment, own.terminal_number)
    use = terminal.use(purse(terminal).debit_key)
    sequence, mac1 = own.purchase(
        begun.random + begun.sequence, payment.amounts, PURCHASE, bytes.fromhex(payment.time), begun.version, use
    )
    settled = debit(terminal, begun, sequence, payment.time, mac1)
    own.paid(settled.mac2)
    return settled


def log(terminal: Terminal) -> Iterator[Entry]:
    """The card's log, newest first; the PIN must have been verified. Refused."""
    path = purse(terminal).log
    for number in range(1, terminal.layout.files[path].records + 1):
        try:
            record = terminal.read_record(path, number)
        except Refused as refused:
            if refused.sw == SW.RECORD_NOT_FOUND:
                return
            raise
        sequence, kind, by, time, *amounts = (str(one.value) for one in record)
        account, own, pooled = (int(one, 16) for one in amounts)
        yield Entry(sequence, kind, by, time, account, own, pooled)
