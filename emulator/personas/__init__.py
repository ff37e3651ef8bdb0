"""Ready cards: made-up cardholders and card states, one TOML file each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from emulator.filesystem.layout import merge

DEFAULT = "adult-chengdu"


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up cardholder. ``values`` by file and tag, as ``items.encode`` takes them; for a cyclic file ``records``
    newest first, for a transparent one ``hex``. ``tries_left`` of the PIN is None where all are left.
    """

    name: str
    title: str
    title_zh: str
    region: str
    serial: bytes
    pin: str
    tries_left: int | None
    values: dict[str, dict[str, Any]]
    removed: frozenset[str]


def names() -> list[str]:
    """All personas, the default first."""
    folder = resources.files(__package__)
    found = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return sorted(found, key=lambda name: name != DEFAULT)


def load(name: str) -> Persona:
    """A persona by name; LookupError, naming those there are, for an unknown one."""
    if name not in names():
        raise LookupError(f"no persona {name!r}: choose one of {', '.join(names())}")
    table = _merged(name)
    chip, pin = table["chip"], table["pin"]
    return Persona(
        name=table["name"],
        title=table["title"],
        title_zh=table["title_zh"],
        region=chip["region"],
        serial=bytes.fromhex(chip["serial"]),
        pin=pin["digits"],
        tries_left=pin.get("tries_left"),
        values=table["values"],
        removed=frozenset(table.get("remove", ())),
    )


def _merged(name: str) -> dict[str, Any]:
    table = tomllib.loads((resources.files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))
    parent = table.pop("extends", None)
    return merge(_merged(parent), table) if parent else table
