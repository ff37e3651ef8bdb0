"""People who do not exist, by the seed: for cards in one go, batches, and trying things out."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import date, timedelta

from emulator.personas import numbers
from harness.office.cards import content
from harness.office.measures.ages import ADULT
from harness.office.requests.models import LONG_TERM, NO_OCCUPATION, Document, Guardian, Personal
from harness.office.vocabulary import DocumentType

NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
OLDEST, YOUNGEST_GUARDIAN = 90, 25
PHOTO = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAKBueIx4ZKCMgoy0qqC+8P//8Nzc8P//////////////////////////////////////////////////"
    "////////wAALCAAKAAgBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AKD/2Q=="
)
"""A JPEG of 8 by 10 grey points: nobody's face."""


def person(day: date, seed: int, *, minor: bool = False, region: str = "510100") -> Personal:
    """An adult of this day, or a child with its guardian; the same for the same day and seed."""
    return next(people(day, seed, minor=minor, region=region))


def people(day: date, seed: int, *, minor: bool = False, region: str = "510100") -> Iterator[Personal]:
    """One after the other, without end and without two of the same number."""
    chance = random.Random(seed)
    numbers_used: set[str] = set()
    insured = tuple(content.insurances())
    while True:
        made = _person(chance, day, minor=minor, region=region, insured=insured)
        if made.document.number not in numbers_used:
            numbers_used.add(made.document.number)
            yield made


def _person(chance: random.Random, day: date, *, minor: bool, region: str, insured: tuple[str, ...]) -> Personal:
    birth, document, sex = _citizen(chance, day, 0 if minor else ADULT, ADULT if minor else OLDEST)
    return Personal(
        name=_name(chance),
        sex=sex,
        ethnic_group="01",
        birth=birth,
        country="CHN",
        occupation=NO_OCCUPATION,
        document_until=LONG_TERM,
        phone=_phone(chance),
        address=f"四川省成都市虚构区测试路{chance.randint(1, 999)}号",
        document=document,
        photo=PHOTO,
        region=region,
        insured=insured,
        guardian=_guardian(chance, day) if minor else None,
    )


def _guardian(chance: random.Random, day: date) -> Guardian:
    _, document, _ = _citizen(chance, day, YOUNGEST_GUARDIAN, OLDEST)
    return Guardian(name=_name(chance), document=document, phone=_phone(chance))


def _citizen(chance: random.Random, day: date, youngest: int, before: int) -> tuple[date, Document, str]:
    """Birth, document and sex, of so many full years and less than so many."""
    last, first = _years_ago(day, youngest), _years_ago(day, before) + timedelta(days=1)
    birth = first + timedelta(days=chance.randint(0, (last - first).days))
    order = chance.randrange(1000)
    number = numbers.citizen_id(f"{birth:%Y%m%d}", order)
    return birth, Document(type=DocumentType.ID_CARD, number=number), "1" if order % 2 else "2"


def _years_ago(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _name(chance: random.Random) -> str:
    return "测试" + "".join(chance.choices(NAMES, k=chance.randint(1, 2)))


def _phone(chance: random.Random) -> str:
    return f"000{chance.randrange(10**8):08}"
