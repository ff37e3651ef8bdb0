"""How the elements of a B-TLV item, and the fields of a cyclic record, stand in the library's strings.

``named``: elements as ``33=480;34=…``, one that is not named becomes empty; fields each ended by ``|``. [D]
``^``: both in the order of the file, all of them, ``^`` between two. [1: reference:corrections H6]
"""

from __future__ import annotations

from collections.abc import Sequence

from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.messages import _
from harness.driver.codes import Code, DriverError

NAMED, CARET = "named", "^"
WAYS = (NAMED, CARET)
BETWEEN, OF = ";", "="
"""Between the named elements of an item, and between an element's tag and its value. [D]"""


def text(item: ItemSpec, value: items.Value, way: str = NAMED) -> str:
    """A value as pOutInfo has it."""
    if isinstance(value, str):
        return value
    if way == CARET:
        return CARET.join(text(one, value.get(one.label, ""), way) for one in item.elements)
    parts = {one.label: one for one in item.elements}
    return BETWEEN.join(f"{tag}{OF}{text(parts.get(tag, item), one)}" for tag, one in value.items())


def told(item: ItemSpec, value: str, way: str = NAMED) -> dict[str, str]:
    """The elements that a text in pWriteData names, by their tags; empty: none. -23."""
    known = [one.label for one in item.elements]
    if not value:
        return {}
    if way == CARET:
        return dict(zip(known, _in_order(item.label, value, len(known)), strict=True))
    found: dict[str, str] = {}
    for one in value.split(BETWEEN):
        tag, there, rest = one.partition(OF)
        if not there or tag not in known:
            raise DriverError(
                Code.BAD_INPUT,
                _("B-TLV {label}: 应为 expected {known}, each with {of}").format(
                    label=item.label, known=", ".join(known), of=OF
                ),
            )
        found[tag] = rest
    return found


def fields(values: Sequence[str], way: str = NAMED) -> list[str]:
    """A record's fields as pOutInfo has them."""
    return [CARET.join(values)] if way == CARET else list(values)


def told_fields(name: str, values: Sequence[str], count: int, way: str = NAMED) -> list[str]:
    """The fields of a record that pWriteData gives; -23 for more or fewer than it has."""
    if way == CARET and len(values) == 1:
        return _in_order(name, values[0], count)
    if len(values) != count:
        raise DriverError(
            Code.BAD_INPUT, _("{name}: 应为{count}个字段 expected {count} fields").format(name=name, count=count)
        )
    return list(values)


def _in_order(name: str, value: str, count: int) -> list[str]:
    found = value.split(CARET)
    if len(found) != count:
        raise DriverError(
            Code.BAD_INPUT,
            _("{name}: 应为{count}项 expected {count} in the file's order, {caret} between").format(
                name=name, count=count, caret=CARET
            ),
        )
    return found
