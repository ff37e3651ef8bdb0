"""Debits of the medical account as the library's strings tell them."""

from __future__ import annotations

from datetime import datetime

from emulator.apdu.status import SW
from emulator.messages import _
from harness.driver.codes import Code, DriverError, negated
from harness.driver.formats import fields, joined
from harness.driver.open_card import OpenCard
from harness.driver.pad import Pad
from harness.terminal.account import Entry, Payment, Settled

LARGEST = 0xFFFFFFFF
TIME = "%Y%m%d%H%M%S"
TIME_DIGITS = 14


def payment(pay_info: str) -> Payment:
    """pPayInfo, ``self-paid|pooled|YYYYMMDDhhmmss|``: amounts in whole fen [D]; -23, -41, -42."""
    told = fields(pay_info)
    if len(told) != 3:
        raise DriverError(Code.BAD_INPUT, _("pPayInfo: 应为三个字段 expected self-paid, pooled, time"))
    own, pooled, time = told
    return Payment(_fen(own), _fen(pooled), moment(time))


def _fen(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise DriverError(Code.ILLEGAL_CHARACTER)
    if len(text) > len(str(LARGEST)) or int(text) > LARGEST:
        raise DriverError(Code.BAD_LENGTH)
    return int(text)


def moment(text: str) -> str:
    """Returns a time given as YYYYMMDDhhmmss. DriverError -23 for any other text."""
    try:
        if len(text) != TIME_DIGITS or not (text.isascii() and text.isdigit()):
            raise ValueError
        datetime.strptime(text, TIME)
    except ValueError:
        raise DriverError(Code.BAD_INPUT, _("时间应为 expected a time as YYYYMMDDhhmmss")) from None
    return text


def ready(card: OpenCard, pad: Pad, paid: Payment) -> None:
    """Before a debit: not after the card's last day, -27013 [D]; the cardholder's own PIN, -31…-36, -51, -52."""
    last = card.look_at_expiry()
    if len(last) == 8 and paid.time[:8] > last:
        raise DriverError(
            negated(SW.CONDITIONS_NOT_SATISFIED), _("卡已过有效期 the card ended on {day}").format(day=last)
        )
    card.verify_own_pin(pad)


def settled(done: Settled) -> str:
    """Card's sequence | terminal number | terminal's sequence | time | self-paid | pooled | TAC | MAC2 | [D]"""
    begun = done.begun
    return joined(
        begun.sequence.hex().upper(),
        begun.terminal,
        done.terminal_sequence.hex().upper(),
        done.time,
        str(begun.payment.self_paid),
        str(begun.payment.pooled),
        done.tac.hex().upper(),
        done.mac2.hex().upper(),
    )


def logged(entry: Entry) -> str:
    """One record of the log: card's sequence | type | terminal number | time | account | self-paid | pooled | $ [D]"""
    amounts = map(str, (entry.account, entry.self_paid, entry.pooled))
    return joined(entry.sequence, entry.kind, entry.terminal, entry.time, *amounts) + "$"
