"""What stays out of traces: the values of items and records, the chip's serial number, PINs but for a mark of each."""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.psam import DeliveryKey, InitializeSamForPurchase
from emulator.apdu.instructions.purse import GetBalance
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.chip import Exchange

READS = (ReadRecord.ins, ReadBinary.ins, GetBalance.ins)
UPDATES = {UpdateRecord.ins: 7, UpdateBinary.ins: 5, DeliveryKey.ins: 5, InitializeSamForPurchase.ins: 5}
"""Instructions whose data say something of a person or name the chip, and the bytes before that: the header, Lc, a
record's tag and length.
"""
PINS = (Verify.ins, ChangePin.ins, PinChangeUnblock.ins)
OPEN = (0x02, 0x03, 0x06)
"""Tags of class, version and validity in SSSE/EF05: they say nothing of a person, and replays and rules need them."""
INITIAL = "initial"


class PersonalData:
    """Keeps what cards say of people from one slot's trace. Values become zeros; tags, lengths, status words stay, so
    that a masked recording can be replayed.
    """

    def __init__(self) -> None:
        self._command = b""

    def masked(self, exchange: Exchange) -> tuple[Exchange, bool]:
        """The exchange to write down, and whether anything was taken out of it."""
        # GET RESPONSE brings what the command before it asked for.
        if exchange.command[1:2] != bytes((GetResponse.ins,)):
            self._command = exchange.command
        told = replace(
            exchange,
            command=_update(exchange.command),
            plain=_update(exchange.plain),
            answer=self._answer(exchange.answer),
        )
        return told, told != exchange

    def _answer(self, answer: bytes) -> bytes:
        ins = self._command[1] if len(self._command) > 1 else None
        if ins not in READS or len(answer) <= 2:
            return answer
        data = answer[:-2]
        sealed = self._command[0] & 0x04
        if sealed or ins != ReadRecord.ins:
            return bytes(len(data)) + answer[-2:]
        result, at = b"", 0
        while at < len(data):
            end = at + 2 + (data[at + 1] if at + 1 < len(data) else 0)
            record = data[at:end]
            result += record if record[0] in OPEN else record[:2] + bytes(len(record[2:]))
            at = end
        return result + answer[-2:]


def _update(command: bytes) -> bytes:
    head = UPDATES.get(command[1], len(command)) if len(command) > 1 else 0
    return command[:head] + bytes(max(0, len(command) - head)) if head else command


def atr(value: bytes) -> bytes:
    """An ATR whose chip serial number, its last four bytes, is zero."""
    return value[:-4] + bytes(4)


class PinMarks:
    """A mark for each PIN: equal PINs of one trace have equal marks, and nothing can be computed back from them.

    The key that they are made with is drawn anew for each trace and never written. The layout's published initial PIN
    has the mark ``initial``.
    """

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._key = random(32)

    def of(self, exchange: Exchange, initial: str) -> list[str]:
        """The marks of the PINs in a command, in their order; none if it carries no PIN, or one that is enciphered."""
        command = exchange.plain or exchange.command
        if len(command) < 6 or command[1] not in PINS or (command[0] & 0x04 and not exchange.plain):
            return []
        digits = re.split("F+", command[5:].hex().upper())
        return [INITIAL if one == initial else self._mark(one) for one in digits if one]

    def _mark(self, digits: str) -> str:
        return hmac.new(self._key, digits.encode(), sha256).hexdigest()[:8]
