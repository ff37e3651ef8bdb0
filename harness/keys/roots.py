"""Roots that a user gives to a program of ours: the published test roots, or a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from emulator import catalogue
from emulator.crypto.keys import test_root
from emulator.errors import ErrorKind, NotFound, SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.guess import guess
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_toml
from emulator.textfiles import text as textfile
from emulator.textfiles.text import FormatError

RootSource = Callable[[str, int], bytes]
"""Gives a root by a key's name and version; UnknownKey where it has none."""
TEST = "test"
SIZE = 16
NAME = re.compile(r"([A-Za-z0-9]+)(?: ([23]))?")
ENTRY = re.compile(r"""\s*["']?([^"'=]+?)["']?\s*=""")
"""A line that gives a name its value."""
LONGEST_NAME = 12
"""No key's name is longer; half a key's value would be."""


class RootsError(SscardError, RuntimeError):
    """A file of roots that cannot be used: why. What is in it is never quoted."""

    kind = ErrorKind.INPUT


class UnknownKey(NotFound):
    """No root of this name, with its version where that is not the first, is at hand."""

    def __init__(self, name: str) -> None:
        super().__init__(_("the key {name}").format(name=name))
        self.name = name


def load(path: str | None, layout: Layout | None = None) -> RootSource:
    """Roots from a user's TOML file (``[roots]``, a key's name to 32 hex digits, version 2 as ``NAME 2``). RootsError,
    which names every fault of the file with its line: a name that is misspelt is no key at hand, but one that is wrong.

    ``test``: the published test roots. None: no key at all. ``layout``: the card's, where it has keys that none of this
    package's layouts has.
    """
    if path == TEST:
        return test_root
    known = _read(path, layout) if path is not None else {}

    def root(name: str, version: int) -> bytes:
        wanted = name if version == 1 else f"{name} {version}"
        if wanted not in known:
            raise UnknownKey(wanted)
        return known[wanted]

    return root


def names(layout: Layout | None = None) -> dict[str, int]:
    """Every key that a file may have a root for, and how many versions of it there are, over all layouts of this
    package and one more.
    """
    layouts = [*map(catalogue.layout, catalogue.layouts()), *([layout] if layout is not None else [])]
    found: dict[str, int] = {}
    for one in layouts:
        for key in one.keys.values():
            found[key.name] = max(key.versions, found.get(key.name, 1))
    return found


def _shown(name: str) -> str:
    """A name as it may be told: one that could be a key itself is not."""
    return repr(name) if len(name) <= LONGEST_NAME else _("a name of more than 12 characters")


def _read(path: str, layout: Layout | None) -> dict[str, bytes]:
    try:
        text = textfile.read(Path(path), as_toml.MOST)
    except OSError as error:
        raise RootsError(_("{path}: cannot be read: {strerror}").format(path=path, strerror=strerror(error))) from None
    except FormatError as error:
        raise RootsError(_("{error}; expected TOML with [roots], names to 32 hex digits").format(error=error)) from None
    try:
        table = as_toml.loads(text, path)
    except FormatError as error:  # not its words: what TOML complains of may be a key
        raise RootsError(_not_toml(path, text, error.line)) from None
    faults = list(_faults(text, table, names(layout)))
    if faults:
        raise RootsError(
            "; ".join(
                _("{path}, line {line}: {what}").format(path=path, line=line, what=what) if line else f"{path}: {what}"
                for line, what in faults
            )
        )
    return {name: bytes.fromhex(value) for name, value in table["roots"].items()}


def _not_toml(path: str, text: str, line: int) -> str:
    named = ENTRY.match(text.splitlines()[line - 1]) if 0 < line <= text.count("\n") + 1 else None
    first = _line_of(text, named[1]) if named else 0
    if named and 0 < first < line:
        return _("{path}, line {line}: {name} stands twice, first in line {first}").format(
            path=path, line=line, name=_shown(named[1]), first=first
        )
    where = _("{path}, line {line}").format(path=path, line=line) if line else path
    return _("{where}: expected TOML with [roots], names to 32 hex digits").format(where=where)


def _faults(text: str, table: dict[str, Any], known: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Every fault of a file, with its line, 0 where no line is to blame."""
    for name in table:
        if name != "roots":
            yield (
                _line_of(text, name),
                _("expected [roots] alone, found {table}{guess}").format(
                    table=_shown(name), guess="" if isinstance(table[name], str) else guess(name, ["roots"])
                ),
            )
    roots = table.get("roots", {})
    if not isinstance(roots, dict):
        yield _line_of(text, "roots"), _("expected a table [roots], names to 32 hex digits")
    elif not roots:
        yield _line_of(text, "roots"), _("no key stands under [roots]")
    else:
        for name, value in roots.items():
            for what in (_of_name(name, known), _of_value(name, value)):
                if what:
                    yield _line_of(text, name), what


def _of_name(name: str, known: Mapping[str, int]) -> str:
    """What is wrong with a key's name; empty for nothing."""
    parts = NAME.fullmatch(name)
    if parts is None:
        return _("expected names like UKSSSE, or 'UKSSSE 2' for a version, found {shown}").format(shown=_shown(name))
    key, version = parts[1], int(parts[2] or 1)
    if key not in known:
        return _("unknown key {shown}{guess}").format(shown=_shown(key), guess=guess(key, known))
    if version > known[key]:
        return _("{key} has {count} versions, not {version}").format(key=key, count=known[key], version=version)
    return ""


def _of_value(name: str, value: Any) -> str:
    """What is wrong with a root; empty for nothing. What it is, is never told."""
    if not isinstance(value, str):
        return _("{shown}: expected 32 hex digits in quotes").format(shown=_shown(name))
    if len(value) != 2 * SIZE:
        return _("a root has {size} bytes, {name} has not: expected 32 hex digits, found {count}").format(
            size=SIZE, name=name if len(name) <= LONGEST_NAME else _shown(name), count=len(value)
        )
    if not re.fullmatch("[0-9A-Fa-f]*", value):
        return _("{shown}: expected hex digits alone").format(shown=_shown(name))
    return ""


def _line_of(text: str, name: str) -> int:
    """The line in which a name first stands before a value, or alone in brackets; 0 where none does."""
    quoted = re.escape(name)
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"""\s*(\[\s*)?["']?{quoted}["']?\s*[=.\]]""", line):
            return number
    return 0
