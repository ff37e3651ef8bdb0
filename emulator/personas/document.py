"""Persona files: read from the package or from a path, with what they extend, and merged."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emulator.filesystem.layouts.load import merge
from emulator.filesystem.layouts.paths import ItemPath
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.personas.finding import Finding, PersonaError, UnknownPersonaError
from emulator.personas.lines import Path as KeyPath
from emulator.personas.lines import lines
from emulator.textfiles import as_toml, shipped
from emulator.textfiles.text import FormatError, decoded

Table = dict[str, Any]

PACKAGE = str(__package__)
LARGEST = 1 << 20
"""Bytes that are read of a file: a photograph in hex has room many times over."""


@dataclass(frozen=True)
class Document:
    """One file: its name in messages, its text, and what TOML reads in it."""

    source: str
    text: str
    table: Table
    own: bool = False
    """True for a file of the user's, False for one of the package."""

    @cached_property
    def lines(self) -> dict[KeyPath, int]:
        """Returns the line on which each value stands, from 1."""
        return lines(self.text)

    def error(self, problem: str, *path: str | int) -> PersonaError:
        """An error about a key of this file, or about the file as a whole."""
        return PersonaError(Finding(self.source, self.lines.get(path, 0), ".".join(map(str, path)), problem))


class Origin:
    """A persona's files, the asked-for one first, then what it extends. Tells where a merged value came from."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    def find(self, *path: str | int) -> tuple[str, int]:
        """The file and line of a value, or of the nearest table around it; the last to say it wins."""
        for end in range(len(path), 0, -1):
            for document in self.documents:
                if path[:end] in document.lines:
                    return document.source, document.lines[path[:end]]
        return self.documents[0].source, 1


def names() -> tuple[str, ...]:
    """The names of all personas that come with the package, sorted."""
    return shipped.names(PACKAGE)


def read(name_or_path: str) -> list[Document]:
    """A persona's own document, by name or by the path of a .toml file, then those it extends.

    PersonaError; UnknownPersonaError for an unknown name.
    """
    if not is_path(name_or_path) and name_or_path not in names():
        raise UnknownPersonaError(Finding("", 0, "", _unknown(name_or_path)))
    return list(_chain(name_or_path, None, ()))


def read_text(text: str, source: str) -> list[Document]:
    """The document of a persona's text, ``source`` in messages, then those that it extends, which are ones that come
    with the package: a text has no folder that a path could be relative to. PersonaError.
    """
    document = replace(parsed(source, text.encode()), own=True)
    parent = document.table.get("extends")
    if isinstance(parent, str) and is_path(parent):
        raise document.error(
            _("expected the name of a persona that comes with sscard, found {parent!r}").format(parent=parent),
            "extends",
        )
    return [document, *_extended(document, None, (source,))]


def is_path(name_or_path: str) -> bool:
    """True for what names a file of one's own."""
    return name_or_path.endswith(".toml")


def _unknown(name: str) -> str:
    known = names()
    close = "".join(_("; did you mean {name}?").format(name=one) for one in difflib.get_close_matches(name, known, 1))
    return _("no persona {name!r}: choose one of {names}, or give the path of a .toml file{close}").format(
        name=name, names=", ".join(known), close=close
    )


def merged(documents: Sequence[Document]) -> Table:
    """One table: the later in the chain below, less what the one above it clears."""
    table: Table = {}
    for document in reversed(documents):
        own = {key: value for key, value in document.table.items() if key != "extends"}
        cleared = own.pop("clear", [])
        if isinstance(cleared, list):
            table = _cleared(table, [path for path in cleared if isinstance(path, str)])
        table = merge(table, own)
    return table


def _cleared(table: Table, paths: Sequence[str]) -> Table:
    """A table less some files' values, or single items' (``DF03/EF07``, ``DF03/EF07/6C``), of every version; or less
    its ``purse``.
    """
    result = {key: value for key, value in table.items() if key not in paths}
    if "values" in result:
        result["values"] = _less(result["values"], paths)
    if isinstance(table.get("versions"), dict):
        result["versions"] = {version: _less(files, paths) for version, files in table["versions"].items()}
    return result


def _less(files: Any, paths: Sequence[str]) -> Any:
    if not isinstance(files, dict):
        return files
    result = {path: values for path, values in files.items() if path not in paths}
    for path in paths:
        file, label = ItemPath.parse(path)
        if isinstance(result.get(file), dict):
            result[file] = {key: value for key, value in result[file].items() if key != label}
    return result


def _chain(name: str, base: Path | None, seen: tuple[str, ...]) -> Iterator[Document]:
    """The document of a name or path, and what it extends. ``base``: the folder that a path is relative to."""
    path = (base or Path()) / name if is_path(name) else None
    document = _from_path(path) if path else _from_package(name)
    identity = str(path.resolve()) if path else name
    if identity in seen:
        raise document.error(
            _("goes round in a circle: {circle}").format(circle=" → ".join((*seen, identity))), "extends"
        )
    yield document
    yield from _extended(document, path, (*seen, identity))


def _extended(document: Document, path: Path | None, seen: tuple[str, ...]) -> Iterator[Document]:
    """What a document extends, if anything. ``path``: of its file, if it has one."""
    parent = document.table.get("extends")
    if parent is None:
        return
    if not isinstance(parent, str):
        raise document.error(
            _("expected the name or path of a persona, found {parent!r}").format(parent=parent), "extends"
        )
    if not is_path(parent) and parent not in names():
        raise document.error(_unknown(parent), "extends")
    yield from _chain(parent, path.parent if path else None, seen)


def _from_package(name: str) -> Document:
    source = f"{name}.toml"
    return Document(source, shipped.text(PACKAGE, source), shipped.table(PACKAGE, source))


def _from_path(path: Path) -> Document:
    source = str(path)
    try:
        if path.exists() and not path.is_file():
            raise PersonaError(Finding(source, 0, "", _("expected a file of text, found something else")))
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise PersonaError(Finding(source, 0, "", _("no such file"))) from None
    except (OSError, ValueError) as error:
        reason = strerror(error) if isinstance(error, OSError) else error
        raise PersonaError(Finding(source, 0, "", _("cannot be read: {reason}").format(reason=reason))) from None
    if len(content) > LARGEST:
        raise PersonaError(Finding(source, 0, "", _("expected at most {largest} bytes").format(largest=LARGEST)))
    return replace(parsed(source, content), own=True)


def parsed(source: str, content: bytes) -> Document:
    """The document of a file's bytes; PersonaError."""
    try:
        text = decoded(content, source)
        table = as_toml.loads(text, source)
    except FormatError as error:
        raise PersonaError(Finding(source, error.line, "", error.what)) from None
    return Document(source, text, table)
