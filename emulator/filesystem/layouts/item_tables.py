"""The items of a file of records, and the fields of a cyclic one, from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from emulator.filesystem.layouts import codes
from emulator.filesystem.layouts.kinds import KINDS
from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.messages import _

FORMATS = (ItemFormat.AN, ItemFormat.CN, ItemFormat.B, ItemFormat.DEC, ItemFormat.HEX)
CONSTRUCTED = (ItemFormat.B_TLV, ItemFormat.BER_TLV)
CLASSES = ("", "in use", "defined", "reserve", "mandatory", "optional")
"""V2.0's 启用, 预设, 预留; 1.00's 必选, 可选; empty where none is printed."""
CONTINUATIONS = ("split", "whole")
LONGEST, LONGEST_PLAIN = 253, 127
"""Bytes of an item; a BER-TLV record keeps to lengths of one byte."""
_NO_PARENT = ItemSpec(None, ItemFormat.HEX, 0, "", "", "D")


def records(node: Node, parent: ItemSpec, *, whole: bool) -> tuple[ItemSpec, ...]:
    """``items`` of a file and what ``rewritten`` says of them. ``parent`` has the grade, sources and class that an item
    without its own takes from its file; ``whole``: continuations are joined to the items that they continue.
    """
    items = [_item(child, parent, tagged=True) for child in node.nodes("items")]
    _distinct(node, items)
    items = _continued(node, items, whole=whole)
    return _rewritten(node, items, parent)


def fields(node: Node, parent: ItemSpec) -> tuple[ItemSpec, ...]:
    """``fields`` of a cyclic file's records."""
    return tuple(_item(child, parent, tagged=False) for child in node.nodes("fields"))


def _item(node: Node, parent: ItemSpec, *, tagged: bool, within: ItemFormat | None = None) -> ItemSpec:
    """An item, or within a constructed one (``within`` its format) an element."""
    wide = within is ItemFormat.BER_TLV
    tag = int.from_bytes(node.hexadecimal("tag", range(1, 3 if wide else 2)), "big") if tagged else None
    formats = (
        FORMATS
        if not tagged or within is ItemFormat.B_TLV
        else (*FORMATS, ItemFormat.BER_TLV)
        if wide
        else FORMATS + CONSTRUCTED
    )
    item = replace(
        _described(node, parent),
        tag=tag,
        format=ItemFormat(node.choice("format", formats)),
        count=node.number("count", 1, 254, 1) if tagged and not within else 1,
    )
    item = replace(item, variable=wide or item.format is ItemFormat.BER_TLV)
    if tagged and not within and "continues" in node.rest:
        item = replace(item, continues=node.hexadecimal("continues", range(1, 2))[0])
    if item.format in CONSTRUCTED:
        elements = tuple(_item(child, item, tagged=True, within=item.format) for child in node.nodes("elements"))
        _distinct(node, elements)
        length = sum(len(part.label) // 2 + 1 + part.length for part in elements)
        most = LONGEST if item.format is ItemFormat.B_TLV else LONGEST_PLAIN
        if not 1 <= length <= most:
            raise node.error(
                "elements", _("expected 1 to {most} bytes in all, found {length}").format(most=most, length=length)
            )
        item = replace(item, length=length, elements=elements)
    else:
        item = replace(item, length=node.number("length", 1, LONGEST_PLAIN if wide else LONGEST))
    node.done()
    return item


def _described(node: Node, parent: ItemSpec) -> ItemSpec:
    """Name, meaning, grade and sources; the rest still empty."""
    kind = node.choice("kind", ("", *KINDS), "")
    return replace(
        _NO_PARENT,
        name=node.text("name", ""),
        name_en=node.text("name_en", ""),
        grade=node.grade(parent.grade),
        kind=kind,
        codes=node.choice("codes", ("", *codes.ids()), KINDS[kind].codes if kind else ""),
        usage=node.choice("class", CLASSES, parent.usage),
        sources=node.sources(parent.sources),
    )


def _distinct(node: Node, items: Iterable[ItemSpec]) -> None:
    seen: set[int | None] = set()
    for item in items:
        if item.tag in seen:
            raise node.error("items", _("tag {label} is declared twice").format(label=item.label))
        seen.add(item.tag)


def _continued(node: Node, items: Sequence[ItemSpec], *, whole: bool) -> list[ItemSpec]:
    """Continuations checked, or joined to what they continue."""
    result: list[ItemSpec] = []
    for item in items:
        before = result[-1] if result else None
        if item.continues is None:
            result.append(item)
        elif before is None or before.tag != item.continues or before.format != item.format:
            raise node.error(
                "items",
                _("{label} continues {continues:02X}: expected that item, of its format, before it").format(
                    label=item.label, continues=item.continues
                ),
            )
        elif whole:
            result[-1] = replace(before, length=before.length + item.length)
        else:
            result.append(item)
    return result


def _rewritten(node: Node, items: Sequence[ItemSpec], parent: ItemSpec) -> tuple[ItemSpec, ...]:
    """The items, with the later meaning of those that have one."""
    if "rewritten" not in node.rest:
        return tuple(items)
    by_tag = {item.tag: item for item in items}
    for child in node.nodes("rewritten"):
        tag = child.hexadecimal("tag", range(1, 2))[0]
        old = by_tag.get(tag)
        if old is None or old.elements:
            raise child.error("tag", _("expected a plain item of this file, found {tag:02X}").format(tag=tag))
        new = replace(_described(child, parent), tag=tag, format=old.format, length=old.length, later=True)
        if "after" in child.rest:
            after = child.hexadecimal("after", range(1, 2))[0]
            if after not in by_tag:
                raise child.error("after", _("expected an item of this file, found {after:02X}").format(after=after))
            new = replace(new, after=after)
        else:
            new = replace(
                new,
                format=ItemFormat(child.choice("format", FORMATS)),
                length=child.number("length", 1, old.length - 1),
            )
        child.done()
        by_tag[tag] = replace(old, rewritten=new)
    return tuple(by_tag[item.tag] for item in items)
