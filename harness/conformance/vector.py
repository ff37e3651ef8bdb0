"""A vector: what is sent to a card, and what must come back. YAML, checked against ``schema-1.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from emulator import personas
from emulator.personas.document import is_path
from harness.conformance import documents
from harness.conformance.documents import Document, DocumentError

ACTIONS = (
    "reset", "apdu", "tpdu", "select", "challenge", "verify_pin", "ask_pin", "change_pin", "authenticate", "read",
    "update", "secured", "tear",
)  # fmt: skip


class VectorError(ValueError):
    """A vector that cannot be used: file, line, where in it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One case. Empty ``versions`` and ``algorithms`` mean all; ``steps`` follow the schema.

    ``persona`` empty: any card in use will do. ``keys``: what the terminal must know.
    """

    id: str
    title: str
    title_zh: str
    standard: str
    grade: str
    source: str
    versions: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    persona: str = ""
    destructive: bool = False
    costs_tries: bool = False
    steps: tuple[dict[str, Any], ...] = ()
    path: str = ""

    def applies(self, version: str, algorithm: str) -> bool:
        """True if the case is for cards of this version and algorithm."""
        return (not self.versions or version in self.versions) and (not self.algorithms or algorithm in self.algorithms)

    @property
    def holder(self) -> str:
        """The persona that a virtual card is issued for."""
        return self.persona or personas.DEFAULT


def action(step: Mapping[str, Any]) -> tuple[str, Any]:
    """What a step does: its name in the schema, and its argument."""
    return next((name, step[name]) for name in ACTIONS if name in step)


@lru_cache(maxsize=1)
def _validator() -> Any:
    return documents.validator(__package__, "schema-1.json")


def load(path: Path) -> list[Vector]:
    """The vectors in a file, one in each YAML document; VectorError."""
    try:
        return [_vector(one) for one in documents.read(path, _validator(), "the vector")]
    except DocumentError as error:
        raise VectorError(str(error)) from None


def find(paths: list[Path]) -> list[Vector]:
    """The vectors of all these files, and of all YAML files in these folders but the office's; VectorError, also where
    ids repeat.
    """
    found: dict[str, Vector] = {}
    for path in paths:
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        for file in files:
            if not holds_vectors(file, path):
                continue
            for one in load(file):
                if one.id in found:
                    raise VectorError(f"{file}: id {one.id} stands in {found[one.id].path} already")
                found[one.id] = one
    return list(found.values())


def holds_vectors(file: Path, under: Path) -> bool:
    """Whether a YAML file under this path is one of vectors: no list of items, no scenario of the office."""
    return file.name != ITEMS and OFFICE not in file.relative_to(under).parts


ITEMS = "items.yaml"
"""The standard's own list of items, beside the vectors."""
OFFICE = "office"
"""The folder beside the vectors that holds the office's scenarios."""


def _vector(document: Document) -> Vector:
    path, table = document.path, document.table
    for step in table["steps"]:
        named = [name for name in ACTIONS if name in step]
        if len(named) != 1:
            raise VectorError(f"{path}: {table['id']}: a step does one thing of {', '.join(ACTIONS)}, found {named}")
    steps = tuple(table["steps"])
    return Vector(
        id=table["id"],
        title=table["title"],
        title_zh=table["title_zh"],
        standard=table.get("standard", ""),
        grade=table["grade"],
        source=table["source"],
        versions=tuple(table.get("versions", ())),
        algorithms=tuple(table.get("algorithms", ())),
        features=frozenset(table.get("features", ())),
        keys=frozenset(table.get("keys", _keys(steps))),
        persona=_persona(document),
        destructive=table.get("destructive", False),
        costs_tries=table.get("costs_tries", False),
        steps=steps,
        path=str(path),
    )


def _persona(document: Document) -> str:
    """The persona that a vector names; a file of one's own by its path from the vector's folder. VectorError."""
    name: str = document.table.get("persona", "")
    if is_path(name):
        name = str(document.path.parent / name)
    try:
        if name:
            personas.load(name)
    except personas.PersonaError as error:
        raise VectorError(f"{document.path}: {document.table['id']}: persona: {error}") from None
    return name


def _keys(steps: Any) -> Iterator[str]:
    """The keys that steps name."""
    if isinstance(steps, Mapping):
        for name, value in steps.items():
            if name in ("key", "authenticate") and isinstance(value, str):
                yield value
            else:
                yield from _keys(value)
    elif isinstance(steps, list | tuple):
        for one in steps:
            yield from _keys(one)
