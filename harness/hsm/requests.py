"""What a request to an encryption machine holds: the card it is for, a settlement, fields of hex and digits.

An error's text never quotes what was sent: it may be a PIN in the wrong place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emulator.apdu.instructions.purse import PURCHASE
from emulator.crypto import SUITES, Suite
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

HISTORY, BLOCK, AMOUNT = 13, 8, 4


class MachineError(SscardError, ValueError):
    """A request that the machine refuses: ``word`` for programs, the text for people.

    Words: ``input``, ``region``, ``algorithm``, ``address``, ``level``; from a machine elsewhere also ``link``, and
    what every service of ours may answer (``host``, ``origin``, ``rate``, ``size``, ``http``, ``fault``).
    """

    kind = ErrorKind.REFUSED

    def __init__(self, word: str, text: str) -> None:
        super().__init__(text)
        self.word = word


@dataclass(frozen=True, slots=True)
class Card:
    """The card that a request is for: region of six digits, 13 historical bytes, algorithm."""

    region: str
    history: bytes
    suite: Suite

    @classmethod
    def named(cls, region: str, history: str, algorithm: str) -> Card:
        """From region, 26 hex digits of historical bytes, algorithm 01 or 03. MachineError."""
        digits(_("region"), region, 6)
        suite = next((one for one in SUITES.values() if f"{one.code:02d}" == algorithm), None)
        if suite is None:
            raise MachineError("algorithm", _("algorithm: expected 01 (3DES) or 03 (SM4); SSF33 (02) is not public"))
        return cls(region, hexadecimal(_("historical bytes"), history, HISTORY), suite)

    @property
    def chip(self) -> bytes:
        """The card's factor: T6-TD. [S: part9:7.3, prog-huada-usb]"""
        return self.history[-BLOCK:]

    @property
    def algorithm(self) -> str:
        """Returns the algorithm's code as requests write it, 01 or 03."""
        return f"{self.suite.code:02d}"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a settlement's key and MACs are made from. [T: part7:12] ``tail``: what MAC1 has after the amounts."""

    challenge: bytes
    amounts: bytes
    tail: bytes

    @classmethod
    def named(
        cls, random: str, sequence: str, self_paid: str, pooled: str, time: str, terminal: str, terminal_sequence: str
    ) -> Settlement:
        """From the fields of ``Machine.debit``; the account's own amount is 0. [S: reference:card §7] MachineError."""
        own, others = (
            hexadecimal(_("self-paid amount"), self_paid, AMOUNT),
            hexadecimal(_("pooled amount"), pooled, AMOUNT),
        )
        counted = (
            hexadecimal(_("sequence"), sequence, 2) + hexadecimal(_("terminal sequence"), terminal_sequence, 4)[2:]
        )
        return cls(
            hexadecimal(_("random"), random, 4) + counted,
            bytes(AMOUNT) + own + others,
            bytes((PURCHASE,)) + digits(_("terminal"), terminal, 12) + moment(time),
        )


def hexadecimal(name: str, text: str, size: int) -> bytes:
    """Returns ``size`` bytes given as hex. MachineError for any other text."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != size or len(text) != 2 * size:  # fromhex takes blanks too
        raise MachineError(
            "input",
            _("{name}: expected {value} hex digits, found {count} characters").format(
                name=name, value=2 * size, count=len(text)
            ),
        )
    return value


def digits(name: str, text: str, number: int) -> bytes:
    """So many decimal digits, as BCD."""
    if not (len(text) == number and text.isascii() and text.isdigit()):
        raise MachineError(
            "input",
            _("{name}: expected {number} digits, found {count} characters").format(
                name=name, number=number, count=len(text)
            ),
        )
    return bytes.fromhex(text)


def moment(text: str) -> bytes:
    """YYYYMMDDhhmmss as BCD; only what a clock can show."""
    value = digits(_("time"), text, 14)
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        raise MachineError("input", _("time: expected YYYYMMDDhhmmss, a day and time that exist")) from None
    return value
