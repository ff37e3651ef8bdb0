"""Layouts: which applications, files, items, keys and access conditions a card has, read from TOML.

Every error is a LayoutError that names the file, the dotted key and what was expected there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emulator.filesystem.layouts.changes import merge, with_key_levels, with_single_items
from emulator.filesystem.layouts.reader import LayoutReader, fingerprint_of
from emulator.filesystem.layouts.specs import Layout, LayoutError, NoLayoutError, Table
from emulator.frozen import frozen
from emulator.kept import keep
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_toml, shipped, text
from emulator.textfiles.text import FormatError

PACKAGE = str(__package__)
WHOLE, OPTIONAL = "table", frozenset({"purse", "certificate", "activation", "contactless"})
"""What ``[remove]`` calls tables that a layout may do without."""


def names() -> tuple[str, ...]:
    """The layouts that come with the package."""
    return shipped.names(PACKAGE)


def read(name: str) -> tuple[Layout, tuple[Path, ...]]:
    """A layout by name (``2.00``, ``3.00``) or by the path of a TOML file, and the files of one's own that it was read
    from: itself, and those that it extends. LayoutError if it is not good.

    For the catalogue, which keeps what was read.
    """
    files: list[Path] = []
    table, source = _read(name, None, (), files)
    return from_table(with_key_levels(table, source), source), tuple(files)


def base_of(name: str) -> Layout | None:
    """The layout that another extends, None for one that stands alone. LayoutError."""
    table, __, path = _own(name, None)
    parent = table.get("extends")
    if not isinstance(parent, str):
        return None
    merged, source = _read(parent, path.parent if path else None, (), [])
    return from_table(with_key_levels(merged, source), source)


def from_table(table: Table, source: str) -> Layout:
    """A layout from its merged table, as an image carries it. ``source`` names it in errors.

    The same table gives the same object: every card image in a register has its layout in it.
    """
    try:
        fingerprint = fingerprint_of(table)
    except TypeError:
        return LayoutReader(source, table).layout()  # a date, say: the reader complains of it
    known = _by_fingerprint.get(fingerprint)
    if known is None:
        known = _frozen(LayoutReader(source, table).layout())
        keep(_by_fingerprint, fingerprint, known, KEPT)
    return known


def _frozen(layout: Layout) -> Layout:
    tables = ("applications", "files", "keys", "messaging", "key_files", "table")
    return replace(layout, **{name: frozen(getattr(layout, name)) for name in tables})


KEPT = 64
_by_fingerprint: dict[str, Layout] = {}
"""At most ``KEPT``, as tests make them by the hundred."""


def _own(name: str, base: Path | None) -> tuple[Table, str, Path | None]:
    """One file's own table, what names it in errors, and where it lies if it is one of the user's own."""
    if not name.endswith(".toml"):
        if name not in names():
            raise NoLayoutError(
                name,
                "",
                _("no such layout: give one of {names}, or the path of a .toml file").format(names=", ".join(names())),
            )
        source = f"{name}.toml"
        return dict(shipped.table(PACKAGE, source)), source, None
    path = Path(name)
    path = base / path if base and not path.is_absolute() else path
    source = str(path)
    try:
        return as_toml.loads(text.read(path), source), source, path
    except FileNotFoundError:
        raise LayoutError(source, "", _("no such file")) from None
    except OSError as error:
        raise LayoutError(source, "", _("cannot be read: {strerror}").format(strerror=strerror(error))) from None
    except FormatError as error:
        raise LayoutError(source, _("line {line}").format(line=error.line) if error.line else "", error.what) from None
    except ValueError:
        raise LayoutError(repr(source), "", _("no file has such a name")) from None


def extending(table: Table, source: str) -> Layout:
    """A layout from what a file of one's own would say, with what it extends by name. ``source`` names it in errors.
    LayoutError.
    """
    return from_table(with_key_levels(_above(dict(table), source, None, (), []), source), source)


def _read(name: str, base: Path | None, seen: tuple[str, ...], files: list[Path]) -> tuple[Table, str]:
    """The merged table of a file and those that it extends, and what names it; adds the user's own to ``files``."""
    table, source, path = _own(name, base)
    if path:
        files.append(path)
    if source in seen:
        raise LayoutError(
            source, "extends", _("goes round in a circle: {value}").format(value=" → ".join((*seen, source)))
        )
    return _above(table, source, path.parent if path else None, (*seen, source), files), source


def _above(table: Table, source: str, base: Path | None, seen: tuple[str, ...], files: list[Path]) -> Table:
    """A file's own table on top of what it extends."""
    parent = table.pop("extends", None)
    if parent is None:
        return table
    if not isinstance(parent, str):
        raise LayoutError(
            source, "extends", _("expected the name or path of a layout, found {parent!r}").format(parent=parent)
        )
    try:
        merged, __ = _read(parent, base, seen, files)
    except NoLayoutError as error:
        raise LayoutError(source, "extends", str(error)) from None
    removed = table.pop("remove", {})
    below = _without(merged, removed, source)
    return merge(below, with_single_items(below, table, source))


def _without(table: Table, removed: object, source: str) -> Table:
    """A table less what an extending layout takes away: ``[remove]``, lists of names by section; whole tables such as
    ``purse`` under ``table``.
    """
    if not isinstance(removed, dict):
        raise LayoutError(
            source, "remove", _("expected a table of lists by section, found {removed!r}").format(removed=removed)
        )
    result = dict(table)
    for section, gone in removed.items():
        if section == WHOLE and isinstance(gone, list) and set(gone) <= OPTIONAL:
            result = {key: value for key, value in result.items() if key not in gone}
            continue
        known = result.get(section)
        if not isinstance(known, dict) or not isinstance(gone, list):
            raise LayoutError(source, f"remove.{section}", _("expected a section of tables, and a list of its names"))
        for name in gone:
            if name not in known:
                raise LayoutError(
                    source, f"remove.{section}", _("{name!r} is not there to be removed").format(name=name)
                )
        result[section] = {key: value for key, value in known.items() if key not in gone}
    return result


__all__ = ["base_of", "extending", "from_table", "merge", "names", "read"]
