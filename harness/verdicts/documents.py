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
from emulator.messages import _
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError
from emulator.textfiles.text import read as read_text
from harness.messages import forms

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
        node = list(yaml.compose_all(self.text, Loader=LOADER))[self.number]
        for step in place:
            if isinstance(node, yaml.MappingNode):
                node = next((value for key, value in node.value if key.value == step), node)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
        return int(node.start_mark.line) + 1 if node is not None else 1

    def error(self, place: Iterable[str | int], what: str, whole: str = "the document") -> str:
        """What is wrong at a place, with file and line."""
        steps = list(place)
        return f"{self.path}:{self.line(steps)}: {'.'.join(map(str, steps)) or whole}: {what}"


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
    """What is wrong, in words: a regular expression is none."""
    if fault.validator == "pattern":
        return _short(
            _("expected {form}, found {instance!r}").format(
                form=forms.form(str(fault.validator_value)), instance=fault.instance
            )
        )
    return _short(fault.message)


def _short(message: str) -> str:
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
