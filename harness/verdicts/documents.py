"""YAML files of several documents, each held against a published JSON schema; what is wrong is told with its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from emulator.errors import ErrorKind, SscardError
from emulator.guess import guess
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError
from emulator.textfiles.text import read as read_text
from harness.messages import schemas

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONGEST = 400
"""Letters of what is wrong: a schema quotes all that is there."""


class DocumentError(SscardError, ValueError):
    """A document that cannot be used: file, line, where in it, and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: what it says, and the text that it stands in, in which place."""

    path: Path
    table: Any
    text: str
    number: int

    def line(self, place: Iterable[str | int] = ()) -> int:
        """The line, from 1, where a part of the document begins."""
        node = self._node(place)
        return int(node.start_mark.line) + 1 if node is not None else 1

    def _node(self, place: Iterable[str | int]) -> Any:
        node = list(yaml.compose_all(self.text, Loader=LOADER))[self.number]
        for step in place:
            if isinstance(node, yaml.MappingNode):
                node = next((value for key, value in node.value if key.value == step), node)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
        return node

    def line_of_key(self, place: Iterable[str | int], name: str) -> int:
        """The line, from 1, where a name of a mapping stands."""
        node = self._node(place)
        keys = (key for key, __ in node.value) if isinstance(node, yaml.MappingNode) else ()
        return next((int(key.start_mark.line) + 1 for key in keys if key.value == name), self.line(place))

    def error(self, place: Iterable[str | int], what: str, whole: str = "the document") -> str:
        """What is wrong at a place, with file and line."""
        steps = list(place)
        return f"{self.path}:{self.line(steps)}: {'.'.join(map(str, steps)) or whole}: {what}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one line of a file, from 1; 0 where no line is to blame. ``place``: where in the document."""

    line: int
    what: str
    place: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """One document of a file with all that is wrong in it; none where the file itself is. ``document``: None then."""

    document: Document | None
    faults: tuple[Fault, ...]


def judged(path: Path, schema: Any, whole: str) -> Iterator[Judged]:
    """Every document of a file, and all that its form has against it: names that stand twice, names that the schema
    does not know, with the nearest that it does, and values of another form. What cannot be read is a fault too.
    """
    try:
        text = read_text(path)
    except (FormatError, OSError) as error:
        what = error.what if isinstance(error, FormatError) else strerror(error)
        yield Judged(None, (Fault(error.line if isinstance(error, FormatError) else 0, what),))
        return
    twice: list[Fault] = []
    try:
        tables = as_yaml.loads(text, path)
    except FormatError as error:
        twice = list(_twice(text))
        yield Judged(None, tuple(twice) or (Fault(error.line, error.what),))
        if not twice:
            return
        # The last of two names counts for what is said of the rest.
        tables = list(yaml.load_all(text, Loader=as_yaml.Loader))
    for number, table in enumerate(tables):
        document = Document(path, table, text, number)
        faults = [one for error in schema.iter_errors(table) for one in _of_form(document, error, whole)]
        yield Judged(document, tuple(sorted(faults, key=lambda one: one.line)))


def _twice(text: str) -> Iterator[Fault]:
    """Names that stand twice in one mapping; none where aliases or a fault of YAML's own keep from looking."""
    try:
        nodes = list(yaml.compose_all(text, Loader=LOADER))
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=LOADER)):
            return
    except (yaml.YAMLError, RecursionError):
        return
    waiting = [node for node in reversed(nodes) if node is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, __ in node.value:
                line = int(key.start_mark.line) + 1
                if key.value in first:
                    yield Fault(
                        line,
                        _("{name!r} stands twice, first in line {first}").format(
                            name=key.value, first=first[key.value]
                        ),
                    )
                first.setdefault(key.value, line)
            waiting += [value for __, value in reversed(node.value)]


def _of_form(document: Document, error: jsonschema.ValidationError, whole: str) -> Iterator[Fault]:
    """What one error of the schema's says; of names that are not known one for each."""
    best = jsonschema.exceptions.best_match(iter([error])) or error
    place = list(best.absolute_path)
    if best.validator == "additionalProperties" and isinstance(best.instance, dict):
        known = list(best.schema.get("properties", ())) if isinstance(best.schema, dict) else []
        for name in best.instance:
            if name not in known:
                yield Fault(
                    document.line_of_key(place, name),
                    _("unknown name {name!r}{guess}").format(name=name, guess=guess(str(name), known)),
                    (*place, name),
                )
        return
    yield Fault(document.line(place), f"{'.'.join(map(str, place)) or whole}: {_said(best)}", tuple(place))


def validator(package: str, name: str) -> Any:
    """Of a schema that lies in a package."""
    schema = json.loads((resources.files(package) / name).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def read(path: Path, schema: Any, whole: str) -> Iterator[Document]:
    """The documents of a file, each as the schema says; DocumentError. ``whole``: what one is called."""
    try:
        text = read_text(path)
        tables = as_yaml.loads(text, path)
    except FormatError as error:
        raise DocumentError(str(error)) from None
    for number, table in enumerate(tables):
        document = Document(path, table, text, number)
        fault = jsonschema.exceptions.best_match(schema.iter_errors(table))
        if fault is not None:
            raise DocumentError(document.error(fault.absolute_path, _said(fault), whole))
        yield document


def _said(fault: jsonschema.ValidationError) -> str:
    return _short(schemas.said(fault))


def _short(message: str) -> str:
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
