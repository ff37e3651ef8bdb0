"""How readers are called: what a name says of a reader, and the names that virtual readers get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.errors import Misuse
from emulator.messages import _

CONTACTLESS = re.compile(r"contactless|picc|(?<![a-z])(?:cl|nfc)(?![a-z])", re.IGNORECASE)
"""How readers call themselves that take contactless cards, and what programs look for: PICC as ACS has it, CL as HID,
Contactless as Identiv, NFC as readers of tags. [D]
"""
VIRTUAL = "Virtual PCD"
"""A contact reader of vpcd's, as Debian's package names it."""
VIRTUAL_CONTACTLESS = "Virtual PCD Contactless"
"""A contactless one, so that programs find it. [D]"""
LONGEST = 96
"""Letters. pcscd cuts names after 127, its own numbers among them. [D]"""
PER_ENTRY = 2
"""Slots that the driver brings with each entry of pcscd's configuration."""
PRINTABLE = re.compile(r"[ !#-\[\]-~]+")
"""What may stand between the quotation marks of pcscd's configuration."""


class ReaderNameError(Misuse):
    """What cannot be a reader's name: what it is, and what was expected."""


def says_contactless(name: str) -> bool:
    """True for a reader whose name says that it takes contactless cards."""
    return CONTACTLESS.search(name) is not None


def check(name: str) -> str:
    """The name, as pcscd can have it. ReaderNameError."""
    if not PRINTABLE.fullmatch(name) or len(name) > LONGEST or name != name.strip():
        raise ReaderNameError(
            _(
                "reader name {name!r}: expected 1 to {longest} printable ASCII characters, without quotation mark, "
                "backslash, and space at the ends"
            ).format(name=name, longest=LONGEST)
        )
    return name


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of pcscd's configuration: the readers' common name, and how many slots of it are meant."""

    name: str
    used: int

    def reader(self, slot: int) -> str:
        """The PC/SC name of its first or second slot. [S: reference:pcsc]"""
        return f"{self.name} 00 {slot:02X}"


def entries(wanted: Sequence[str]) -> list[Entry]:
    """The entries that bring readers of these names, in this order. Two neighbours of one name share an entry; else a
    name that comes again gets a letter, as pcscd cannot tell two of one name apart. ReaderNameError.
    """
    found: list[Entry] = []
    asked = ""
    for name in map(check, wanted):
        if found and name == asked and found[-1].used < PER_ENTRY:
            found[-1] = Entry(found[-1].name, found[-1].used + 1)
        else:
            found.append(Entry(_unique(name, {one.name for one in found}), 1))
        asked = name
    return found


def _unique(name: str, taken: set[str]) -> str:
    letters = ("", *(f" {chr(letter)}" for letter in range(ord("B"), ord("Z") + 1)))
    return next(made for letter in letters if (made := name + letter) not in taken)
