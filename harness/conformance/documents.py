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

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentError(ValueError):
    """A document that cannot be used: file, line, where in it, and what was expected."""


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
        text = path.read_text(encoding="utf-8")
        tables = list(yaml.load_all(text, Loader=LOADER))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path}: not YAML: {error}") from None
    for number, table in enumerate(tables):
        document = Document(path, table, text, number)
        fault = jsonschema.exceptions.best_match(schema.iter_errors(table))
        if fault is not None:
            raise DocumentError(document.error(fault.absolute_path, fault.message, whole))
        yield document
