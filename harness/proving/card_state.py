"""What a card is like before and after a run, and what became of it: names and counts, no value of it."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property

from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import PIN_CELL, PURSE_CELL, Cell, CellKey, CellKind, file_cell
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.purse import Purse
from harness.keys.access import TerminalError
from harness.terminal.values import decode_record

PIN, KEYS, TRIES, LIFE, ACCOUNT = "pin", "key", "tries", "life", "account"
"""How the names of what is no item begin: ``tries/PIN``, ``life/card``, ``account/balance``, ``key/IRK/1``; ``pin``."""

KEPT = 1024
"""Files of cards that are remembered."""


@dataclass(frozen=True)
class CardState:
    """All that a card holds, each part by its name as a keyed digest: equal parts of one proving have equal ones, and
    no value can be found from them without its key. ``counts``: tries left, life cycles and amounts, as they are;
    ``region``: the items of insurances' regions that the card has.
    """

    parts: Mapping[str, str]
    counts: Mapping[str, int]
    region: tuple[str, ...]
    malformed: tuple[str, ...]
    """Items that cannot be read as what they are: half-written ones."""

    @cached_property
    def digest(self) -> str:
        """Of all parts."""
        text = "".join(f"{name} {value}\n" for name, value in sorted(self.parts.items()))
        return hmac.digest(b"", text.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class CardChange:
    """One part of a card that is otherwise: ``changed``, ``added`` or ``removed``; of counts, amounts: by how much."""

    name: str
    what: str
    by: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.what}" + (f" ({self.by:+d})" if self.by else "")


def state(image: Image, key: bytes) -> CardState:
    """What a card is like now. ``key``: of this proving, for the digests."""
    cells = image.memory.snapshot()
    held = dict(_parts(image.layout, cells))
    counts = {
        f"{TRIES if name.kind is CellKind.TRIES else LIFE}/{name.name}": int(cell)
        for name, cell in cells.items()
        if name.kind in (CellKind.TRIES, CellKind.STATE) and isinstance(cell, int)
    }
    if isinstance(purse := cells.get(PURSE_CELL), tuple):
        told = Purse.read(purse)
        for one in fields(Purse):
            if isinstance(value := getattr(told, one.name), int):
                counts[f"{ACCOUNT}/{one.name}"] = value
    regions = tuple(one.item for one in image.layout.insurance_region if one.item in held)
    return CardState(
        {name: hmac.digest(key, name.encode() + b"\0" + value, "sha256").hex()[:16] for name, value in held.items()},
        counts,
        regions,
        tuple(sorted(_malformed(image.layout, cells))),
    )


def _parts(layout: Layout, cells: Mapping[CellKey, Cell]) -> Iterator[tuple[str, bytes]]:
    for name, cell in cells.items():
        if name == PIN_CELL:
            yield PIN, str(cell).encode()
        elif name == PURSE_CELL and isinstance(cell, tuple):
            purse = Purse.read(cell)
            for one in fields(Purse):
                yield f"{ACCOUNT}/{one.name}", repr(getattr(purse, one.name)).encode()
        elif name.kind is CellKind.KEY and isinstance(cell, bytes):
            yield f"{KEYS}/{name.name}/{name.version}", cell
        elif name.kind is CellKind.TRIES:
            yield f"{TRIES}/{name.name}", str(cell).encode()
        elif name.kind is CellKind.STATE:
            yield f"{LIFE}/{name.name}", str(cell).encode()
        elif isinstance(cell, tuple) and name.name in layout.files:
            yield from _of_file(layout.files[name.name], cell)


def _of_file(spec: FileSpec, records: tuple[bytes, ...]) -> Iterator[tuple[str, bytes]]:
    if spec.structure is Structure.RECORDS and not spec.directory:
        counted: dict[str, int] = {}
        for record in records:
            item = spec.item(record[0]) if record else None
            label = item.label if item else record[:1].hex().upper()
            counted[label] = counted.get(label, 0) + 1
            number = counted[label]
            yield f"{spec.path}/{label}" + (f"#{number}" if number > 1 else ""), record
        return
    yield spec.path, b"".join(len(one).to_bytes(2, "big") + one for one in records)


def _malformed(layout: Layout, cells: Mapping[CellKey, Cell]) -> Iterator[str]:
    for path, spec in layout.files.items():
        records = cells.get(file_cell(path), ())
        if spec.directory or spec.structure is Structure.TRANSPARENT or not isinstance(records, tuple):
            continue
        yield from _unreadable(layout, path, records)


_known: dict[tuple[str, str, tuple[bytes, ...]], tuple[str, ...]] = {}
"""By layout, file and records: those that cannot be read. Most files are the same in run after run."""


def _unreadable(layout: Layout, path: str, records: tuple[bytes, ...]) -> tuple[str, ...]:
    key = (layout.fingerprint, path, records)
    found = _known.get(key)
    if found is None:
        names = (f"{path}/{one[:1].hex().upper()}" for one in records if not _readable(layout.files[path], one))
        if len(_known) >= KEPT:
            _known.clear()
        found = _known[key] = tuple(names)
    return found


def _readable(spec: FileSpec, record: bytes) -> bool:
    """Whether a record can be read as what it is."""
    try:
        list(decode_record(spec, record, 0))
    except (TerminalError, ValueError):
        return False
    return True


def changes(before: CardState, after: CardState) -> tuple[CardChange, ...]:
    """What became of a card, in the order of its parts."""
    found = []
    for name in dict.fromkeys((*before.parts, *after.parts)):
        one, other = before.parts.get(name), after.parts.get(name)
        if one == other:
            continue
        by = after.counts.get(name, 0) - before.counts.get(name, 0)
        what = "added" if one is None else "removed" if other is None else "changed"
        found.append(CardChange(name, what, by))
    return tuple(found)


def apart(found: tuple[CardChange, ...], allowed: tuple[str, ...]) -> tuple[CardChange, ...]:
    """The changes that none of these names, in which ``*`` stands for anything, allows."""
    return tuple(one for one in found if not any(fnmatchcase(one.name, pattern) for pattern in allowed))


def region_in_part(before: CardState, after: CardState) -> tuple[int, int] | None:
    """How many of how many insurances' regions changed, where it was some and not all; None else."""
    moved = sum(before.parts.get(name) != after.parts.get(name) for name in after.region)
    return (moved, len(after.region)) if 0 < moved < len(after.region) else None


def lost_tries(found: tuple[CardChange, ...]) -> tuple[CardChange, ...]:
    """The try counters that have fewer left."""
    return tuple(one for one in found if one.name.startswith(f"{TRIES}/") and one.by < 0)
