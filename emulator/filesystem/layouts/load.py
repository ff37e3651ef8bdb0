"""Layouts: which applications, files, items, keys and access conditions a card has, read from TOML.

Every error is a LayoutError that names the file, the dotted key and what was expected there.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from emulator.filesystem.layouts.changes import merge, with_key_levels, with_single_items
from emulator.filesystem.layouts.reader import LayoutReader, fingerprint_of
from emulator.filesystem.layouts.specs import Layout, LayoutError, Table
from emulator.textfiles import as_toml, text
from emulator.textfiles.text import FormatError


def names() -> list[str]:
    """The layouts that come with the package."""
    folder = resources.files(__package__)
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name_or_path: str | Path) -> Layout:
    """A layout by name (``2.00``, ``3.00``) or by the path of a TOML file; LayoutError if it is not good.

    One that was read before is the same object: layouts are never changed.
    """
    name = str(name_or_path)
    return _shipped(name) if name in names() else _loaded(name)


@lru_cache(maxsize=32)
def _shipped(name: str) -> Layout:
    return _loaded(name)


def _loaded(name: str) -> Layout:
    table, source = _read(name, None, ())
    return _made(with_key_levels(table, source), source)


def base_of(name_or_path: str | Path) -> Layout | None:
    """The layout that another extends, None for one that stands alone."""
    name = str(name_or_path)
    table, _, folder = _own(name, None)
    parent = table.get("extends")
    if not isinstance(parent, str):
        return None
    merged, source = _read(parent, folder, ())
    return _made(with_key_levels(merged, source), source)


def from_table(table: Table, source: str) -> Layout:
    """A layout from its merged table, as an image carries it. ``source`` names it in errors."""
    return _made(table, source)


def _made(table: Table, source: str) -> Layout:
    try:
        fingerprint = fingerprint_of(table)
    except TypeError:
        return LayoutReader(source, table).layout()  # a date, say: the reader complains of it
    if fingerprint not in _known:
        while len(_known) >= KEPT:
            del _known[next(iter(_known))]
        _known[fingerprint] = LayoutReader(source, table).layout()
    return _known[fingerprint]


KEPT = 64
_known: dict[str, Layout] = {}
"""Layouts by fingerprint, the oldest first: at most ``KEPT``, as tests make them by the hundred."""


def _own(name: str, base: Path | None) -> tuple[Table, str, Path | None]:
    """One file's own table, what names it in errors, and the folder that relative paths in it start from."""
    path = Path(name) if name.endswith(".toml") else None
    if path is not None:
        path = base / path if base and not path.is_absolute() else path
        source, file = str(path), cast(Traversable, path)
    else:
        if name not in names():
            raise LayoutError(
                name, "", f"no such layout: give one of {', '.join(names())}, or the path of a .toml file"
            )
        source = f"{name}.toml"
        file = resources.files(__package__) / source
    try:
        table = dict(_parsed(text.read(file) if isinstance(file, Path) else file.read_text(encoding="utf-8"), source))
    except FileNotFoundError:
        raise LayoutError(source, "", "no such file") from None
    except OSError as error:
        raise LayoutError(source, "", f"cannot be read: {error.strerror}") from None
    except FormatError as error:
        raise LayoutError(source, f"line {error.line}" if error.line else "", error.what) from None
    except ValueError:
        raise LayoutError(repr(source), "", "no file has such a name") from None
    return table, source, path.parent if path else None


def _read(name: str, base: Path | None, seen: tuple[str, ...]) -> tuple[Table, str]:
    table, source, folder = _own(name, base)
    if source in seen:
        raise LayoutError(source, "extends", f"goes round in a circle: {' → '.join((*seen, source))}")
    parent = table.pop("extends", None)
    if parent is None:
        return table, source
    if not isinstance(parent, str):
        raise LayoutError(source, "extends", f"expected the name or path of a layout, found {parent!r}")
    merged, _ = _read(parent, folder, (*seen, source))
    removed = table.pop("remove", {})
    below = _without(merged, removed, source)
    return merge(below, with_single_items(below, table, source)), source


@lru_cache(maxsize=32)
def _parsed(content: str, source: str) -> Table:
    return as_toml.loads(content, source)


def _without(table: Table, removed: object, source: str) -> Table:
    """A table less what an extending layout takes away: ``[remove]``, lists of names by section."""
    if not isinstance(removed, dict):
        raise LayoutError(source, "remove", f"expected a table of lists by section, found {removed!r}")
    result = dict(table)
    for section, gone in removed.items():
        known = result.get(section)
        if not isinstance(known, dict) or not isinstance(gone, list):
            raise LayoutError(source, f"remove.{section}", "expected a section of tables, and a list of its names")
        for name in gone:
            if name not in known:
                raise LayoutError(source, f"remove.{section}", f"{name!r} is not there to be removed")
        result[section] = {key: value for key, value in known.items() if key not in gone}
    return result


__all__ = ["base_of", "from_table", "load", "merge", "names"]
