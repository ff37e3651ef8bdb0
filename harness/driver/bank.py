"""The bank card's number in a social security card, where a terminal looks for it."""

from __future__ import annotations

from emulator import ber
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW
from emulator.messages import _
from harness.terminal.refused import Refused
from harness.terminal.terminal import Terminal

APPLICATIONS = tuple(bytes.fromhex(f"A0000003330101{kind}") for kind in ("01", "02", "03"))
"""PBOC debit, credit and quasi-credit, in the order in which terminals try them. [P] [1: prog-quickpass]"""
SFI = 2
RECORD, NUMBER = 0x70, 0x5A
FILLER = "F"


def number(terminal: Terminal) -> str:
    """The number's digits, from record 1 of file 02. [S: prog-z390, prog-sscreader] Refused with 6A82 where the card
    has no such application, with 6283 where the bank has blocked it; ValueError for a record without a number.
    """
    _select(terminal)
    command = ReadRecord.command(SFI, number=1)
    record = dict(ber.objects(terminal.exchange(command, _("reading the bank card's number"))))
    digits = dict(ber.objects(record.get(RECORD, b""))).get(NUMBER, b"").hex().upper().rstrip(FILLER)
    if not digits.isdecimal():
        raise ValueError(_("record 1 of file 02 holds no bank card number"))
    return digits


def _select(terminal: Terminal) -> None:
    """Selects the first of the bank's applications that the card has. Refused."""
    *others, last = APPLICATIONS
    for name in others:
        try:
            terminal.exchange(Select.command(name), _("selecting the bank's application"))
            break
        except Refused as refused:
            if refused.sw != SW.FILE_NOT_FOUND:
                raise
    else:
        terminal.exchange(Select.command(last), _("selecting the bank's application"))
    terminal.forget()
