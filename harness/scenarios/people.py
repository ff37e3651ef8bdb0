"""Made-up people in short: ``{is: child, order: 21, guardian: a}`` becomes all that an application collects;
``photo: true`` gives a child one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from emulator.messages import _
from emulator.personas import numbers
from harness.office.cards import content
from harness.office.people import made_up
from harness.office.requests.models import is_checked
from harness.office.vocabulary import DocumentType
from harness.scenarios.models import Person
from harness.verdicts.models import described

Table = dict[str, Any]
NAMES = "甲乙丙丁戊己庚辛壬癸"
PHOTO = base64.b64encode(made_up.PHOTO).decode()
GUARDED = ("name", "document", "phone")
SHORT = frozenset(described(Person))
"""What the short form says; all else is as an application has it."""
FORMS: dict[str, Table] = {
    "adult": {"birth": "1990-03-07"},
    "child": {"birth": "2019-05-01", "photo": None},
    "old": {"birth": "1948-02-03"},
    "hkmt": {
        "kind": "hkmt",
        "birth": "1988-08-08",
        "country": "HKG",
        "document": {"type": "hkmt-residence-permit", "number": "81000019880808{order:03}"},
    },
    "overseas-chinese": {
        "kind": "overseas-chinese",
        "birth": "1979-12-24",
        "document": {"type": "passport", "number": "E00000{order:03}"},
    },
    "foreigner": {
        "kind": "foreigner",
        "birth": "1985-06-15",
        "country": "FRA",
        "document": {"type": "passport", "number": "P00000{order:03}"},
    },
}
"""What differs from an adult of the mainland who lives in Chengdu and is insured there."""


@lru_cache
def _insurances(layout: str) -> tuple[str, ...]:
    """Asked for every person: reading a layout takes a while."""
    return tuple(content.insurances(layout))


def tables(people: Mapping[str, Person], layout: str) -> dict[str, Table]:
    """All of a scenario's people, as a request's ``person`` takes them. ValueError for a guardian who is none of them,
    or a day that is none. ``layout``: the insurances are those that its cards have room for.
    """
    found = {name: _table(person, layout) for name, person in people.items()}
    for name, person in people.items():
        if person.guardian is not None:
            if person.guardian not in found:
                raise ValueError(
                    _("{name}: guardian {guardian} is none of these people").format(name=name, guardian=person.guardian)
                )
            found[name]["guardian"] = {part: found[person.guardian][part] for part in GUARDED}
    return found


def _table(person: Person, layout: str) -> Table:
    form, order = FORMS[person.is_], person.order
    own = {name: _text(value) for name, value in person.raw.items() if name not in SHORT}
    table: Table = {
        "kind": "mainland",
        "name": f"测试{NAMES[order % len(NAMES)]}",
        "sex": "1" if order % 2 else "2",
        "phone": f"0000000{order:04}",
        "address": "四川省成都市虚构区测试路1号",
        "photo": PHOTO,
        "region": "510100",
        "ethnic_group": "01",
        "country": "CHN",
        "occupation": "none",
        "document_until": "long-term",
        "insured": [] if person.uninsured else list(_insurances(layout)),
        **form,
        **own,
        **({"photo": PHOTO} if own.get("photo") is True else {}),
    }
    if "document" not in table:
        born = date.fromisoformat(table["birth"])
        table["document"] = {"type": "id-card", "number": numbers.citizen_id(f"{born:%Y%m%d}", order)}
    elif "document" not in own:
        number = table["document"]["number"].format(order=order)
        if is_checked(DocumentType(table["document"]["type"]), number):
            number += numbers.citizen_check(number)
        table["document"] = {**table["document"], "number": number}
    return table


def _text(value: Any) -> Any:
    """YAML reads a bare day as one; requests in JSON have text."""
    return value.isoformat() if isinstance(value, date) else value
