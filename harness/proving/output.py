"""What a program printed, fit to be kept: what may be a value of the card, a PIN or a key is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import CardKind, Structure
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.filesystem.memory.image import Image
from emulator.own_personas.personal import SHARED, held
from harness.messages.visible import visible
from harness.proving.card_state import KEPT

LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9][0-9 ./:-]{4,}[0-9Xx](?![0-9A-Za-z])")
"""Six digits and more, written together or apart: an id, a date, a number of a card."""
LONG_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[ :]?){4,}(?![0-9A-Za-z])")
"""Four bytes and more."""
SHORTEST, SHORTEST_WORD = 2, 4
"""Letters of a value that is looked for; of Latin letters and digits more, which stand anywhere."""
STAR = "*"


def text(output: bytes) -> str:
    """Output as text; what is not UTF-8 as GB 18030 where it is that, else with replacements."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return output.decode(encoding)
        except UnicodeDecodeError:
            continue
    return output.decode("utf-8", "replace")


def hidden(told: str, *cards: Image) -> str:
    """The same, each value that these cards hold, their PINs, and whatever is a long number or bytes in hex, as
    asterisks; controls made visible, but for line ends.
    """
    for pattern in (LONG_HEX, LONG_NUMBER):  # first: they are no longer whole once a value in them is hidden
        told = pattern.sub(lambda found: re.sub(r"[0-9A-Za-z]", STAR, found[0]), told)
    for value in sorted(_values(*cards), key=len, reverse=True):
        told = told.replace(value, STAR * len(value))
    return "\n".join(visible(line) for line in told.splitlines())


def _values(*cards: Image) -> set[str]:
    """What stands in these cards as text, in whole."""
    found: set[str] = set()
    for card in cards:
        if card.layout.card is CardKind.USER:
            found.add(card.memory.text(PIN_CELL))
        for path, spec in card.layout.files.items():
            if spec.structure is Structure.RECORDS and not spec.directory:
                found |= _of_file(card.layout, path, card.memory.records(path))
    return {one for one in found if len(one) >= (SHORTEST_WORD if one.isascii() else SHORTEST) and not one.isspace()}


_known: dict[tuple[str, str, tuple[bytes, ...]], frozenset[str]] = {}
"""By layout, file and records: their texts."""


def _of_file(layout: Layout, path: str, records: tuple[bytes, ...]) -> frozenset[str]:
    key = (layout.fingerprint, path, records)
    found = _known.get(key)
    if found is None:
        spec = layout.files[path]
        if len(_known) >= KEPT:
            _known.clear()
        texts = (one for record in records for item, value in held(spec, record) for one in _texts(item, value))
        found = _known[key] = frozenset(texts)
    return found


def _texts(item: ItemSpec, value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        parts = {part.label: part for part in item.elements}
        for tag, inner in value.items():
            if tag in parts:
                yield from _texts(parts[tag], inner)
    elif item.kind not in SHARED and value:
        yield str(value).strip()
