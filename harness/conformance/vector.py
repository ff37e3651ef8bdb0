"""A vector: what is sent to a card, and what must come back. YAML, checked against ``schema-1.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml


class VectorError(ValueError):
    """A vector that cannot be used: file, line, where in it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One case. Empty ``versions`` and ``algorithms`` mean all; ``steps`` follow the schema."""

    id: str
    title: str
    title_zh: str
    grade: str
    source: str
    versions: tuple[str, ...]
    algorithms: tuple[str, ...]
    persona: str
    destructive: bool
    costs_tries: bool
    steps: tuple[dict[str, Any], ...]

    def applies(self, version: str, algorithm: str) -> bool:
        """True if the case is for cards of this version and algorithm."""
        return (not self.versions or version in self.versions) and (not self.algorithms or algorithm in self.algorithms)


def load(path: Path) -> Vector:
    """The vector in a file; VectorError."""
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise VectorError(f"{path}: not YAML: {error}") from None
    schema = json.loads((resources.files(__package__) / "schema-1.json").read_text(encoding="utf-8"))
    fault = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(table))
    if fault is not None:
        where = ".".join(map(str, fault.absolute_path)) or "the file"
        raise VectorError(f"{path}:{_line(node, fault.absolute_path)}: {where}: {fault.message}")
    return Vector(
        id=table["id"],
        title=table["title"],
        title_zh=table["title_zh"],
        grade=table["grade"],
        source=table["source"],
        versions=tuple(table.get("versions", ())),
        algorithms=tuple(table.get("algorithms", ())),
        persona=table.get("persona", "adult-chengdu"),
        destructive=table.get("destructive", False),
        costs_tries=table.get("costs_tries", False),
        steps=tuple(table["steps"]),
    )


def _line(node: Any, path: Any) -> int:
    """The line, from 1, where a part of the document begins."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[step]
    return int(node.start_mark.line) + 1 if node is not None else 1
