"""Issuing a card: a persona's data and diversified test keys, laid out by a layout, become an image."""

from __future__ import annotations

from typing import Any

from emulator.crypto import Suite, suite, suite_of
from emulator.crypto.keys import card_key, factors, pin_key, test_root
from emulator.errors import Misuse
from emulator.filesystem.layouts import items, text
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec, KeySpec, Layout
from emulator.filesystem.layouts.terms import CardKind, IssuedState, KeyUse, Structure
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    PIN_CELL,
    PURSE_CELL,
    Activation,
    ApplicationLife,
    CardLife,
    Cell,
    CellKey,
    file_cell,
    key_cell,
    state_cell,
    tries_cell,
)
from emulator.filesystem.memory.directory import listed
from emulator.filesystem.memory.files import messaging_of
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.purse import Purse
from emulator.interface import chip_factor
from emulator.messages import _
from emulator.personas import Persona, bank
from emulator.security import PIN

RID = bytes.fromhex("D156000005")
INITIALISER = "9156000002"
COMPUTED = ("SSSE/EF05/01", "SSSE/EF05/03", "SSSE/EF05/04")
"""Items that no persona gives."""
LIVES = {IssuedState.IN_USE: CardLife.IN_USE, IssuedState.BLANK: CardLife.BLANK, IssuedState.BLOCKED: CardLife.BLOCKED}


def issue(persona: Persona, layout: Layout, algorithm: str) -> Image:
    """A fresh card of this persona. ItemError, naming file and item, where the layout has no room for a value.

    Misuse where persona and layout are of different kinds of card.
    """
    if persona.card != layout.card:
        raise Misuse(
            _("persona {name} is for a {card} card, layout {name_2} is a {card_2} card's").format(
                name=persona.name, card=persona.card, name_2=layout.name, card_2=layout.card
            )
        )
    if persona.card is CardKind.PSAM:
        layout = _own_psam(persona, layout)
    region = bytes.fromhex(persona.region)
    atr = layout.atr_header + layout.atr_maker + region[:2] + persona.serial
    factor = chip_factor(atr)
    algorithms = suite(algorithm)
    blank = persona.state is IssuedState.BLANK
    cells: dict[CellKey, Cell] = {PIN_CELL: layout.pin.initial if blank else persona.pin}
    transport = layout.personalisation.key if layout.personalisation else ""
    for key in layout.keys.values():
        cells[tries_cell(key.name)] = min(persona.spent.get(key.name, key.tries), key.tries)
        if key.name not in persona.missing_keys and not (blank and key.name != transport):
            roots = layout.card is CardKind.PSAM and key.use is KeyUse.DELIVERY
            cells |= _roots(layout, key, persona) if roots else _versions(layout, key, persona, factor, algorithms)
    cells[tries_cell(PIN)] = layout.pin.tries if persona.tries_left is None else persona.tries_left
    for name, cell in (*_states(persona, layout).items(), *bank.objects(persona, layout).items()):
        cells[name] = cell
    if layout.purse is not None:
        cells[PURSE_CELL] = _purse(persona).cell()
    told, old = persona.for_version(layout.version), frozenset(persona.versions.get(layout.version, ()))
    computed = _computed(told, layout, cells, region)
    for spec in layout.files.values():
        if spec.directory:
            cells[file_cell(spec.path)] = listed(layout)
        else:
            cells[file_cell(spec.path)] = _empty(spec) if blank else _content(told, spec, computed, old)
    return Image(layout, algorithm, atr, cells)


def _own_psam(persona: Persona, layout: Layout) -> Layout:
    """The layout of this PSAM: the algorithms it has, and how far its roots are diversified already."""
    keys = {
        name: {**table, "psam": f"{usage & 0x1F | min(usage >> 5, persona.levels) << 5:02X}{table['psam'][2:]}"}
        if (usage := int(table.get("psam", "")[:2] or "0", 16))
        else table
        for name, table in layout.table["key"].items()
    }
    held = [name for name in layout.algorithms if name in persona.algorithms]
    return layouts.from_table({**layout.table, "key": keys, "algorithms": held}, layout.name)


def _versions(layout: Layout, key: KeySpec, persona: Persona, chip_factor: bytes, card: Suite) -> dict[CellKey, Cell]:
    """The values of a card's key by cell, diversified down to the card, or made from its PIN."""
    if key.pin:
        return {key_cell(key.name): pin_key(key.pin, text=key.use is not KeyUse.PIN)}
    algorithms = suite_of(messaging_of(layout, key.application)[0].algorithm, card)
    return {
        key_cell(key.name, version): card_key(
            algorithms, test_root(key.name, version), persona.region, chip_factor, key.levels
        )
        for version in range(1, key.versions + 1)
    }


def _roots(layout: Layout, key: KeySpec, persona: Persona) -> dict[CellKey, Cell]:
    """The values of a PSAM's root by cell: one for each algorithm, diversified as far as it is delivered. One with no
    level left is the same for every card, so it is not diversified at all. [D]
    """
    done = factors(persona.region, b"", key.levels)[: key.levels - key.levels_left] if key.levels_left else []
    cells: dict[CellKey, Cell] = {}
    for algorithms in map(suite, layout.algorithms):
        value = test_root(key.name)
        for factor in done:
            value = algorithms.derive(value, factor)
        cells[key_cell(key.name, algorithms.code)] = value
    return cells


def _states(persona: Persona, layout: Layout) -> dict[CellKey, Cell]:
    """Returns the cells of the life cycle: card, activation, blocked applications."""
    dormant = layout.activation is not None and (persona.state is IssuedState.BLANK or not persona.activated)
    cells: dict[CellKey, Cell] = {CARD_STATE: LIVES[persona.state], ACTIVATION: Activation(dormant)}
    lives = (
        (persona.suspended, ApplicationLife.TEMPORARY),
        (persona.blocked, ApplicationLife.PERMANENT),
    )
    return cells | {state_cell(name): life for names, life in lives for name in names if name in layout.applications}


def _purse(persona: Persona) -> Purse:
    given = dict(persona.purse)
    for name in ("year", "day"):
        if name in given:
            given[name] = bytes.fromhex(given[name])
    return Purse(**given)


def _computed(persona: Persona, layout: Layout, cells: dict[CellKey, Cell], region: bytes) -> dict[str, Any]:
    """Items that follow from the chip and the layout."""
    identification = region + RID + persona.serial
    irk = cells.get(key_cell("IRK"))
    # The check is 3DES's whatever the card's suite is. [1: reference:card §3]
    check = suite("3des").mac(irk, identification) if isinstance(irk, bytes) else b"\xff" * 4
    return {
        "SSSE/EF05/01": (identification + check).hex(),
        "SSSE/EF05/03": layout.version,
        "SSSE/EF05/04": INITIALISER + persona.region * 2 + "01",
        **bank.records(persona, layout),
        **_public_keys(persona, layout),
    }


def _public_keys(persona: Persona, layout: Layout) -> dict[str, str]:
    """The public keys' files: the layout's header, and the persona's key where it has one."""
    plan = layout.certificate
    paths = (plan.public, plan.encryption_public) if plan is not None else ()
    keys = {path: persona.values.get(path, {}).get("hex", "") for path in paths}
    return {path: plan.header.hex() + key for path, key in keys.items() if plan is not None and key}


def _empty(spec: FileSpec) -> tuple[bytes, ...]:
    return (bytes(spec.size),) if spec.structure is Structure.TRANSPARENT else ()


def _content(persona: Persona, spec: FileSpec, computed: dict[str, Any], old: frozenset[str]) -> tuple[bytes, ...]:
    """The records of a file, or its bytes. ``old``: the files whose values are in an older version's terms; others
    speak in 2.00's, so that what an older tag now means is written as on a card brought up to date.
    """
    values = _continued(spec, persona.values.get(spec.path, {}))
    if spec.structure is Structure.TRANSPARENT:
        content = bytes.fromhex(computed.get(spec.path) or values.get("hex", ""))
        return (content[: spec.size].ljust(spec.size, b"\0"),)
    try:
        if spec.structure is Structure.CYCLIC:
            records = values.get("records", [])[: spec.records]
            return tuple(items.encode_fields(spec.items, record) for record in records)
        return tuple(
            items.tlv(item, value, rewritten=item.label in values and spec.path not in old)
            for item in spec.items
            if f"{spec.path}/{item.label}" not in persona.removed
            for value in _values(item, computed.get(f"{spec.path}/{item.label}", values.get(item.label)))
        )
    except items.ItemError as error:
        raise items.ItemError(
            _("persona {name}, {place}").format(name=persona.name, place=spec.path), str(error)
        ) from None


def _continued(spec: FileSpec, values: dict[str, Any]) -> dict[str, Any]:
    """A file's values, one that is longer than its item cut, and the rest in the item that continues it."""
    result = dict(values)
    for item in spec.items:
        if item.continues is None or item.label in values:
            continue
        head = spec.item(item.continues)
        value = values.get(head.label, "") if head else ""
        if head is not None and not head.rewritten and len(text.encode(value)) > head.length:
            result[head.label], result[item.label] = text.pieces(value, head.length)
    return result


def _values(item: ItemSpec, value: Any) -> list[Any]:
    blank = items.blank(item)
    given = value if isinstance(value, list) else [blank if value is None else value]
    return [*given, *[blank] * item.count][: item.count]
