"""What an answer to reset tells of a card, without a command."""

from __future__ import annotations

from dataclasses import dataclass

from harness.readers.connection import historical

HISTORICAL = 13
"""Historical bytes of a social security card and of the terminal's own: T1 to T7 the makers of chip, system and card,
T8 and T9 the first four digits of the region, TA to TD the chip's serial number. [S: reference:card §1]"""
CONTACT = bytes.fromhex("3B6D0000")
"""How the ATR of a contact card begins. [S: reference:card §1]"""


@dataclass(frozen=True, slots=True)
class AtrParts:
    """``maker``: seven bytes that tell chip, system and card maker; ``region``: its first four digits; ``serial``: the
    chip's, four bytes. ``contactless``: the ATR that PC/SC makes of a contactless card's historical bytes.
    """

    maker: bytes
    region: str
    serial: bytes
    contactless: bool


def parts(atr: bytes) -> AtrParts | None:
    """What the ATR of a social security card tells; None for an ATR of another form.

    The form is no proof: a card of another kind may have as many historical bytes. So the region's digits must be some.
    """
    told = historical(atr)
    if len(told) != HISTORICAL or not told[7:9].hex().isdecimal():
        return None
    contact = atr[: len(CONTACT)] == CONTACT
    contactless = atr[:1] == b"\x3b" and atr[2:4] == b"\x80\x01"
    if not (contact or contactless):
        return None
    return AtrParts(told[:7], told[7:9].hex(), told[9:13], contactless)


def masked(atr: bytes) -> bytes:
    """An ATR without the chip's serial number, and without the checksum over it where there is one."""
    told = parts(atr)
    if told is None:
        return atr
    end = len(atr) - (1 if told.contactless else 0)
    return atr[: end - len(told.serial)] + bytes(len(told.serial) + len(atr) - end)
