"""How an extending layout changes what it extends: key by key, an item alone, the levels of its keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeAlias

from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.paths import PsamKey
from emulator.filesystem.layouts.specs import LayoutError, Table
from emulator.messages import _

SINGLE = {"item": ("items", "tag"), "field": ("fields", ""), "element": ("elements", "tag")}
"""Tables that change one entry of a list: the list, and the key that names an entry (none: its number, from 1)."""
ALL = "all"
CARD_READING = "card-reading"
"""The source of what `sscard learn` saw on one card, in the register of sources."""
HABITS = "habits"
Difference: TypeAlias = tuple[str, Any, Any]
"""Dotted key, the value before, the value after; None for nothing."""


def merge(below: Table, above: Table) -> Table:
    """Tables merged key by key; where both have a value that is not a table, ``above`` wins."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def with_single_items(below: Table, above: Table, source: str) -> Table:
    """An extending table in which ``[file.PATH.item.TAG]`` (``field.NUMBER`` of a cyclic file, ``element.TAG`` within
    an item) has become a whole list again: that of ``below``, or the table's own, with this entry changed.

    LayoutError where there is no such entry.
    """
    files = above.get("file")
    if not isinstance(files, dict):
        return above
    known = below.get("file", {})
    changed = {
        path: _changed(known.get(path, {}), table, f'file."{path}"', source) if isinstance(table, dict) else table
        for path, table in files.items()
    }
    return {**above, "file": changed}


def _changed(below: Table, above: Table, where: str, source: str) -> Table:
    result = dict(above)
    for single, (plural, name) in SINGLE.items():
        if single not in result:
            continue
        changes = result.pop(single)
        entries = result.get(plural, below.get(plural))
        if not isinstance(changes, dict) or not isinstance(entries, list):
            raise LayoutError(
                source,
                f"{where}.{single}",
                _("expected tables, to change entries of inherited {plural}").format(plural=plural),
            )
        entries = [dict(entry) for entry in entries]
        for label, change in changes.items():
            at = _place(entries, label, name)
            if at is None or not isinstance(change, dict):
                found = ", ".join(_labels(entries, name)) or "none"
                raise LayoutError(
                    source,
                    f"{where}.{single}.{label}",
                    _("expected a table for one of the inherited {plural}: {found}").format(plural=plural, found=found),
                )
            entries[at] = merge(entries[at], _changed(entries[at], change, f"{where}.{single}.{label}", source))
        result[plural] = entries
    return result


def _labels(entries: list[Table], name: str) -> list[str]:
    return [str(entry.get(name, "")).upper() if name else str(at) for at, entry in enumerate(entries, 1)]


def _place(entries: list[Table], label: str, name: str) -> int | None:
    labels = _labels(entries, name)
    return labels.index(label.upper()) if label.upper() in labels else None


def with_key_levels(table: Table, source: str) -> Table:
    """A merged table without ``[key_levels]``, which has become levels and PSAM usage of the keys it names.

    ``all`` stands for every key of two levels: a region whose roots are diversified by the city already has 1, and its
    usage bytes 28 and 27 instead of 48 and 47. [S: part9:table B1, prog-yx]
    """
    if "key_levels" not in table:
        return table
    rest = {key: value for key, value in table.items() if key != "key_levels"}
    node = Node(source, "key_levels", table["key_levels"])
    keys: dict[str, Any] = dict(rest.get("key", {}))
    everyone = node.number(ALL, 1, 3) if ALL in node.rest else None
    single = {name: node.number(name, 1, 3) for name in [name for name in node.rest if name in keys]}
    node.done()
    for name, key in keys.items():
        levels = single.get(name, everyone if isinstance(key, dict) and key.get("levels") == 2 else None)
        if levels is not None and isinstance(key, dict):
            keys[name] = {**key, "levels": levels}
            with contextlib.suppress(ValueError):  # what is none is told when the key is read
                keys[name]["psam"] = str(PsamKey.parse(str(key.get("psam"))).with_levels(levels))
    return {**rest, "key": keys}


def differences(before: Table, after: Table) -> list[Difference]:
    """Where two merged tables differ: the dotted key, what stood there, what stands there now; None for nothing.

    Entries of lists go by their tag, or by their number; what a layout calls itself is no difference, nor is that a
    card's reading told one (``CARD_READING``). Each habit is one, also where only one of the two tables has any.
    """
    own = ("name", "title", "title_zh", HABITS)
    ours, theirs = habits_of(before), habits_of(after)
    return _differences("", _named(before, own), _named(after, own)) + [
        (key, ours.get(key), theirs.get(key)) for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)
    ]


def habits_of(table: Table) -> dict[str, Any]:
    """Every habit of a layout's table by its dotted key, without the word that they are told on."""
    return dict(_leaves((HABITS,), _named(table.get(HABITS, {}), ("grade", "sources"))))


def _leaves(where: tuple[str, ...], value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves((*where, _quoted(key)), below)
    else:
        yield ".".join(where), value


def _quoted(key: str) -> str:
    """A key as it stands in a dotted one."""
    return f'"{key}"' if set(key) & set(" /.:*") else key


def _named(table: Table, without: tuple[str, ...]) -> Table:
    return {key: value for key, value in table.items() if key not in without}


def _differences(where: str, before: Any, after: Any) -> list[Difference]:
    if before == after:
        return []
    if _entries(before) and _entries(after):
        before, after = _by_label(before), _by_label(after)
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[Difference] = []
        hidden = _told_by_a_card(after)
        for key in [*before, *(key for key in after if key not in before)]:
            if key in hidden:
                continue
            found += _differences(f"{where}.{_quoted(key)}".lstrip("."), before.get(key), after.get(key))
        return found
    return [(where, before, after)]


def _told_by_a_card(table: Table) -> set[str]:
    """Keys that say no more than that a card's reading told the differences beside them: they are none themselves."""
    return {
        key
        for grade, sources in (("grade", "sources"), ("access_grade", "access_sources"))
        if table.get(sources) == [CARD_READING]
        for key in (grade, sources)
    }


def _entries(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _by_label(entries: list[Table]) -> Table:
    return {str(entry.get("tag") or at): entry for at, entry in enumerate(entries, 1)}
