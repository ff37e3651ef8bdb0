"""How readers are called: what a name says of a reader, and the names that virtual readers get."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

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
MOST_ENTRIES = 8
"""More than 16 slots pcscd does not have. [1: reference:pcsc]"""
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
class Arrangement:
    """The readers of a pcscd of our own. ``entries``: the names of its configuration's entries, each of which brings
    two slots; ``places``: entry and slot of each reader that was asked for, in that order.
    """

    entries: tuple[str, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, wanted: Sequence[str]) -> Self:
        """Readers of these names. Two of one name share an entry; a third gets a letter, as pcscd cannot tell two
        entries of one name apart. ReaderNameError, for more than a pcscd has too, and for none.
        """
        entries: list[str] = []
        half_used: dict[str, int] = {}
        places = []
        for name in map(check, wanted):
            if name in half_used:
                places.append((half_used.pop(name), 1))
            else:
                half_used[name] = len(entries)
                places.append((len(entries), 0))
                entries.append(_unique(name, entries))
        if not 1 <= len(entries) <= MOST_ENTRIES:
            raise ReaderNameError(
                _(
                    "pcscd has 1 to {most} slots, two for each name: {slots} were asked for, of {names} different names"
                ).format(most=MOST_ENTRIES * PER_ENTRY, slots=len(wanted), names=len(set(wanted)))
            )
        return cls(tuple(entries), tuple(places))

    @property
    def ports(self) -> int:
        """How many ports in a row they take."""
        return len(self.entries) * PER_ENTRY

    @property
    def used(self) -> list[tuple[str, int]]:
        """PC/SC's name, and the port counted from the first, of each reader that was asked for."""
        return [self._reader(entry, slot) for entry, slot in self.places]

    @property
    def every(self) -> list[tuple[str, int]]:
        """As ``used``, in order of the ports, with the readers that come along with those asked for."""
        return [self._reader(entry, slot) for entry in range(len(self.entries)) for slot in range(PER_ENTRY)]

    def _reader(self, entry: int, slot: int) -> tuple[str, int]:
        return f"{self.entries[entry]} 00 {slot:02X}", entry * PER_ENTRY + slot  # as pcscd numbers them


def _unique(name: str, taken: Sequence[str]) -> str:
    letters = ("", *(f" {chr(letter)}" for letter in range(ord("B"), ord("Z") + 1)))
    return next(made for letter in letters if (made := name + letter) not in taken)
