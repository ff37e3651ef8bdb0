"""Whom a card was issued to: what a terminal must find on it."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import catalogue
from emulator.errors import NotFound
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.paths import FilePath, ItemPath
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.personas import Persona
from emulator.personas.bank import bank_number_of
from harness.conformance.models import OfPersona


@dataclass(frozen=True, slots=True)
class Person:
    """A persona and its card as it was issued. ``image`` is never written to."""

    persona: Persona
    image: Image

    def item(self, path: FilePath | ItemPath) -> str:
        """What the persona has at ``SSSE/EF06/09``, as text; of a transparent file (``MF/EF16``) its bytes in hex.

        Items that are computed when a card is issued are read from the card as it was issued. LookupError.
        """
        layout = self.image.layout
        file = layout.files.get(str(path)) if isinstance(path, FilePath) else None
        if file and file.structure is Structure.TRANSPARENT:
            return b"".join(self.image.memory.records(file.path)).hex().upper()
        found = layout.item(path) if isinstance(path, ItemPath) else None
        if found is None:
            raise NotFound(_("layout {name} has no item {path!r}").format(name=layout.name, path=str(path)))
        spec, item = found
        value = self.persona.for_version(layout.version).values.get(spec.path, {}).get(item.label)
        if value is not None:
            return str(value[0] if isinstance(value, list) else value)
        record = next((one for one in self.image.memory.records(spec.path) if one[:1] == bytes((item.tag or 0,))), b"")
        return str(items.decode(item, record[2:]))

    def known(self, what: OfPersona) -> str:
        """What the persona has besides its card's items."""
        match what:
            case OfPersona.REGION:
                return self.persona.region
            case OfPersona.BANK_CARD_NUMBER:
                return bank_number_of(self.image.layout, self.persona.serial)
            case OfPersona.PIN:
                return self.persona.pin


def issued(name: str, layout: Layout, algorithm: str) -> Person:
    """A persona, and the card as it would be issued. LookupError for an unknown one."""
    return Person(catalogue.persona(name), catalogue.card(name, layout, algorithm))


def persona_of(name: str, layout: Layout, algorithm: str) -> Person | None:
    """A persona's card as it would be issued; None for no name. LookupError for an unknown one."""
    return issued(name, layout, algorithm) if name else None
