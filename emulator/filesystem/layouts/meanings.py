"""Values of items in words: what a code stands for, a date as people write it, an amount in yuan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from emulator.filesystem.layouts import codes, text
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat

Meaning: TypeAlias = "str | dict[str, Meaning]"
"""Words for a value; of a constructed item, by element, for those that have any. Empty: there is nothing to say."""


def meaning(item: ItemSpec, value: Value) -> Meaning:
    """What a value means, where that is not plain from the value itself; empty for a value that is not of its kind."""
    if not isinstance(value, str):
        parts = {part.label: part for part in item.elements}
        told = {tag: meaning(parts[tag], one) for tag, one in value.items() if tag in parts}
        return {tag: words for tag, words in told.items() if words}
    if not value:
        return ""
    try:
        return _READERS[item.kind](item, value) if item.kind in _READERS else _code(item, value)
    except (ValueError, LookupError):
        return ""


def in_words(item: ItemSpec, value: Value) -> str:
    """A value for people, and behind it what it means: ``01 汉族 Han``; of a constructed item, element by element."""
    if isinstance(value, str):
        words = meaning(item, value)
        shown = text.shown(value)
        return f"{shown} {words}" if isinstance(words, str) and words else shown
    parts = {part.label: part for part in item.elements}
    return "; ".join(
        f"{tag} {in_words(parts[tag], one) if tag in parts else _plain(one)}".rstrip() for tag, one in value.items()
    )


def _plain(value: Value) -> str:
    if isinstance(value, str):
        return text.shown(value)
    return "; ".join(f"{tag} {_plain(one)}" for tag, one in value.items())


def _code(item: ItemSpec, value: str) -> str:
    """Of a table. A digit that stands alone may have a zero before it: which of both is meant, nothing settles. [D]"""
    if not item.codes:
        return ""
    table = codes.table(item.codes)
    bare = value.strip()
    words = table.words(bare) or table.words(bare.lstrip("0"))
    return str(words) if words else ""


def _date(_: ItemSpec, value: str) -> str:
    return f"{datetime.strptime(value, '%Y%m%d'):%Y-%m-%d}"


def _month(_: ItemSpec, value: str) -> str:
    return f"{datetime.strptime(value, '%Y%m'):%Y-%m}"


def _time(_: ItemSpec, value: str) -> str:
    return f"{datetime.strptime(value, '%Y%m%d%H%M%S'):%Y-%m-%d %H:%M:%S}"


def _number(item: ItemSpec, value: str) -> int:
    return int(value, 16 if item.format in (ItemFormat.B, ItemFormat.HEX) else 10)


def _fen(item: ItemSpec, value: str) -> str:
    yuan, fen = divmod(_number(item, value), 100)
    return f"{yuan}.{fen:02}元 yuan"


def _months(item: ItemSpec, value: str) -> str:
    number = _number(item, value)
    return f"{number}个月 {number} month{'' if number == 1 else 's'}"


def _serial(item: ItemSpec, value: str) -> str:
    return str(_number(item, value)) if item.format in (ItemFormat.B, ItemFormat.HEX) else ""


_READERS: dict[str, Callable[[ItemSpec, str], str]] = {
    "date": _date,
    "month": _month,
    "time": _time,
    "fen": _fen,
    "months": _months,
    "number": _serial,
}
