"""A drawn layout as a TOML file: what differs from the nearest one, and beside it what that one says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.filesystem.layouts.changes import SINGLE
from harness.learning.draw import Drawing

BARE = re.compile(r"[A-Za-z0-9_-]+")
LISTS = {single: plural for single, (plural, __) in SINGLE.items()}
BASIS = frozenset({"grade", "sources", "access_grade", "access_sources"})
HEAD = """\
# A card as `sscard learn` read it: the nearest layout, and where the card differs from it. 由`sscard learn`读卡得出。
# What the card did not show is as in {base}; what could not be seen is told in learning.json and the report.
# No serial number and no value of a person is in it.
"""


def text(drawing: Drawing) -> str:
    """The file's content; reading it gives the drawing's own table again."""
    lines = [HEAD.format(base=drawing.base.name)]
    lines += _table((), drawing.own, drawing.base.table)
    return "\n".join(lines) + "\n"


def _table(path: tuple[str, ...], table: Mapping[str, Any], below: Any) -> Iterator[str]:
    """A table: its values first, then the tables within."""
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if path and (values or not table):
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, value in values.items():
        yield f"{_key(key)} = {_value(value)}{_before(path, key, below)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _table((*path, key), value, _inner(below, key))


def _inner(below: Any, key: str) -> Any:
    """What the nearest layout has under a key; of a list's entry, that entry."""
    if not isinstance(below, Mapping):
        return None
    if key in LISTS:
        entries = below.get(LISTS[key], [])
        return {str(one.get("tag") or at).upper(): one for at, one in enumerate(entries, 1)}
    return below.get(key)


def _before(path: tuple[str, ...], key: str, below: Any) -> str:
    """What stood there before, in a comment."""
    old = below.get(key) if isinstance(below, Mapping) and path else None
    return (
        ""
        if key in BASIS or old is None or isinstance(old, list | dict)
        else f"   # {json.dumps(old, ensure_ascii=False)}"
    )


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + "".join(f"    {_value(one)},\n" for one in value) + "]"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_inline(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _inline(value: Any) -> str:
    """Within an inline table, which ends on its line but within a list."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"[{', '.join(map(_value, value))}]"
    return _value(value)
