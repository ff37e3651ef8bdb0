"""What an answer to reset tells of a card, without a command."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import interface
from emulator.interface import HISTORICAL, AnswerToReset, Interface

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
    told = AnswerToReset.parse(atr)
    region = interface.region(atr).hex()
    if told is None or len(told.historical) != HISTORICAL or not region.isdecimal():
        return None
    contactless = told.interface is Interface.CONTACTLESS
    if told.header != CONTACT and not contactless:
        return None
    return AtrParts(interface.maker(atr), region, interface.serial(atr), contactless)


def masked(atr: bytes) -> bytes:
    """A social security card's ATR without the chip's serial number; that of another card, whose form says nothing of
    one, as it is.
    """
    return atr if parts(atr) is None else interface.masked(atr)
