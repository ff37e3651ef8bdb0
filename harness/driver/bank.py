"""The bank card's number in a social security card, where a terminal looks for it."""

from __future__ import annotations

from emulator import ber
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.select import Select
from emulator.messages import _
from harness.terminal.terminal import Terminal

APPLICATION = bytes.fromhex("A000000333010101")
"""PBOC debit. [P]"""
SFI = 2
RECORD, NUMBER = 0x70, 0x5A
FILLER = "F"


def number(terminal: Terminal) -> str:
    """The number's digits, from record 1 of file 02. [S: prog-z390, prog-sscreader] Refused with 6A82 where the card
    has no such application; ValueError for a record without a number.
    """
    terminal.exchange(Select.command(APPLICATION), _("selecting the bank's application"))
    terminal.forget()
    command = ReadRecord.command(SFI, number=1)
    record = dict(ber.objects(terminal.exchange(command, _("reading the bank card's number"))))
    digits = dict(ber.objects(record.get(RECORD, b""))).get(NUMBER, b"").hex().upper().rstrip(FILLER)
    if not digits.isdecimal():
        raise ValueError(_("record 1 of file 02 holds no bank card number"))
    return digits
