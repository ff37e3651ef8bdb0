"""What differs between two states of a card, in words. PINs and keys are never told, only that they changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from emulator.filesystem.layouts.specs import FileSpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    Activation,
    ApplicationLife,
    CardLife,
    Cell,
    CellKey,
    CellKind,
)
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.purse import Purse
from harness.terminal.values import ItemValue, decode_record


def images(left: Image, right: Image) -> list[str]:
    """Every difference between two images, one sentence each; empty if there is none."""
    said = []
    for what, one, other in (
        ("layout", _layout(left), _layout(right)),
        ("algorithm", left.algorithm, right.algorithm),
        ("ATR", left.atr.hex().upper(), right.atr.hex().upper()),
    ):  # fmt: skip
        if one != other:
            said.append(f"{what}: {one} → {other}")
    return said + cells(left.layout, left.memory.snapshot(), right.memory.snapshot())


def _layout(image: Image) -> str:
    return f"{image.layout.name} ({image.layout.fingerprint[:8]})"


def cells(layout: Layout, left: Mapping[CellKey, Cell], right: Mapping[CellKey, Cell]) -> list[str]:
    """Every difference between two snapshots of cards of one layout."""
    said: list[str] = []
    for name in [*left, *(name for name in right if name not in left)]:
        one, other = left.get(name), right.get(name)
        if one == other:
            continue
        if name.kind is CellKind.TRIES:
            said.append(f"tries left of {name.name}: {one!r} → {other!r}")
        elif name.kind is CellKind.PIN:
            said.append("the PIN was " + ("set" if not one else "taken away" if not other else "changed"))
        elif name.kind is CellKind.KEY:
            how = "loaded" if one is None else "removed" if other is None else "changed"
            said.append(f"key {name.name}/{name.version} was {how}")
        elif name.kind is CellKind.STATE:
            said.append(_state(name, one, other))
        elif name.kind is CellKind.PURSE and isinstance(one, tuple) and isinstance(other, tuple):
            said += _purse(Purse.read(one), Purse.read(other))
        elif isinstance(one, tuple) and isinstance(other, tuple) and name.name in layout.files:
            said += _file(layout.files[name.name], one, other)
        else:
            said.append(f"{name}: only one card has it")
    return said


CARD_LIVES: dict[int, str] = {CardLife.IN_USE: "in use", CardLife.BLANK: "blank", CardLife.BLOCKED: "blocked"}
ACTIVATIONS: dict[int, str] = {Activation.ACTIVE: "active", Activation.DORMANT: "not active"}
APPLICATION_LIVES: dict[int, str] = {
    ApplicationLife.IN_USE: "in use",
    ApplicationLife.TEMPORARY: "blocked for a time",
    ApplicationLife.PERMANENT: "blocked for ever",
}


def _state(of: CellKey, one: Cell | None, other: Cell | None) -> str:
    names = {CARD_STATE: CARD_LIVES, ACTIVATION: ACTIVATIONS}.get(of, APPLICATION_LIVES)
    left, right = (names.get(value, "?") if isinstance(value, int) else "-" for value in (one, other))
    return f"{of.name}: {left} → {right}"


def _purse(left: Purse, right: Purse) -> Iterator[str]:
    for field in fields(Purse):
        one, other = getattr(left, field.name), getattr(right, field.name)
        if one != other:
            shown = [value.hex().upper() if isinstance(value, bytes) else value for value in (one, other)]
            yield f"medical account, {field.name}: {shown[0]} → {shown[1]}"


def _file(spec: FileSpec, left: tuple[bytes, ...], right: tuple[bytes, ...]) -> Iterator[str]:
    if spec.structure is Structure.TRANSPARENT:
        places = [place for place in range(spec.size) if left[0][place] != right[0][place]]
        yield f"{spec.path} {spec.name}: {len(places)} bytes between {places[0]} and {places[-1]}"
        return
    if spec.structure is Structure.CYCLIC:
        fresh = [record for record in right if record not in left]
        yield f"{spec.path} {spec.name}: {len(left)} → {len(right)} records, {len(fresh)} of them new"
        return
    for number in range(max(len(left), len(right))):
        one = left[number] if number < len(left) else None
        other = right[number] if number < len(right) else None
        if one != other:
            yield _item(spec, one, other)


def _item(spec: FileSpec, left: bytes | None, right: bytes | None) -> str:
    one, other = (_decoded(spec, record) for record in (left, right))
    known = one or other
    assert known is not None
    words = f"{known.path} {known.spec.name} {known.spec.name_en}".rstrip()
    if spec.secret:
        return f"{words}: {'added' if one is None else 'removed' if other is None else 'changed'}"
    if one is None or other is None:
        return f"{words}: {'added' if one is None else 'removed'} ({known.words})"
    return f"{words}: {one.words} → {other.words}"


def _decoded(spec: FileSpec, record: bytes | None) -> ItemValue | None:
    return None if record is None else next(decode_record(spec, record, 0))
