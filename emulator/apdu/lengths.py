"""How long an answer may be, and what Le asks for."""

from __future__ import annotations

from emulator.apdu.status import CardError

WHOLE = 256
WHOLE_SECURED = 240
"""The most bytes that one answer gives unasked: all that T=0 carries, or what still fits with MAC and cipher. [D]"""


def most(le: int | None) -> int:
    """How many bytes an answer of any length may have: Le; without one, what fits."""
    return WHOLE_SECURED if le is None else le or WHOLE


def exact(le: int | None, data: bytes) -> bytes:
    """``data`` if Le asks for exactly that much, else 6Cxx, which executes nothing. [P]

    Le is None where the answer waits for GET RESPONSE, which brings its own.
    """
    size = len(data)
    if le == size or le is None or (le == 0 and size == 256):
        return data
    raise CardError(0x6C00 | size & 0xFF, f"Le {le:02X} came, the answer has {size} bytes")
