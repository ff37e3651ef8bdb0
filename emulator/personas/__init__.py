"""Ready cards: made-up cardholders and card states, one TOML file each, ours or one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emulator.filesystem.layouts.terms import CardKind, IssuedState
from emulator.personas import document, shape
from emulator.personas.finding import PersonaError, UnknownPersonaError

__all__ = [
    "BLANK",
    "DEFAULT",
    "PSAM",
    "Persona",
    "PersonaError",
    "UnknownPersonaError",
    "from_table",
    "from_text",
    "read",
]

DEFAULT = "adult-chengdu"
BLANK = "blank"
"""The card as its maker delivers it."""
PIN_CHANGED = "pin-changed"
"""The one whose holder has set a PIN of their own."""
PSAM = "psam"
"""The terminal's own card that has everything."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up cardholder, or a terminal's own card (``card`` is ``user`` or ``psam``).

    ``values`` by file and tag, as ``items.encode`` takes them; for a cyclic file ``records`` newest first, for a
    transparent one ``hex``. ``tries_left`` of the PIN is None where all are left. ``blocked``: applications that are,
    for ever; ``suspended``: those that are for a time, as a bank's are. ``data``: objects of GET DATA by application
    and tag, in hex, empty where the card has none; what is not named is as the layout has it.
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
    card: CardKind = CardKind.USER
    state: IssuedState = IssuedState.IN_USE
    activated: bool = True
    blocked: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    purse: dict[str, Any] = field(default_factory=dict)
    data: dict[str, dict[str, str]] = field(default_factory=dict)
    missing_keys: frozenset[str] = frozenset()
    levels: int = 3
    algorithms: frozenset[str] = frozenset({"3des", "sm4"})
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    """Keys whose tries are not all left, and how many are; a name that the layout does not have means nothing there."""

    def for_version(self, version: str) -> Persona:
        """As this persona's card of a specification version says it: whole files, where that has other formats."""
        return replace(self, values={**self.values, **self.versions.get(version, {})})


def read(name_or_path: str) -> tuple[Persona, tuple[Path, ...]]:
    """A persona by name, or by the path of a TOML file, and the files of one's own that it was read from: itself, and
    those that it extends. PersonaError, UnknownPersonaError.

    For the catalogue, which keeps what was read.
    """
    documents = document.read(name_or_path)
    return _whole(documents), tuple(Path(one.source) for one in documents if one.own)


def from_text(text: str, source: str) -> Persona:
    """A persona from TOML itself, ``source`` in messages; it may extend one of the package's. PersonaError."""
    return _whole(document.read_text(text, source))


def _whole(documents: Sequence[document.Document]) -> Persona:
    """The persona that a document and those that it extends say. PersonaError."""
    wrong = [finding for one in documents for finding in shape.problems(one)]
    table = document.merged(documents)
    wrong += shape.missing(table, documents[0].source)
    if wrong:
        raise PersonaError(wrong[0], len(wrong) - 1)
    return from_table(table)


def from_table(table: dict[str, Any]) -> Persona:
    """A persona from a whole, merged table of the right shape."""
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
        card=CardKind(table.get("card", CardKind.USER)),
        state=IssuedState(state.get("card", IssuedState.IN_USE)),
        activated=state.get("activated", True),
        blocked=frozenset(state.get("blocked", ())),
        suspended=frozenset(state.get("suspended", ())),
        purse=table.get("purse", {}),
        data=table.get("data", {}),
        missing_keys=frozenset(table.get("missing_keys", ())),
        levels=table.get("levels", 3),
        algorithms=frozenset(table.get("algorithms", ("3des", "sm4"))),
        versions=table.get("versions", {}),
        spent=table.get("tries_left", {}),
    )
