"""A plan of faults: from YAML, or as the command line has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.paths import ItemPath
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_yaml
from emulator.textfiles.text import FormatError, read
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
            raise FaultError(
                _("{where}: no field {name!r}: expected some of kind, {read}, once, always").format(
                    where=where, name=name, read=", ".join(READ)
                )
            )
        if not isinstance(text, str):
            raise FaultError(_("{where}: {name}: expected one value").format(where=where, name=name))
        try:
            values[name] = (choice(*KINDS) if name == "kind" else READ[name])(text)
        except ValueError as error:
            raise FaultError(f"{where}: {name}: {error}") from None
    if "kind" not in values:
        raise FaultError(
            _("{where}: kind is missing: expected one of {kinds}").format(where=where, kinds=", ".join(KINDS))
        )
    kind = KINDS[values.pop("kind")]
    for name in values:
        if name not in (*TRIGGERS, *FILTERS, *kind.takes()):
            raise FaultError(
                _("{where}: {name}: {kind} takes {value}, not this").format(
                    where=where, name=name, kind=kind.kind, value=", ".join(kind.takes()) or "nothing"
                )
            )
    if len([name for name in TRIGGERS if name in values]) > 1:
        raise FaultError(
            _("{where}: expected one trigger of {triggers}, once, always").format(
                where=where, triggers=", ".join(TRIGGERS)
            )
        )
    if "item" in values and "/" in values["item"]:
        values["file"], values["item"] = ItemPath.parse(values["item"])
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
            raise FaultError(
                _("fault '{one}': no card here (layout {names}) has {place}, so that it would never come").format(
                    one=one, names=names, place=place
                )
            )


def _has(layout: Layout, one: Fault) -> bool:
    application = not one.application or one.application in layout.applications
    return application and (not one.file or one.file in layout.files)


def from_text(text: str) -> Fault:
    """``status,sw=6A82,instruction=READ_RECORD,nth=3``: the kind, then fields; FaultError."""
    kind, *parts = [part.strip() for part in text.split(",")]
    table = {"kind": kind.removeprefix("kind=")}
    for part in parts:
        name, __, value = part.partition("=")
        if name in table:
            raise FaultError(_("fault {text!r}: {name} stands twice").format(text=text, name=name))
        table[name] = value
    return fault(table, _("fault {text!r}").format(text=text))


def load(path: Path) -> Plan:
    """A plan from YAML: ``format: 1``, ``seed``, and ``faults``, a list of fields each; FaultError."""
    try:
        return loads(read(path), path)
    except FormatError as error:
        raise FaultError(str(error)) from None
    except OSError as error:
        raise FaultError(f"{path}: {strerror(error)}") from None


def loads(content: str, path: object) -> Plan:
    """A plan from YAML text, as ``load`` reads it of a file; ``path``: what it is called in messages. FaultError."""
    try:
        table = as_yaml.loads_one(content, path, LOADER)
    except FormatError as error:
        raise FaultError(str(error)) from None
    if not isinstance(table, dict) or table.get("format") != FORMAT or not isinstance(table.get("faults"), list):
        raise FaultError(_("{path}: expected 'format: {format}' and a list 'faults'").format(path=path, format=FORMAT))
    if unknown := set(table) - {"format", "seed", "faults"}:
        raise FaultError(
            _("{path}: no field {unknown!r}: expected format, seed, faults").format(
                path=path, unknown=sorted(unknown)[0]
            )
        )
    found = []
    for place, one in enumerate(table["faults"], 1):
        where = _("{path}: fault {place}").format(path=path, place=place)
        if not isinstance(one, dict):
            raise FaultError(_("{where}: expected fields, a kind first").format(where=where))
        found.append(fault(one, where))
    try:
        return Plan(tuple(found), number(0)(str(table.get("seed", "0"))))
    except ValueError as error:
        raise FaultError(_("{path}: seed: {error}").format(path=path, error=error)) from None
