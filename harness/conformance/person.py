"""Whom a card was issued to: what a terminal must find on it."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import catalogue
from emulator.errors import NotFound
from emulator.filesystem.layouts import items
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.personas import Persona
from emulator.personas.issue import bank_card_number


@dataclass(frozen=True, slots=True)
class Person:
    """A persona and its card as it was issued. ``image`` is never written to."""

    persona: Persona
    image: Image

    def item(self, path: str) -> str:
        """What the persona has at ``SSSE/EF06/09``, as text; of a transparent file (``MF/EF16``) its bytes in hex.

        Items that are computed when a card is issued are read from the card as it was issued. LookupError.
        """
        layout = self.image.layout
        if path in layout.files and layout.files[path].structure is Structure.TRANSPARENT:
            return b"".join(self.image.memory.records(path)).hex().upper()
        name, __, label = path.rpartition("/")
        spec = layout.files.get(name)
        item = next((one for one in spec.items if one.label == label), None) if spec else None
        if spec is None or item is None:
            raise NotFound(_("layout {name} has no item {path!r}").format(name=layout.name, path=path))
        told = self.persona.for_version(layout.version).values.get(name, {}).get(label)
        if told is not None:
            return str(told[0] if isinstance(told, list) else told)
        record = next((one for one in self.image.memory.records(name) if one[:1] == bytes((item.tag or 0,))), b"")
        return str(items.decode(item, record[2:]))

    def known(self, name: str) -> str:
        """What a vector calls ``region``, ``bank_card_number`` or ``pin``."""
        values = {
            "region": self.persona.region,
            "bank_card_number": bank_card_number(self.persona.serial),
            "pin": self.persona.pin,
        }
        return values[name]


def issued(name: str, layout: Layout, algorithm: str) -> Person:
    """A persona, and the card as it would be issued. LookupError for an unknown one."""
    return Person(catalogue.persona(name), catalogue.card(name, layout, algorithm))


def persona_of(name: str, layout: Layout, algorithm: str) -> Person | None:
    """A persona's card as it would be issued; None for no name. LookupError for an unknown one."""
    return issued(name, layout, algorithm) if name else None
