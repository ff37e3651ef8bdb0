"""Items as the library's strings name them: found in the card's layout, read, checked, written and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.apdu.status import SW
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.specs import FileSpec, ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat, Structure
from emulator.filesystem.layouts.text import encode, join
from emulator.messages import _
from emulator.security import Condition
from harness.driver import elements, formats
from harness.driver.codes import Code, DriverError, negated
from harness.driver.formats import Wanted
from harness.driver.open_card import OpenCard
from harness.keys.access import Unproved
from harness.keys.none import NoKeys
from harness.terminal.terminal import Terminal
from harness.terminal.values import ItemValue

NAMES = ("SSSE/EF06/09", "SSSE/EF06/4E")
NEWEST = 1
CONTROL = frozenset(map(chr, (*range(0x20), 0x7F)))
HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Part:
    """What a tag of pFileAddr means: an item, the first or another with its tag, or one element of it."""

    file: FileSpec
    item: ItemSpec
    occurrence: int = 1
    element: ItemSpec | None = None

    @property
    def path(self) -> str:
        """Returns the item's path, as the terminal takes it."""
        return f"{self.file.path}/{self.item.label}"


@dataclass(frozen=True, slots=True)
class Write:
    """One value for an item, or for an element of one."""

    part: Part
    value: items.Value


@dataclass(frozen=True, slots=True)
class Addition:
    """A newest record of a cyclic file, by its fields."""

    file: FileSpec
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A transparent file's new content, of its size."""

    file: FileSpec
    content: bytes


Planned = Write | Addition | Whole


def file(terminal: Terminal, wanted: Wanted) -> FileSpec:
    """The file that is meant; -27266. Only a transparent one is meant as a whole: -14."""
    spec = terminal.layout.files.get(wanted.path)
    if spec is None:
        raise DriverError(negated(SW.FILE_NOT_FOUND), _("文件不存在 no file {path}").format(path=wanted.path))
    if wanted.whole and spec.structure is not Structure.TRANSPARENT:
        raise DriverError(
            Code.BAD_PARAMETER, _("应给出数据项或记录号 items, or one record: {name!r}").format(name=wanted.name)
        )
    return spec


def as_item(spec: FileSpec) -> ItemSpec:
    """A transparent file as one item, in hex."""
    return ItemSpec(None, ItemFormat.HEX, spec.size, spec.name, spec.name_en, spec.grade)


def is_whole(value: ItemValue) -> bool:
    """True for a transparent file that was read as a whole."""
    return value.spec.tag is None and not value.number


def parts(terminal: Terminal, wanted: Wanted) -> list[Part]:
    """The items that are meant; -27009, -27266, -27267."""
    spec = file(terminal, wanted)
    return [_part(spec, tag, suffix) for tag, suffix in wanted.tags]


def _part(spec: FileSpec, tag: str, suffix: str) -> Part:
    item = spec.item(int(tag, 16))
    if item is None:
        if spec.structure is Structure.TRANSPARENT:
            raise DriverError(
                negated(SW.COMMAND_INCOMPATIBLE), _("文件无记录 {path} has no records").format(path=spec.path)
            )
        raise _missing(_("{path} has no item {tag}").format(path=spec.path, tag=tag))
    if not suffix:
        return Part(spec, item)
    element = next((one for one in item.elements if one.label == suffix), None)
    if element is not None:
        return Part(spec, item, 1, element)
    if suffix.isdigit() and 1 <= int(suffix) <= item.count:
        return Part(spec, item, int(suffix))
    raise _missing(_("{path}/{tag} has no {suffix}").format(path=spec.path, tag=tag, suffix=suffix))


def _missing(what: str) -> DriverError:
    return DriverError(negated(SW.RECORD_NOT_FOUND), _("记录不存在 {what}").format(what=what))


# --- reading -------------------------------------------------------------------------------------------------------


def read(terminal: Terminal, wanted: Wanted) -> list[ItemValue]:
    """A file's items, the fields of its record, or the file as a whole."""
    spec = file(terminal, wanted)
    if wanted.whole:
        return [ItemValue(spec.path, as_item(spec), terminal.read_binary(spec.path).hex().upper())]
    if wanted.record:
        return terminal.read_record(wanted.path, wanted.record)
    return [_value(terminal, part) for part in parts(terminal, wanted)]


def mirrored(card: OpenCard, found: list[tuple[Wanted, list[ItemValue]]]) -> str:
    """pOutInfo of what was read, which the open card keeps as it is."""
    card.told[:] = [one for _, values in found for one in values]
    return formats.mirrored([(wanted, _texts(card, wanted, values)) for wanted, values in found])


def _texts(card: OpenCard, wanted: Wanted, values: list[ItemValue]) -> list[str]:
    texts = [elements.text(one.spec, one.value, card.elements) for one in values]
    return elements.fields(texts, card.elements) if wanted.record else texts


def _value(terminal: Terminal, part: Part) -> ItemValue:
    content = terminal.read_bytes(part.path, part.occurrence)
    value = items.decode(part.item, content)
    if part.element is None:
        return ItemValue(part.path, items.meant(part.item, content), value)
    if not isinstance(value, dict) or part.element.label not in value:
        raise _missing(_("{path} has no element {label}").format(path=part.path, label=part.element.label))
    return ItemValue(f"{part.path}/{part.element.label}", part.element, value[part.element.label])


def name(terminal: Terminal) -> str:
    """Items 09 and 4E joined, a character cut between them whole again; a card without 4E is no error.
    [S: reference:terminal flow 1]
    """
    first, more = NAMES
    found = str(terminal.read(first))
    if terminal.layout.files["SSSE/EF06"].item(0x4E) is None:
        return found
    return join(found, str(terminal.read_if_there(more) or ""))


# --- writing -------------------------------------------------------------------------------------------------------


def to_write(terminal: Terminal, wanted: Wanted) -> tuple[Condition, ...]:
    """What writing these asks for. An element is written with the others as they are, which are read before."""
    spec = file(terminal, wanted)
    with_others = any(part.element for part in parts(terminal, wanted))
    return (spec.read, spec.update) if with_others else (spec.update,)


def plan(card: OpenCard, wanted: Wanted, values: list[str]) -> Sequence[Planned]:
    """What is to be written, checked: -41, -42, -27266, -27267. Of a cyclic file only the newest record: -14."""
    spec = file(card.terminal, wanted)
    if wanted.whole:
        return [_whole(spec, *values)]
    if wanted.record:
        return [_addition(spec, wanted, values, card.elements)]
    return [
        Write(part, _checked(part.element or part.item, value, card.elements))
        for part, value in zip(parts(card.terminal, wanted), values, strict=True)
    ]


def _whole(spec: FileSpec, value: str) -> Whole:
    """A file's content from hex; what is shorter is filled up with zeros, as no byte of the old one may stay. [D]"""
    check(as_item(spec), value)
    return Whole(spec, bytes.fromhex(value).ljust(spec.size, b"\0"))


def _addition(spec: FileSpec, wanted: Wanted, given: list[str], way: str) -> Addition:
    if spec.structure is not Structure.CYCLIC:
        raise DriverError(
            negated(SW.COMMAND_INCOMPATIBLE), _("不是循环文件 {path} is not cyclic").format(path=spec.path)
        )
    if wanted.record != NEWEST:
        raise DriverError(
            Code.BAD_PARAMETER,
            _("{name}: 只能写入最新记录 only the newest record is written, 01").format(name=wanted.name),
        )
    values = elements.told_fields(wanted.name, given, len(spec.items), way)
    for item, value in zip(spec.items, values, strict=True):
        check(item, value)
    return Addition(spec, tuple(values))


def write(terminal: Terminal, planned: Planned) -> None:
    """Writes it, and holds what reads back against it, where it may be read: -15."""
    if isinstance(planned, Whole):
        path = planned.file.path
        terminal.update_binary(path, planned.content)
        if _read_back(terminal, planned.file, lambda: terminal.read_binary(path)) not in (None, planned.content):
            raise _differs(path)
        return
    if isinstance(planned, Addition):
        terminal.add_record(planned.file.path, planned.values)
        return
    part, value = planned.part, planned.value
    if part.element is not None:
        whole = terminal.read_bytes(part.path, part.occurrence)
        content = items.with_element(part.item, whole, part.element, value)
    else:
        content = items.encode(part.item, value, rewritten=_in_later_meaning(terminal, part, value))
    terminal.update_bytes(part.path, content, part.occurrence)
    if _content(terminal, part) not in (None, content):
        raise _differs(part.path)


def _differs(path: str) -> DriverError:
    return DriverError(
        Code.CHECKSUM, _("{path}: 回读与写入不符 what reads back is not what was written").format(path=path)
    )


def _content(terminal: Terminal, part: Part) -> bytes | None:
    """What the card holds there; None where it may not be read."""
    return _read_back(terminal, part.file, lambda: terminal.read_bytes(part.path, part.occurrence))


def _read_back(terminal: Terminal, spec: FileSpec, read: Callable[[], bytes]) -> bytes | None:
    """What the card holds there; None where it may not be read, as who may write may not always read."""
    if terminal.missing(spec.read) and isinstance(terminal.keys, NoKeys):
        return None
    try:
        return read()
    except Unproved:
        return None


def _in_later_meaning(terminal: Terminal, part: Part, value: items.Value) -> bool:
    """Whether a value is in the meaning that its tag was given later: the card has it so, or it fits no other. [D]"""
    new = part.item.rewritten
    if new is None or new.after is not None:
        return False
    if not _fits(part.item, str(value)):
        return True
    held = _content(terminal, part)
    return held is not None and items.meant(part.item, held) is new and _fits(new, str(value))


def _fits(item: ItemSpec, value: str) -> bool:
    try:
        check(item, value)
    except DriverError:
        return False
    return True


def _checked(item: ItemSpec, value: str, way: str) -> items.Value:
    if not item.elements:
        later = item.rewritten
        if later is None or later.after is not None or not _fits(later, value):
            check(item, value)
        return value
    told: dict[str, items.Value] = {}
    known = {one.label: one for one in item.elements}
    for tag, one in elements.told(item, value, way).items():
        check(known[tag], one)
        told[tag] = one
    return told


def check(item: ItemSpec, value: str) -> None:
    """-41 for characters that an item does not take, -42 for too many."""
    try:
        size = len(encode(value))
    except UnicodeEncodeError:
        raise DriverError(Code.ILLEGAL_CHARACTER) from None
    if item.format is ItemFormat.AN:
        allowed, most = CONTROL.isdisjoint(value), item.length
    elif item.format is ItemFormat.CN:
        allowed, most = value.isascii() and (value.isdigit() or not value), 2 * item.length
    elif item.format is ItemFormat.DEC:
        allowed, most = value.isascii() and value.isdigit(), len(str(256**item.length - 1))
    else:
        allowed, most = HEX.issuperset(value), 2 * item.length
    if not allowed:
        raise DriverError(Code.ILLEGAL_CHARACTER)
    large = item.format is ItemFormat.DEC and size <= most and int(value) >= 256**item.length
    if size > most or large or (item.format in (ItemFormat.B, ItemFormat.HEX) and size % 2):
        raise DriverError(Code.BAD_LENGTH)
