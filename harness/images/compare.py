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
from emulator.filesystem.memory.memory import state_cells
from emulator.filesystem.memory.purse import Purse
from emulator.messages import _, chinese_first, deferred, ngettext
from harness.terminal.values import ItemValue, decode_record


def images(left: Image, right: Image) -> list[str]:
    """Every difference between two images, one sentence each; empty if there is none."""
    said = []
    for what, one, other in (
        (_("layout"), _layout(left), _layout(right)),
        (_("algorithm"), left.algorithm, right.algorithm),
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
            said.append(
                _("tries left of {name}: {before!r} → {after!r}").format(name=name.name, before=one, after=other)
            )
        elif name.kind is CellKind.PIN:
            said.append(_pin(one, other))
        elif name.kind is CellKind.KEY:
            said.append(_key(one, other).format(name=name.name, version=name.version))
        elif name.kind is CellKind.STATE:
            said.append(_state(name, one, other))
        elif name.kind is CellKind.PURSE and isinstance(one, tuple) and isinstance(other, tuple):
            said += _purse(Purse.read(one), Purse.read(other))
        elif name.kind is CellKind.DATA:
            said.append(_data(one, other).format(name=name.name))
        elif isinstance(one, tuple) and isinstance(other, tuple) and name.name in layout.files:
            said += _file(layout.files[name.name], one, other)
        else:
            said.append(_("{name}: only one card has it").format(name=name))
    return said


def _pin(one: Cell | None, other: Cell | None) -> str:
    if not one:
        return _("the PIN was set")
    return _("the PIN was changed") if other else _("the PIN was taken away")


def _key(one: Cell | None, other: Cell | None) -> str:
    if one is None:
        return _("key {name}/{version} was loaded")
    return _("key {name}/{version} was removed") if other is None else _("key {name}/{version} was changed")


def _data(one: Cell | None, other: Cell | None) -> str:
    if one is None or other is None:
        return _("data object {name}: only one card has it")
    return _("data object {name}: was changed")


CARD_LIVES: dict[int, str] = {
    CardLife.IN_USE: deferred("in use"),
    CardLife.BLANK: deferred("blank"),
    CardLife.BLOCKED: deferred("blocked"),
}
ACTIVATIONS: dict[int, str] = {Activation.ACTIVE: deferred("active"), Activation.DORMANT: deferred("not active")}
APPLICATION_LIVES: dict[int, str] = {
    ApplicationLife.IN_USE: deferred("in use"),
    ApplicationLife.TEMPORARY: deferred("blocked for a time"),
    ApplicationLife.PERMANENT: deferred("blocked for ever"),
}


def states(layout: Layout, cells: Mapping[CellKey, Cell]) -> list[str]:
    """Of the card and its applications, those that are not simply in use, and what they are."""
    return [f"{name.name}: {_life(name, cells[name])}" for name in state_cells(layout) if cells[name] != 0]


def _life(of: CellKey, value: Cell | None) -> str:
    names = {CARD_STATE: CARD_LIVES, ACTIVATION: ACTIVATIONS}.get(of, APPLICATION_LIVES)
    if not isinstance(value, int):
        return "-"
    return _(names[value]) if value in names else "?"


def _state(of: CellKey, one: Cell | None, other: Cell | None) -> str:
    return f"{of.name}: {_life(of, one)} → {_life(of, other)}"


def _purse(left: Purse, right: Purse) -> Iterator[str]:
    for field in fields(Purse):
        one, other = getattr(left, field.name), getattr(right, field.name)
        if one != other:
            shown = [value.hex().upper() if isinstance(value, bytes) else value for value in (one, other)]
            yield _("medical account, {field}: {before} → {after}").format(
                field=field.name, before=shown[0], after=shown[1]
            )


def _file(spec: FileSpec, left: tuple[bytes, ...], right: tuple[bytes, ...]) -> Iterator[str]:
    if spec.structure is Structure.TRANSPARENT:
        places = [place for place in range(spec.size) if left[0][place] != right[0][place]]
        yield ngettext(
            "{path} {name}: {number} byte at {first}",
            "{path} {name}: {number} bytes between {first} and {last}",
            len(places),
        ).format(path=spec.path, name=spec.name, number=len(places), first=places[0], last=places[-1])
        return
    if spec.structure is Structure.CYCLIC:
        fresh = [record for record in right if record not in left]
        yield _("{path} {name}: {before} → {after} records, {fresh} of them new").format(
            path=spec.path, name=spec.name, before=len(left), after=len(right), fresh=len(fresh)
        )
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
    words = f"{known.path} {chinese_first(known.spec.name_en, known.spec.name)}".rstrip()
    if spec.secret:
        return f"{words}: {_('added') if one is None else _('removed') if other is None else _('changed')}"
    if one is None or other is None:
        return f"{words}: {_('added') if one is None else _('removed')} ({known.words})"
    return f"{words}: {one.words} → {other.words}"


def _decoded(spec: FileSpec, record: bytes | None) -> ItemValue | None:
    return None if record is None else next(decode_record(spec, record, 0))
