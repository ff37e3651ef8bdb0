"""Layouts: which applications, files, items, keys and access conditions a card has, read from TOML.

Every error is a LayoutError that names the file, the dotted key and what was expected there.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from emulator.filesystem.layout_reader import LayoutReader
from emulator.filesystem.specs import Layout, LayoutError, Table


def names() -> list[str]:
    """The layouts that come with the package."""
    folder = resources.files(__package__) / "layouts"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name_or_path: str | Path) -> Layout:
    """A layout by name (``2.00``, ``3.00``) or by the path of a TOML file; LayoutError if it is not good."""
    table, source = _read(str(name_or_path), None, ())
    return from_table(table, source)


def from_table(table: Table, source: str) -> Layout:
    """A layout from its merged table, as an image carries it. ``source`` names it in errors."""
    return LayoutReader(source, table).layout()


def _read(name: str, base: Path | None, seen: tuple[str, ...]) -> tuple[Table, str]:
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
        file = resources.files(__package__) / "layouts" / source
    if source in seen:
        raise LayoutError(source, "extends", f"goes round in a circle: {' → '.join((*seen, source))}")
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LayoutError(source, "", "no such file") from None
    except OSError as error:
        raise LayoutError(source, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LayoutError(source, "", f"expected UTF-8 text, byte {error.start} is not") from None
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(source, "", f"not TOML: {error}") from None
    parent = table.pop("extends", None)
    if parent is None:
        return table, source
    if not isinstance(parent, str):
        raise LayoutError(source, "extends", f"expected the name or path of a layout, found {parent!r}")
    merged, _ = _read(parent, path.parent if path else None, (*seen, source))
    removed = table.pop("remove", {})
    return merge(_without(merged, removed, source), table), source


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


def merge(below: Table, above: Table) -> Table:
    """Tables merged key by key; where both have a value that is no table, ``above`` wins."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
