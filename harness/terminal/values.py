"""What was read from a card: records taken apart into items, and what their values are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.meanings import Meaning, in_words, meaning
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat, Structure
from emulator.messages import _
from harness.keys.access import TerminalError


@dataclass(frozen=True, slots=True)
class ItemValue:
    """One item as read: where, what it is, and its value; ``number`` counts records of cyclic files, from 1."""

    path: str
    spec: ItemSpec
    value: items.Value
    number: int = 0

    @property
    def meaning(self) -> Meaning:
        """What the value means in words; empty where there is nothing to say."""
        return meaning(self.spec, self.value)

    @property
    def words(self) -> str:
        """The value for people, and what it means: ``01 汉族 Han``."""
        return in_words(self.spec, self.value)


def whole(record: bytes, tag: int, doing: str) -> bytes:
    """The value in a record, which must be whole and have this tag; TerminalError."""
    if record[:2] != bytes((tag, max(0, len(record) - 2) & 0xFF)):
        raise TerminalError(_("{doing}: the card's answer is not that item, whole").format(doing=doing))
    return record[2:]


def decode_record(spec: FileSpec, record: bytes, number: int) -> Iterator[ItemValue]:
    """The item of a record, or the fields of a cyclic one."""
    if spec.structure is Structure.CYCLIC:
        for field, value in zip(spec.items, items.decode_fields(spec.items, record), strict=True):
            yield ItemValue(spec.path, field, value, number)
        return
    tag = record[0] if record else 0
    item = spec.item(tag) or ItemSpec(tag, ItemFormat.B, len(record) - 2, "", "", "D")
    content = whole(record, tag, _("reading {path}").format(path=spec.path))
    yield ItemValue(f"{spec.path}/{item.label}", items.meant(item, content), items.decode(item, content))


def brought_up(values: Sequence[ItemValue]) -> Iterator[ItemValue]:
    """A file's items, those whose form tells nothing in the meaning of the item that they follow. [T: v2:appendix C]"""
    rewritten = {one.spec.tag for one in values if one.spec.later}
    for one in values:
        new = one.spec.rewritten
        yield replace(one, spec=new) if new is not None and new.after in rewritten else one
