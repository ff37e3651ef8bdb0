"""The two interfaces of a card, and how it answers a reset on each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import xor

HISTORICAL = 13
"""Historical bytes of a social security card and of the terminal's own: T1 to T7 the makers of chip, system and card,
T8 and T9 the first four digits of the region, TA to TD the chip's serial number. [S: reference:card §1]"""
MAKER_SIZE = 7
_REGION, _SERIAL, _FACTOR = slice(-6, -4), slice(-4, None), slice(-8, None)


class Interface(StrEnum):
    """How a card is in a reader: by its contacts (T=0), or in a field (T=CL, which PC/SC shows as T=1)."""

    CONTACT = "contact"
    CONTACTLESS = "contactless"


@dataclass(frozen=True, slots=True)
class AnswerToReset:
    """An ATR's parts. ``header``: TS, T0 and the interface bytes; ``protocols`` that these offer, T=0 where they name
    none; ``check``: what follows the historical bytes, TCK if it is one byte.
    """

    header: bytes
    historical: bytes
    check: bytes
    protocols: tuple[int, ...]

    @classmethod
    def parse(cls, atr: bytes) -> AnswerToReset | None:
        """The parts; None for bytes that end before what they announce. [P: iso7816-3]"""
        if len(atr) < 2:
            return None
        protocols: list[int] = []
        following, at = atr[1] >> 4, 2
        while following:
            at += following.bit_count()
            if at > len(atr):
                return None
            if not following & 8:
                break
            protocols.append(atr[at - 1] & 0x0F)
            following = atr[at - 1] >> 4
        end = at + (atr[1] & 0x0F)
        if end > len(atr):
            return None
        return cls(atr[:at], atr[at:end], atr[end:], tuple(dict.fromkeys(protocols)) or (0,))

    @property
    def interface(self) -> Interface:
        """Contactless where the header is as PC/SC makes it of a contactless card's answer, whatever the number of
        historical bytes.
        """
        header = self.header
        contactless = len(header) == 4 and header[0] == 0x3B and header[1] >> 4 == 8 and header[2:] == b"\x80\x01"
        return Interface.CONTACTLESS if contactless else Interface.CONTACT

    @property
    def sound(self) -> bool:
        """True if TCK is there and right where one belongs, and nothing is where none does. [P: iso7816-3]"""
        if self.protocols == (0,):
            return not self.check
        return len(self.check) == 1 and self.check == checksum(self.header + self.historical)

    def __bytes__(self) -> bytes:
        return self.header + self.historical + self.check


def historical(atr: bytes) -> bytes:
    """The historical bytes of an ATR, contact or as PC/SC makes it of a contactless card's ATS; empty without."""
    parts = AnswerToReset.parse(atr)
    return parts.historical if parts else b""


def interface_of(atr: bytes) -> Interface:
    """Which interface an ATR is of; contact for one that is none."""
    parts = AnswerToReset.parse(atr)
    return parts.interface if parts else Interface.CONTACT


def maker(atr: bytes) -> bytes:
    """T1 to T7 of an ATR: what tells chip, system and card maker. Fewer, or none, where there are not as many."""
    return historical(atr)[:MAKER_SIZE]


def region(atr: bytes) -> bytes:
    """T8 and T9 of an ATR: the first four digits of the region that the card was made in."""
    return historical(atr)[_REGION]


def serial(atr: bytes) -> bytes:
    """TA to TD of an ATR: the chip's serial number."""
    return historical(atr)[_SERIAL]


def chip_factor(atr: bytes) -> bytes:
    """T6 to TD of an ATR, 8 bytes: the card's diversification factor. [S: part9:7.3, prog-huada-usb]"""
    return historical(atr)[_FACTOR]


def checksum(atr: bytes) -> bytes:
    """TCK, of all bytes but TS. [P: iso7816-3]"""
    return bytes((reduce(xor, atr[1:], 0),))


def contactless_atr(told: bytes) -> bytes:
    """What PC/SC shows as the ATR of a contactless card whose ATS has these historical bytes, 15 at most:
    ``3B 8n 80 01``, the bytes, TCK. [P: pcsc-part3]
    """
    header = bytes((0x3B, 0x80 | len(told), 0x80, 0x01))
    return header + told + checksum(header + told)


def ats(parameters: bytes, told: bytes) -> bytes:
    """A contactless card's answer to select: TL, which counts itself, then T0 and its interface bytes, then the
    historical bytes. [P: iso14443-4]
    """
    return bytes((1 + len(parameters) + len(told),)) + parameters + told


def masked(atr: bytes) -> bytes:
    """An ATR without the chip's serial number, its last four historical bytes, and without the checksum over it where
    there is one: zeros stand there.
    """
    parts = AnswerToReset.parse(atr)
    hidden = min(len(atr), 4 + (len(parts.check) if parts else 0))
    return atr[: len(atr) - hidden] + bytes(hidden)
