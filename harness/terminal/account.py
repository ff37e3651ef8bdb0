"""The medical account: a settlement recorded in the card, proven by MACs of both sides; and the card's log of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from emulator.apdu.answers import AnswerLengthError
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.purse import PURCHASE, GetTransactionProof, Proofs
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
T = TypeVar("T")


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
    answer = _answered(terminal, command, InitializeForPurchase.answer, _("beginning the settlement"))
    return Begun(payment, number, answer.sequence, answer.version, answer.random)


def _answered(terminal: Terminal, command: CommandAPDU, read: Callable[[bytes], T], doing: str) -> T:
    """What a command's instruction reads in its answer. Refused; TerminalError for an answer of another length."""
    try:
        return read(terminal.exchange(command, doing))
    except AnswerLengthError as wrong:
        raise TerminalError(
            _("{doing}: the card answered {count} bytes, not {expected}").format(
                doing=doing, count=wrong.count, expected=wrong.expected
            )
        ) from None


def debit(terminal: Terminal, begun: Begun, sequence: bytes, time: str, mac1: bytes) -> Settled:
    """DEBIT FOR PURCHASE. ``sequence`` (4) and MAC1 are the terminal's side's. Refused.

    Where the answer is lost the card is asked for its proof: Refused with 9406 where it recorded nothing.
    """
    command = DebitForPurchase.command(sequence, bytes.fromhex(time), mac1)
    try:
        proofs = _answered(terminal, command, DebitForPurchase.answer, "settling")
    except PcscError as lost:
        proofs = _proof(terminal, begun, lost)
    return Settled(begun, sequence, time, proofs.tac, proofs.mac)


def _proof(terminal: Terminal, begun: Begun, lost: PcscError) -> Proofs:
    try:
        terminal.begin()
        terminal.enter(purse(terminal).application)
    except PcscError:
        raise lost from None
    command = GetTransactionProof.command(PURCHASE, begun.sequence)
    return _answered(terminal, command, GetTransactionProof.answer, _("asking whether the settlement was recorded"))


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
