"""Making cards (制卡): from what the register knows of a person to what the chip, virtual or not, will hold."""

from __future__ import annotations

from datetime import date
from typing import Any

from emulator import catalogue, personas
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.text import encode
from emulator.filesystem.memory.image import Image
from emulator.personas import Persona
from emulator.personas.issue import issue
from harness.office.measures.ages import age
from harness.office.register.tables import Person
from harness.office.vocabulary import PersonKind

YEARS = 10
"""A card is valid for so long. [D]"""
PRESCHOOL, STUDENT, ADULT, OLD = "1", "2", "3", "4"
NAME_BYTES = 30
OF_BANK = (
    "PSE/EF01",
    "BANK/EF01",
    "BANK/EF02",
    "BANK/EF03",
    "CERT/EF12",
    "CERT/EF13",
    "CERT/EF14",
    "CERT/EF15",
    "CERT/EF18",
    "CERT/EF19",
)
"""Files that hold nothing of the person: as on every virtual card."""


def valid_until(made: date) -> date:
    """The last day, ten years on."""
    month_end = 28 if (made.month, made.day) == (2, 29) else made.day
    return date(made.year + YEARS, made.month, month_end)


def card_class(person: Person, today: date) -> str:
    """卡的类别 by age. [S: v2:table 11, reference:code-tables.json] the classes, [D] the ages."""
    years = age(person.birth, today)
    return PRESCHOOL if years < 7 else STUDENT if years < 18 else ADULT if years < 60 else OLD


def image(
    person: Person, number: str, serial: bytes, layout: Layout, algorithm: str, today: date, *, activated: bool = False
) -> Image:
    """The chip's content, not activated unless told. ItemError where something has no room on it."""
    return issue(persona(person, number, serial, layout, today, activated=activated), layout, algorithm)


def persona(
    person: Person, number: str, serial: bytes, layout: Layout, today: date, *, activated: bool = False
) -> Persona:
    """The holder as a card holds them."""
    given = catalogue.persona(personas.DEFAULT)
    values: dict[str, dict[str, Any]] = {path: given.values[path] for path in OF_BANK if path in given.values}
    name, more = split_name(person.name)
    values |= {
        "SSSE/EF05": {
            "02": card_class(person, today),
            "05": f"{today:%Y%m%d}",
            "06": f"{valid_until(today):%Y%m%d}",
            "07": number,
        },
        "SSSE/EF06": {
            "08": person.document_number[:18],
            "09": name,
            "4E": more,
            "0A": person.sex,
            "0B": person.ethnic_group,
            "0C": person.region,
            "0D": f"{person.birth:%Y%m%d}",
        },
        "DF01/EF06": {"23": person.address, "24": person.region, "28": person.phone, **_contact(person)},
    }
    values["DF01/EF0A"] = {"37": person.country if person.kind is PersonKind.FOREIGNER else ""}
    if person.photo:
        values["SSSE/EF08"] = {"hex": person.photo.hex()}
    if person.occupation:
        values["DF02/EF06"] = {"3A": person.occupation}
    removed = set()
    for binding in layout.insurance_region:
        if binding.item in person.insured:
            file, label = binding.path
            values.setdefault(file, {})[label] = str(person.insured[binding.item])
        else:
            removed.add(binding.item)
    return Persona(
        name=f"card-{number}",
        title=f"card {number}",
        title_zh=f"卡{number}",
        region=person.region,
        serial=serial,
        pin=layout.pin.initial,
        tries_left=None,
        values=values,
        removed=frozenset(removed),
        activated=activated or layout.activation is None,
    )


def _contact(person: Person) -> dict[str, str]:
    guardian = person.guardian
    return {"2C": guardian.name, "2D": guardian.phone} if guardian else {}


def split_name(name: str) -> tuple[str, str]:
    """Item 09 takes 30 bytes; what is longer goes on in 4E, from a whole character on.

    [S: v2:8.1.2.2, reference:items.json]
    """
    first = name
    while len(encode(first)) > NAME_BYTES:
        first = first[:-1]
    return first, name[len(first) :]


def insurances(layout: str = "3.00") -> list[str]:
    """The items that hold insurances' regions."""
    return [one.item for one in catalogue.layout(layout).insurance_region]
