"""What stays out of traces: values of items and records, the chip's serial number, secrets in answers, PINs but for a
mark of each.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from emulator.apdu.instructions import SECRET_ANSWERS
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.certificate import VerifyCertificatePin
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.psam import DeliveryKey, InitSamForPurchase
from emulator.apdu.instructions.purse import GetBalance
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.transactions import CreditForLoad, DebitForPurchase, InitializeForLoad
from emulator.apdu.table import EVERYTHING
from emulator.chip import Exchange

READS = (ReadRecord.ins, ReadBinary.ins, GetBalance.ins, InitializeForLoad.ins)
"""Instructions whose answers say something of a person; INITIALIZE FOR PURCHASE has the INS of the one FOR LOAD."""
HEADER = 5
WRITES = (UpdateBinary, DeliveryKey, InitSamForPurchase, InitializeForLoad, CreditForLoad, DebitForPurchase)
UPDATES = {UpdateRecord.ins: HEADER + 2, **{kind.ins: HEADER for kind in WRITES}}
"""Instructions whose data say something of a person or name the chip, and the bytes before that: the header, Lc, a
record's tag and length.
"""
HEAD = 2
"""Bytes of a record that are no value: tag and length."""
SECRETS = frozenset(bytes((ins,)) for ins in SECRET_ANSWERS)
FETCH = bytes((GetResponse.ins,))
PINS = (Verify.ins, ChangePin.ins, PinChangeUnblock.ins)
OPEN = {0x02: 1, 0x03: 4, 0x06: 4}
"""Tags of class, version and validity in SSSE/EF05, and the lengths of their values: they say nothing of a person, and
replays and rules need them.
"""
ISSUER_SFI = 5
INITIAL = "initial"


class SecretAnswers:
    """Keeps secrets in answers out of one slot's trace: asterisks stand for them, as in commands."""

    def __init__(self) -> None:
        self._secret = False
        self.repeated = False
        """The next answer is the last one once more, whatever the command: a fault of the card's."""

    def hex(self, exchange: Exchange) -> str:
        """The answer to write down."""
        # GET RESPONSE brings what the command before it asked for.
        if not self.repeated and exchange.command[1:2] != FETCH:
            self._secret = exchange.command[1:2] in SECRETS
        self.repeated = False
        return secret_hex(exchange.answer) if self._secret else exchange.answer.hex().upper()


def secret_hex(answer: bytes) -> str:
    """An answer of which only length and status word are told."""
    return "*" * (2 * len(answer[:-2])) + answer[-2:].hex().upper()


class PersonalData:
    """Keeps what cards say of people from one slot's trace. Values become zeros; tags, lengths, status words stay, so
    that a masked recording can be replayed.
    """

    def __init__(self) -> None:
        self._command = b""
        self.repeated = False
        """The next answer is the last one once more, whatever the command: a fault of the card's."""

    def masked(self, exchange: Exchange) -> tuple[Exchange, bool]:
        """The exchange to write down, and whether anything was taken out of it."""
        # GET RESPONSE brings what the command before it asked for.
        if not self.repeated and exchange.command[1:2] != FETCH:
            self._command = exchange.command
        self.repeated = False
        told = replace(
            exchange,
            command=masked_command(exchange.command),
            plain=masked_command(exchange.plain),
            answer=self._answer(exchange.answer),
        )
        return told, told != exchange

    def _answer(self, answer: bytes) -> bytes:
        ins = self._command[1] if len(self._command) > 1 else None
        if ins not in READS or len(answer) <= 2:
            return answer
        return self._data(answer[:-2]) + answer[-2:]

    def _data(self, data: bytes) -> bytes:
        if self._command[1] != ReadRecord.ins or self._command[0] & 0x04:
            return bytes(len(data))
        if len(self._command) > 3 and _open(self._command, data):
            return data
        # What is no row of whole records may be a cyclic file's: there no byte is a tag.
        return b"".join(one[:HEAD] + bytes(len(one[HEAD:])) for one in whole_records(data) or [data])


def _open(command: bytes, data: bytes) -> bool:
    """True for the very item that was asked for, if it is one of those that may be seen."""
    tag, sfi = command[2], command[3] >> 3
    return (
        sfi in (0, ISSUER_SFI)
        and tag in OPEN
        and data[:HEAD] == bytes((tag, OPEN[tag]))
        and (len(data) == HEAD + OPEN[tag])
    )


def whole_records(data: bytes) -> list[bytes]:
    """The TLV records in a row that data are; none where they are no such row."""
    found, at = [], 0
    while at < len(data):
        end = at + HEAD + (data[at + 1] if at + 1 < len(data) else len(data))
        found.append(data[at:end])
        at = end
    return found if at == len(data) else []


def masked_command(command: bytes) -> bytes:
    """A command without what it writes of a person."""
    head = UPDATES.get(command[1], len(command)) if len(command) > 1 else 0
    return command[:head] + bytes(max(0, len(command) - head)) if head else command


def atr(value: bytes) -> bytes:
    """An ATR whose chip serial number, its last four bytes, is zero."""
    return value[:-4] + bytes(4)


class Marks:
    """A mark for each PIN and each card: what is equal in one trace has equal marks, and nothing can be computed back
    from them.

    The key that they are made with is drawn anew for each trace and never written. The layout's published initial PIN
    has the mark ``initial``.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._key = random(32)

    def card(self, atr: bytes) -> str:
        """The mark of a card, by its ATR with the chip's serial number in it."""
        return self._mark(atr)

    def pins(self, exchange: Exchange, initial: str) -> list[str]:
        """The marks of the PINs in a command, in their order; none if it carries no PIN, or one that is enciphered."""
        command = exchange.plain or exchange.command
        if len(command) < 6 or command[1] not in PINS or (command[0] & 0x04 and not exchange.plain):
            return []
        if EVERYTHING.get(command) is VerifyCertificatePin:
            return []  # the digits are not in it, only their proof
        digits = re.split("F+", command[5:].hex().upper())
        return [INITIAL if one == initial else self._mark(one.encode()) for one in digits if one]

    def _mark(self, value: bytes) -> str:
        return hmac.new(self._key, value, sha256).hexdigest()[:8]
