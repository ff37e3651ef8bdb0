"""Values of items in words: what a code stands for, a date as people write it, an amount in yuan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from emulator.filesystem.layouts import codes, text
from emulator.filesystem.layouts.items import Value
from emulator.filesystem.layouts.specs import ItemSpec
from emulator.filesystem.layouts.terms import ItemFormat
from emulator.messages import ENGLISH, asked

Meaning: TypeAlias = "str | dict[str, Meaning]"
"""Words for a value; of a constructed item, by element, for those that have any. Empty: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Told:
    """Words for a value: what is the same in every language, and what stands behind it in Chinese and in English."""

    value: str = ""
    zh: str = ""
    en: str = ""

    def __str__(self) -> str:
        """In one line, ``汉族 Han``, ``12.00元 yuan``; in one language where one is asked for."""
        words = codes.Words(self.zh, self.en)
        apart = " " if self.value and self.en and asked() == ENGLISH else ""
        return f"{self.value}{apart}{words}".strip()

    @property
    def apart(self) -> codes.Words:
        """Each language by itself: ``12.00元`` and ``12.00 yuan``."""
        return codes.Words(f"{self.value}{self.zh}", f"{self.value} {self.en}".strip())


def told(item: ItemSpec, value: str) -> Told | None:
    """What the value of an item without elements means, the languages apart; None where there is nothing to say, or the
    value is not of its kind.
    """
    if not value:
        return None
    try:
        return _READERS[item.kind](item, value) if item.kind in _READERS else _code(item, value)
    except (ValueError, LookupError):
        return None


def meaning(item: ItemSpec, value: Value) -> Meaning:
    """What a value means, where that is not plain from the value itself; empty for a value that is not of its kind."""
    if not isinstance(value, str):
        parts = {part.label: part for part in item.elements}
        found = {tag: meaning(parts[tag], one) for tag, one in value.items() if tag in parts}
        return {tag: words for tag, words in found.items() if words}
    return str(told(item, value) or "")


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


def _code(item: ItemSpec, value: str) -> Told | None:
    """Of a table. A digit that stands alone may have a zero before it: which of both is meant, nothing settles. [D]"""
    if not item.codes:
        return None
    table = codes.table(item.codes)
    bare = value.strip()
    words = table.words(bare) or table.words(bare.lstrip("0"))
    return Told(zh=words.zh, en=words.en) if words else None


def _date(_: ItemSpec, value: str) -> Told:
    return Told(f"{datetime.strptime(value, '%Y%m%d'):%Y-%m-%d}")


def _month(_: ItemSpec, value: str) -> Told:
    return Told(f"{datetime.strptime(value, '%Y%m'):%Y-%m}")


def _time(_: ItemSpec, value: str) -> Told:
    return Told(f"{datetime.strptime(value, '%Y%m%d%H%M%S'):%Y-%m-%d %H:%M:%S}")


def _number(item: ItemSpec, value: str) -> int:
    return int(value, 16 if item.format in (ItemFormat.B, ItemFormat.HEX) else 10)


def fen(amount: int) -> Told:
    """An amount in yuan."""
    return Told(f"{amount // 100}.{amount % 100:02}", "元", "yuan")


def _fen(item: ItemSpec, value: str) -> Told:
    return fen(_number(item, value))


def _months(item: ItemSpec, value: str) -> Told:
    number = _number(item, value)
    return Told(zh=f"{number}个月", en=f"{number} month{'' if number == 1 else 's'}")


def _serial(item: ItemSpec, value: str) -> Told | None:
    return Told(str(_number(item, value))) if item.format in (ItemFormat.B, ItemFormat.HEX) else None


_READERS: dict[str, Callable[[ItemSpec, str], Told | None]] = {
    "date": _date,
    "month": _month,
    "time": _time,
    "fen": _fen,
    "months": _months,
    "number": _serial,
}
