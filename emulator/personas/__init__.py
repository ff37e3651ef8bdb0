"""Ready cards: made-up cardholders and card states, one TOML file each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

from emulator.filesystem.layout import merge

DEFAULT = "adult-chengdu"
PIN_CHANGED = "pin-changed"
"""The one whose holder has set a PIN of their own."""
PSAM = "psam"
"""Names of terminals' own cards begin so; the plain name is the one that has everything."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up cardholder, or a terminal's own card (``card`` is ``user`` or ``psam``).

    ``values`` by file and tag, as ``items.encode`` takes them; for a cyclic file ``records`` newest first, for a
    transparent one ``hex``. ``tries_left`` of the PIN is None where all are left. ``blocked``: applications that are;
    ``state`` of the card: ``in use``, ``blank`` or ``blocked``. ``purse``: fields of the medical account.
    ``missing_keys`` were never loaded; ``levels`` caps what a PSAM's roots have still to be diversified by.
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
    card: str = "user"
    state: str = "in use"
    activated: bool = True
    blocked: frozenset[str] = frozenset()
    purse: dict[str, Any] = field(default_factory=dict)
    missing_keys: frozenset[str] = frozenset()
    levels: int = 3
    algorithms: frozenset[str] = frozenset({"3des", "sm4"})
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def for_version(self, version: str) -> Persona:
        """As this persona's card of a specification version says it: whole files, where that has other formats."""
        return replace(self, values={**self.values, **self.versions.get(version, {})})


def names(card: str = "user") -> list[str]:
    """All personas of a kind of card (``user`` or ``psam``), the default first."""
    folder = resources.files(__package__)
    found = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    of_kind = [name for name in found if name.startswith(PSAM) == (card == "psam")]
    return sorted(of_kind, key=lambda name: name != DEFAULT)


def load(name: str) -> Persona:
    """A persona by name; LookupError, naming those there are, for an unknown one."""
    known = [*names(), *names("psam")]
    if name not in known:
        raise LookupError(f"no persona {name!r}: choose one of {', '.join(known)}")
    table = _merged(name)
    chip, pin, state = table["chip"], table.get("pin", {}), table.get("state", {})
    return Persona(
        name=table["name"],
        title=table["title"],
        title_zh=table["title_zh"],
        region=chip["region"],
        serial=bytes.fromhex(chip["serial"]),
        pin=pin.get("digits", ""),
        tries_left=pin.get("tries_left"),
        values=table["values"],
        removed=frozenset(table.get("remove", ())),
        card="psam" if name.startswith(PSAM) else "user",
        state=state.get("card", "in use"),
        activated=state.get("activated", True),
        blocked=frozenset(state.get("blocked", ())),
        purse=table.get("purse", {}),
        missing_keys=frozenset(table.get("missing_keys", ())),
        levels=table.get("levels", 3),
        algorithms=frozenset(table.get("algorithms", ("3des", "sm4"))),
        versions=table.get("versions", {}),
    )


def _merged(name: str) -> dict[str, Any]:
    table = tomllib.loads((resources.files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))
    parent = table.pop("extends", None)
    return merge(_merged(parent), table) if parent else table
