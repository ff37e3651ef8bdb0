"""How two cards differ, or one card at two moments: place by place of their trees, in words.

Whether something differs is found on what the cards hold; what is told of it is what may be shown. Keys and PINs are
told as changed, never more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.memory.cells import PIN_CELL, key_cell
from harness.clock import Clock
from harness.studio.card.held import HeldCard
from harness.studio.card.model import Access, Application, Card, File, Item, Part, Tries
from harness.studio.card.tree import tree

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
OF_CARD = ""
"""The place of what is the card's as a whole."""
WHATS = {
    "layout": Words("布局", "layout"),
    "algorithm": Words("算法", "algorithm"),
    "atr": Words("复位应答", "answer to reset"),
    "life": Words("生命周期", "life cycle"),
    "activation": Words("启用状态", "activation"),
    "application": Words("当前应用", "current application"),
    "current": Words("当前文件", "current file"),
    "rights": Words("权限", "rights"),
    "fci": Words("选择应答", "what SELECT answers"),
    "dfname": Words("应用名称", "application name"),
    "there": Words("存在", "being there"),
    "structure": Words("结构", "structure"),
    "size": Words("长度", "length"),
    "read": Words("读条件", "read condition"),
    "update": Words("写条件", "update condition"),
    "content": Words("内容", "content"),
    "records": Words("记录", "records"),
    "value": Words("值", "value"),
    "tries": Words("剩余次数", "tries left"),
    "unblockings": Words("剩余解锁次数", "unblockings left"),
    "reference": Words("密钥标识", "key id"),
    "key": Words("密钥", "key"),
    "pin": Words("密码", "PIN"),
}
NOTHING = Words("无", "none")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``at``: the id of the place in the tree, empty for the card as a whole; ``what`` by name, and in
    words; ``before`` and ``after`` None where they are not to be told. ``marks``: ids of all that is new or otherwise
    there, as the records that came on top.
    """

    at: str
    place: Words
    kind: str
    what: str
    words: Words
    before: Words | None
    after: Words | None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """``left`` and ``right`` as they may be shown, and their differences in the tree's order."""

    left: Card
    right: Card
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Fact:
    """What is compared, and what may be told of it."""

    place: Words
    value: Hashable
    shown: Words | None


_Place = tuple[str, str]


def compared(left: HeldCard, right: HeldCard, *, show_values: bool, now: datetime | None = None) -> Compared:
    """Two cards, or one at two moments. ``show_values`` as of ``tree``."""
    moment = now or Clock().now()
    shown = [tree(one, show_values=show_values, now=moment) for one in (left, right)]
    facts = [
        dict(_facts(one, card if show_values else tree(one, show_values=True, now=moment), card))
        for one, card in zip((left, right), shown, strict=True)
    ]
    return Compared(shown[0], shown[1], tuple(_changes(*facts)))


def _changes(left: dict[_Place, _Fact], right: dict[_Place, _Fact]) -> Iterator[Change]:
    gone = {at for at, what in left if what == "there"} ^ {at for at, what in right if what == "there"}
    for place in dict.fromkeys((*left, *right)):
        at, what = place
        one, other = left.get(place), right.get(place)
        if one is not None and other is not None and one.value == other.value:
            continue
        if (what != "there" and at in gone) or _within(at, gone):
            continue  # told by what it lies in
        known = one or other
        assert known is not None
        kind = ADDED if one is None else REMOVED if other is None else CHANGED
        marks = _new(at, one, other) if what == "records" else ()
        before, after = (fact.shown if fact is not None else None for fact in (one, other))
        if before == after:  # the words do not tell them apart
            before = after = None
        yield Change(at, known.place, kind, what, WHATS[what], before, after, marks)


def _within(at: str, gone: set[str]) -> bool:
    return any(at != one and one and at.startswith(one) and at[len(one)] in "/.#" for one in gone)


def _new(at: str, one: _Fact | None, other: _Fact | None) -> tuple[str, ...]:
    """The records of a cyclic file that lie on top of those of before; all of them where none is left."""
    before: Any = one.value if one is not None else ()
    after: Any = other.value if other is not None else ()
    for fresh in range(len(after) + 1):
        kept = after[fresh:]
        if before[: len(kept)] == kept:
            return tuple(f"{at}/#{number}" for number in range(1, fresh + 1))
    return ()


# --- what of a card is compared --------------------------------------------------------------------------------------


def _same(text: object) -> Words:
    return Words(str(text), str(text))


def _facts(held: HeldCard, whole: Card, shown: Card) -> Iterator[tuple[_Place, _Fact]]:
    """``whole``: the card with all its values; ``shown``: as it may be seen."""
    here = Words("卡片", "the card")
    for what, value, told in (
        ("layout", (whole.layout, held.image.layout.fingerprint), _same(whole.layout)),
        ("algorithm", whole.algorithm, _same(whole.algorithm)),
        ("atr", whole.atr, _same(shown.atr)),
        ("life", whole.life, whole.life.words),
        ("activation", whole.activation, whole.activation.words if whole.activation else NOTHING),
        ("application", whole.standing.application, _same(whole.standing.application)),
        ("current", whole.standing.file, _same(whole.standing.file) if whole.standing.file else NOTHING),
        ("rights", tuple(whole.standing.rights), _same(", ".join(whole.standing.rights)) if whole.standing.rights
         else NOTHING),
    ):  # fmt: skip
        yield (OF_CARD, what), _Fact(here, value, told)
    yield from _application(held, whole.root, shown.root)


def _application(held: HeldCard, whole: Application, shown: Application) -> Iterator[tuple[_Place, _Fact]]:
    name = Words(f"{whole.id} {whole.name.zh}", f"{whole.id} {whole.name.en}")
    yield (whole.id, "there"), _Fact(name, value=True, shown=None)
    yield (whole.id, "dfname"), _Fact(name, whole.dfname, _same(whole.dfname))
    yield (whole.id, "fci"), _Fact(name, whole.fci, _same(whole.fci))
    if held.layout.applications[whole.id].parent:
        yield (whole.id, "life"), _Fact(name, whole.life, whole.life.words)
    for one, other in zip(whole.files, shown.files, strict=True):
        yield from _file(held, one, other)
    yield from _secrets(held, whole)
    for part, told in zip(_parts(whole), _parts(shown), strict=True):
        place = Words(f"{whole.id} {part.name.zh}", f"{whole.id} {part.name.en}") if part.name.zh else _same(part.id)
        yield (part.id, "there"), _Fact(place, value=True, shown=None)
        yield (part.id, "value"), _Fact(place, part.value, _of_part(told))
    for child, other_child in zip(whole.children, shown.children, strict=True):
        yield from _application(held, child, other_child)


def _parts(of: Application) -> tuple[Part, ...]:
    return (*(of.purse.parts if of.purse else ()), *of.data)


def _of_part(part: Part) -> Words | None:
    return None if part.value is None else part.meaning or _same(part.value)


def _file(held: HeldCard, whole: File, shown: File) -> Iterator[tuple[_Place, _Fact]]:
    name = Words(f"{whole.id} {whole.name.zh}", f"{whole.id} {whole.name.en}")
    yield (whole.id, "there"), _Fact(name, value=True, shown=None)
    yield (whole.id, "structure"), _Fact(name, whole.structure, _same(whole.structure))
    yield (whole.id, "size"), _Fact(name, whole.size, _same(whole.size))
    for what, access in (("read", whole.read), ("update", whole.update)):
        yield (whole.id, what), _Fact(name, (access.condition, access.messaging), _in_words(access))
    records = held.image.memory.records(whole.id)
    if whole.structure == "transparent":
        span = whole.certificate.words if whole.certificate else None
        yield (whole.id, "content"), _Fact(name, records, span)
    elif whole.structure == "cyclic":
        count = len(whole.records)
        yield (whole.id, "records"), _Fact(name, records, _same(count))
    else:
        order = {one.id: at for at, one in enumerate(one for one in whole.items if one.present)}
        for one, other in zip(whole.items, shown.items, strict=True):
            if one.present:
                secret = records[order[one.id]] if whole.secret else None
                yield from _item(whole, one, other, secret)


def _in_words(access: Access) -> Words:
    sealed = {"mac": Words("，带MAC", ", under a MAC"), "cipher": Words("，密文带MAC", ", enciphered under a MAC")}
    more = sealed.get(access.messaging, Words("", ""))
    return Words(access.words.zh + more.zh, access.words.en + more.en)


def _item(file: File, whole: Item, shown: Item, secret: bytes | None) -> Iterator[tuple[_Place, _Fact]]:
    name = Words(f"{whole.id} {whole.name.zh}".rstrip(), f"{whole.id} {whole.name.en}".rstrip())
    yield (whole.id, "there"), _Fact(name, value=True, shown=None)
    if whole.elements and not file.secret:
        for one, other in zip(whole.elements, shown.elements, strict=True):
            yield from _item(file, one, other, None)
        return
    yield (whole.id, "value"), _Fact(name, whole.hex if secret is None else secret, _of_item(shown))


def _of_item(item: Item) -> Words | None:
    if item.value is None:
        return None
    told = _same(item.value) if item.value else NOTHING
    if item.meaning is None:
        return told
    return Words(f"{item.value} {item.meaning.zh}", f"{item.value} {item.meaning.en}")


def _secrets(held: HeldCard, of: Application) -> Iterator[tuple[_Place, _Fact]]:
    """Keys and the PIN: their counters and versions; of their values only whether they are the same."""
    memory = held.image.memory
    for key in of.keys:
        name = Words(f"{key.name} {key.title.zh}".rstrip(), f"{key.name} {key.title.en}".rstrip())
        yield (key.id, "there"), _Fact(name, value=True, shown=None)
        yield (key.id, "reference"), _Fact(name, key.reference, _same(key.reference))
        loaded = tuple((version, memory.get(key_cell(key.name, version))) for version in key.versions)
        versions = ", ".join(map(str, key.versions))
        told = Words(f"版本 {versions}", f"version {versions}") if versions else NOTHING
        yield (key.id, "key"), _Fact(name, loaded, told)
        yield (key.id, "tries"), _Fact(name, key.tries, _left(key.tries))
    if of.pin is not None:
        name = Words("个人密码", "PIN")
        state = Words("已设置", "set") if of.pin.set else Words("未设置", "not set")
        yield (of.pin.id, "there"), _Fact(name, value=True, shown=None)
        yield (of.pin.id, "pin"), _Fact(name, memory.text(PIN_CELL), state)
        yield (of.pin.id, "tries"), _Fact(name, of.pin.tries, _left(of.pin.tries))
        yield (of.pin.id, "unblockings"), _Fact(name, of.pin.unblockings, _left(of.pin.unblockings))


def _left(tries: Tries | None) -> Words:
    return Words("不限", "unlimited") if tries is None else _same(f"{tries.left}/{tries.limit}")
