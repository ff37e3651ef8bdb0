"""A plan of faults: from YAML, or as the command line has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError
from harness.faults.kinds import FILTERS, KINDS, TRIGGERS, Fault, name_of
from harness.faults.text import READ, choice, number

LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
FORMAT = "1"


class FaultError(SscardError, ValueError):
    """A fault that cannot be used: where it stands, and what was expected."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults, and the seed that what they leave to chance is drawn from."""

    faults: tuple[Fault, ...]
    seed: int = 0


def fault(table: Mapping[str, str], where: str) -> Fault:
    """A fault from its fields, all text; FaultError."""
    values: dict[str, Any] = {}
    for name, text in table.items():
        if name == "once" and text in ("", "yes", "true"):
            name, text = "nth", "1"
        if name == "always" and text in ("", "yes", "true"):
            continue
        if name != "kind" and name not in READ:
            raise FaultError(f"{where}: no field {name!r}: expected some of kind, {', '.join(READ)}, once, always")
        if not isinstance(text, str):
            raise FaultError(f"{where}: {name}: expected one value")
        try:
            values[name] = (choice(*KINDS) if name == "kind" else READ[name])(text)
        except ValueError as error:
            raise FaultError(f"{where}: {name}: {error}") from None
    if "kind" not in values:
        raise FaultError(f"{where}: kind is missing: expected one of {', '.join(KINDS)}")
    kind = KINDS[values.pop("kind")]
    for name in values:
        if name not in (*TRIGGERS, *FILTERS, *kind.takes()):
            raise FaultError(f"{where}: {name}: {kind.kind} takes {', '.join(kind.takes()) or 'nothing'}, not this")
    if len([name for name in TRIGGERS if name in values]) > 1:
        raise FaultError(f"{where}: expected one trigger of {', '.join(TRIGGERS)}, once, always")
    if "item" in values and "/" in values["item"]:
        values["file"], _, values["item"] = values["item"].rpartition("/")
    try:
        return kind(**{one.name: values[name_of(one)] for one in fields(kind) if name_of(one) in values})
    except ValueError as error:
        raise FaultError(f"{where}: {error}") from None


def check(plan: Plan, layouts: Sequence[Layout]) -> None:
    """FaultError for a fault at a place that no card of these layouts has: it would never come."""
    for one in plan.faults:
        place = "/".join(filter(None, (one.application, one.file)))
        if place and not any(_has(layout, one) for layout in layouts):
            names = ", ".join(layout.name for layout in layouts)
            raise FaultError(f"fault '{one}': no card here (layout {names}) has {place}, so that it would never come")


def _has(layout: Layout, one: Fault) -> bool:
    application = not one.application or one.application in layout.applications
    return application and (not one.file or one.file in layout.files)


def from_text(text: str) -> Fault:
    """``status,sw=6A82,instruction=READ_RECORD,nth=3``: the kind, then fields; FaultError."""
    kind, *parts = [part.strip() for part in text.split(",")]
    table = {"kind": kind.removeprefix("kind=")}
    for part in parts:
        name, _, value = part.partition("=")
        if name in table:
            raise FaultError(f"fault {text!r}: {name} stands twice")
        table[name] = value
    return fault(table, f"fault {text!r}")


def load(path: Path) -> Plan:
    """A plan from YAML: ``format: 1``, ``seed``, and ``faults``, a list of fields each; FaultError."""
    try:
        table = as_yaml.load(path, LOADER)
    except FormatError as error:
        raise FaultError(str(error)) from None
    except OSError as error:
        raise FaultError(f"{path}: {error.strerror}") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT or not isinstance(table.get("faults"), list):
        raise FaultError(f"{path}: expected 'format: {FORMAT}' and a list 'faults'")
    if unknown := set(table) - {"format", "seed", "faults"}:
        raise FaultError(f"{path}: no field {sorted(unknown)[0]!r}: expected format, seed, faults")
    found = []
    for place, one in enumerate(table["faults"], 1):
        where = f"{path}: fault {place}"
        if not isinstance(one, dict):
            raise FaultError(f"{where}: expected fields, a kind first")
        found.append(fault(one, where))
    try:
        return Plan(tuple(found), number(0)(str(table.get("seed", "0"))))
    except ValueError as error:
        raise FaultError(f"{path}: seed: {error}") from None
