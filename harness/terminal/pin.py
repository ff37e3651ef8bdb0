"""PINs as terminals take them."""

from __future__ import annotations

from emulator.messages import _
from harness.keys.access import TerminalError

SHORTEST, LONGEST = 4, 12
"""Digits that a pad takes. [T: reference:terminal Flows]"""


def is_pin(digits: str) -> bool:
    """Whether a pad would take these."""
    return SHORTEST <= len(digits) <= LONGEST and digits.isascii() and digits.isdigit()


def bcd(digits: str) -> bytes:
    """A PIN as VERIFY takes it; TerminalError for an invalid PIN. The text never holds the digits."""
    if not (digits.isascii() and (digits.isdigit() or not digits) and len(digits) <= 16):
        raise TerminalError(_("a PIN has 4 to 16 digits"))
    return bytes.fromhex(digits + "F" * (len(digits) % 2))
