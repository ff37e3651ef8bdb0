"""What of a card's values may occur in nothing that is made of it: whatever may tell whose card it was.

Kept away from are, of every value that is no code of a table [D]:

- the whole value, from four bytes on, unless it is one character again and again;
- of texts any two Chinese characters that stand side by side;
- of texts and numbers any six letters and digits side by side, of a citizen id those after its region, of a bank card
  number those after its issuer, of the identification code those of serial number and check;
- of bytes any eight side by side.

Codes, regions, countries, years, months, counts, lists of data objects and what names the issuer are not: thousands
share each of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from emulator.filesystem.layouts import items, text
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, Layout
from emulator.filesystem.layouts.terms import ItemFormat, Structure

Contents = Mapping[str, Sequence[bytes]]
"""What was read of a card, by file: records whole, with tag and length where they have them; of a transparent file its
bytes, alone. A file that was not read is not there.
"""

SHARED = frozenset({
    "code", "region", "country", "year", "month", "months", "count", "number", "data object list",
    "initialising organisation",
})  # fmt: skip
"""Kinds of value that thousands of cards have alike."""
WHOLE_ONLY = frozenset({"date", "time", "time of day", "short date", "fen", "terminal number"})
"""Kinds whose parts say nothing: an amount's zeros, a date's year."""
HEADS = {"citizen id": 6, "bank card number": 6, "track 2": 6, "identification code": 16}
"""Characters before which nothing of a person stands: the region, the issuer, region and RID."""
SHORTEST, RUN, BYTES_RUN = 4, 6, 8
PICTURE_HEAD = 24
"""Bytes that all pictures of a kind begin with."""
WORD = re.compile(r"[0-9A-Za-z]+")


@dataclass(slots=True)
class Personal:
    """The values to keep away from. ``whole`` by their text; ``pairs`` of Chinese characters; ``runs`` of letters and
    digits; ``rows`` of bytes in hex.
    """

    whole: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)

    def copy(self) -> Personal:
        """One's own, to add to."""
        return Personal(set(self.whole), set(self.pairs), set(self.runs), set(self.rows))

    def add(self, item: ItemSpec, value: Value) -> None:
        """Keeps away from a value as ``items.decode`` gives it, of a constructed item from each of its elements."""
        if isinstance(value, Mapping):
            parts = {part.label: part for part in item.elements}
            for tag, held in value.items():
                self.add(parts.get(tag, UNKNOWN), held)
            return
        if item.kind in SHARED or not value:
            return
        if _size(item, value) >= SHORTEST and not _even(value):
            self.whole.add(value)
        if item.kind == "time":
            self.whole.add(value[:8])
        if item.kind == "citizen id":
            self.whole.add(value[6:14])
        if item.kind in WHOLE_ONLY:
            return
        if item.format in (ItemFormat.B, ItemFormat.HEX) and item.kind != "track 2":
            self._bytes(value)
            return
        self.pairs.update(pairs(value))
        self.runs.update(runs(value[HEADS.get(item.kind, 0) :]))

    def content(self, data: bytes) -> None:
        """Keeps away from the bytes of a transparent file."""
        held = data.rstrip(b"\0").rstrip(b"\xff")
        if len(held) >= SHORTEST and not _even(held.hex()):
            self.whole.add(held.hex().upper())
            self._bytes(held.hex().upper(), PICTURE_HEAD if held[:2] in (b"\xff\xd8", b"BM") else 0)

    def _bytes(self, digits: str, start: int = 0) -> None:
        self.rows.update(rows(digits, start))

    def has(self, item: ItemSpec, value: str) -> bool:
        """True if a value that is to stand in an item says something of what is kept away from."""
        if item.kind in SHARED or not value:
            return False
        if value in self.whole or (item.kind == "time" and value[:8] in self.whole):
            return True
        if item.kind in WHOLE_ONLY:
            return False
        if item.kind == "citizen id" and value[6:14] in self.whole:
            return True
        if item.format in (ItemFormat.B, ItemFormat.HEX) and item.kind != "track 2":
            return self.has_bytes(value)
        own = value[HEADS.get(item.kind, 0) :]
        return not self.pairs.isdisjoint(pairs(value)) or not self.runs.isdisjoint(runs(own))

    def has_bytes(self, digits: str) -> bool:
        """True if bytes, in hex, hold a row of what is kept away from."""
        return digits in self.whole or not self.rows.isdisjoint(rows(digits))


UNKNOWN = ItemSpec(None, ItemFormat.HEX, 0, "", "", "D")
"""What stands on a card beyond what its layout declares."""


def of_card(layout: Layout, contents: Contents, into: Personal) -> None:
    """Adds the values of a card, declared or not."""
    for path, records in contents.items():
        spec = layout.files.get(path)
        for record in records:
            if spec is not None and spec.directory:
                continue
            if spec is None or spec.structure is Structure.TRANSPARENT:
                into.content(record)
                continue
            for item, value in held(spec, record):
                into.add(item, value)


def of_values(layouts: Iterable[Layout], values: Mapping[str, Mapping[str, object]], into: Personal) -> None:
    """Adds the values of a persona, by file and tag."""
    for layout in layouts:
        for path, spec in layout.files.items():
            own = values.get(path, {})
            digits = own.get("hex")
            if isinstance(digits, str):
                into.content(bytes.fromhex(digits))
            listed = own.get("records")
            for record in listed if isinstance(listed, Sequence) else ():
                for item, value in zip(spec.items, record, strict=False):
                    into.add(item, value)
            for item in spec.items:
                given = own.get(item.label)
                for value in given if isinstance(given, Sequence) and not isinstance(given, str) else (given,):
                    if isinstance(value, str | Mapping):
                        into.add(item, cast("Value", value))


def held(spec: FileSpec, record: bytes) -> Iterator[tuple[ItemSpec, Value]]:
    """The items in one record of a file and what they say; bytes that the layout does not know as what they are."""
    if spec.structure is Structure.CYCLIC:
        yield from zip(spec.items, items.decode_fields(spec.items, record), strict=True)
        yield UNKNOWN, record[spec.record_length :].hex().upper()
        return
    item = spec.item(record[0]) if record else None
    if item is None or len(record) < 2 or record[1] != len(record) - 2:
        yield UNKNOWN, record.hex().upper()
        return
    value = items.decode(item, record[2:])
    yield items.meant(item, record[2:]), value


def pairs(value: str) -> Iterator[str]:
    """Two Chinese characters side by side."""
    for one, other in itertools.pairwise(value):
        if chinese(one) and chinese(other):
            yield one + other


def runs(value: str) -> Iterator[str]:
    """Six letters and digits side by side, but one again and again."""
    for word in WORD.findall(value):
        for at in range(len(word) - RUN + 1):
            if not _even(word[at : at + RUN]):
                yield word[at : at + RUN]


def rows(digits: str, start: int = 0) -> Iterator[str]:
    """Eight bytes side by side, in hex, but one again and again; ``start`` in bytes."""
    size = 2 * BYTES_RUN
    for at in range(2 * start, len(digits) - size + 1, 2):
        if not _even(digits[at : at + size]):
            yield digits[at : at + size]


def chinese(character: str) -> bool:
    """True for a Chinese character, of whichever plane."""
    return text.whole(character) and ("\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff")


def _size(item: ItemSpec, value: str) -> int:
    """Bytes that a value takes on the card."""
    if item.format in (ItemFormat.B, ItemFormat.HEX):
        return len(value) // 2
    return (len(value) + 1) // 2 if item.format is ItemFormat.CN else len(text.encode(value, "replace"))


def _even(value: str) -> bool:
    """True for one character again and again, or one byte in hex."""
    return len(set(value)) == 1 or value == value[:2] * (len(value) // 2)
