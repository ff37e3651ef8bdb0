"""What of an answer's data may be written down: its shape. Tags and lengths, names of an FCI; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from emulator.apdu.instructions.select import Select
from harness.trace.mask import PersonalData

HIDDEN = "*"
_NAMED = bytes(Select.command(b"\0" * 5))


def hidden(size: int) -> str:
    """So many bytes that are not told."""
    return f"{HIDDEN}{size}" if size else ""


def fci(data: bytes) -> str:
    """An FCI: its tags, lengths and names, hidden what else is in it."""
    seen = PersonalData().seen(_NAMED, data + b"\x90\x00")[1]
    parts = [(at in seen.shown, one) for at, one in enumerate(data)]
    return " ".join(_runs(parts))


def _runs(parts: list[tuple[bool, int]]) -> Iterator[str]:
    for shown, run in groupby(parts, lambda one: one[0]):
        values = bytes(one for __, one in run)
        yield values.hex().upper() if shown else hidden(len(values))


def shown_fci(data: bytes) -> bytes:
    """An FCI with zeros for what may not be told."""
    return PersonalData().seen(_NAMED, data + b"\x90\x00")[1].zeroed[:-2]


def record(data: bytes, *, nested: bool = False) -> str:
    """A record of tag, length and value; ``nested``: the value is such a row itself. What is none is hidden."""
    if not is_tlv(data):
        return hidden(len(data))
    head = data[:2].hex().upper()
    inner = elements(data[2:]) if nested else None
    if inner is None:
        return f"{head} {hidden(len(data) - 2)}".rstrip()
    return " ".join((head, *(f"{tag:02X}{size:02X} {hidden(size)}".rstrip() for tag, size in inner)))


def is_tlv(data: bytes) -> bool:
    """True for one byte of tag, one of length, and so much."""
    return len(data) >= 2 and data[1] == len(data) - 2


def elements(value: bytes) -> list[tuple[int, int]] | None:
    """Tags and lengths of a row of such objects, None where it does not come out even."""
    found, at = [], 0
    while at < len(value):
        if at + 2 > len(value) or at + 2 + value[at + 1] > len(value):
            return None
        found.append((value[at], value[at + 1]))
        at += 2 + value[at + 1]
    return found


@dataclass(frozen=True, slots=True)
class Shaper:
    """The shape of one file's records. ``nested``: tags whose value is a row of such objects; ``plain``: none has a
    tag.
    """

    nested: frozenset[int] = frozenset()
    plain: bool = False

    def __call__(self, data: bytes) -> str:
        """Of one record, or of several in a row."""
        if self.plain or not data:
            return hidden(len(data))
        found = elements(data)
        if found is None:
            return hidden(len(data))
        parts, at = [], 0
        for tag, size in found:
            parts.append(record(data[at : at + 2 + size], nested=tag in self.nested))
            at += 2 + size
        return " ".join(parts)
