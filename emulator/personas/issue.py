"""Issuing a card: a persona's data and diversified test keys, laid out by a layout, become an image."""

from __future__ import annotations

from typing import Any

from emulator.crypto import suite
from emulator.crypto.keys import card_key, test_root
from emulator.crypto.tripledes import retail_mac
from emulator.filesystem import items
from emulator.filesystem.image import Image
from emulator.filesystem.memory import PIN_CELL, Cell, file_cell, key_cell, tries_cell
from emulator.filesystem.specs import FileSpec, Layout
from emulator.personas import Persona
from emulator.security import PIN

RID = bytes.fromhex("D156000005")
INITIALISER = "9156000002"


def issue(persona: Persona, layout: Layout, algorithm: str) -> Image:
    """A fresh card of this persona. ItemError, naming file and item, where the layout has no room for a value."""
    region = bytes.fromhex(persona.region)
    atr = layout.atr_header + layout.atr_maker + region[:2] + persona.serial
    algorithms = suite(algorithm)
    cells: dict[str, Cell] = {PIN_CELL: persona.pin}
    for key in layout.keys.values():
        cells[key_cell(key.name)] = card_key(algorithms, test_root(key.name), persona.region, atr[-8:], key.levels)
        cells[tries_cell(key.name)] = key.tries
    cells[tries_cell(PIN)] = layout.pin.tries if persona.tries_left is None else persona.tries_left
    identification = region + RID + persona.serial
    irk = cells[key_cell("IRK")] if "IRK" in layout.keys else None
    check = retail_mac(irk, identification) if isinstance(irk, bytes) else b"\xff" * 4
    computed = {
        "SSSE/EF05/01": (identification + check).hex(),
        "SSSE/EF05/03": layout.version,
        "SSSE/EF05/04": INITIALISER + persona.region * 2 + "01",
    }
    for spec in layout.files.values():
        cells[file_cell(spec.path)] = _content(persona, spec, computed)
    return Image(layout, algorithm, atr, cells)


def _content(persona: Persona, spec: FileSpec, computed: dict[str, str]) -> tuple[bytes, ...]:
    values = persona.values.get(spec.path, {})
    if spec.structure == "transparent":
        return (bytes.fromhex(values.get("hex", ""))[: spec.size].ljust(spec.size, b"\0"),)
    try:
        if spec.structure == "cyclic":
            records = values.get("records", [])[: spec.records]
            return tuple(items.encode_fields(spec.items, record) for record in records)
        return tuple(
            items.tlv(item, value)
            for item in spec.items
            if f"{spec.path}/{item.label}" not in persona.removed
            for value in _values(
                computed.get(f"{spec.path}/{item.label}", values.get(item.label)), item.count, item.format
            )
        )
    except items.ItemError as error:
        raise items.ItemError(f"persona {persona.name}, {spec.path}: {error}") from None


def _values(value: Any, count: int, kind: str) -> list[Any]:
    blank: Any = {} if kind == "B-TLV" else "0" if kind == "dec" else ""
    given = value if isinstance(value, list) else [blank if value is None else value]
    return [*given, *[blank] * count][:count]
