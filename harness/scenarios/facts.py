"""What is the case after a step: in the register, of the person, and on the chip, in the words of scenarios."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from emulator.errors import NotFound
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import (
    PIN_CELL,
    Activation,
    ApplicationLife,
    CardLife,
    tries_cell,
)
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.security import PIN
from harness.office.cards.jobs import ENVIRONMENT
from harness.office.case import bank
from harness.office.case.services import Services
from harness.office.operations import information_and_region
from harness.office.register import queries
from harness.office.register.tables import Card, Person
from harness.office.vocabulary import Life, Loss
from harness.terminal.values import decode_record

Facts = dict[str, Any]


def of_card(session: Session, card: Card, services: Services, now: datetime) -> Facts:
    """What the register says of a card."""
    account = bank.account(session, card.number)
    loss = services.loss(card, now)
    active, frozen = card.activated_at is not None, card.frozen_at is not None
    return {
        "life": str(card.life),
        "loss": str(loss),
        "usable": card.life is Life.ISSUED and active and not frozen and loss is Loss.NONE,
        "activated": active,
        "frozen": frozen,
        "suspended": card.suspended_at is not None,
        "half_way": queries.begun(session, card) is not None,
        "account": str(account) if account else None,
        "bank": card.bank_code,
        "valid_until": card.valid_until.isoformat(),
        "told_bank": queries.bank_was_told(session, card),
    }  # fmt: skip


def of_person(session: Session, person: Person | None) -> Facts:
    """What the register says of a person."""
    if person is None:
        return {"known": False}
    return {
        "known": True,
        "name": person.name,
        "document_number": person.document_number,
        "phone": person.phone,
        "address": person.address,
        "region": person.region,
        "insured": person.insured,
        "dead": person.died_at is not None,
        **{name: getattr(person, name) for name in ("sex", "ethnic_group", "occupation")},
        "birth": person.birth.isoformat(),
        "guardian": person.guardian.name if person.guardian else None,
        "electronic": queries.has_electronic_card(session, person),
        "cards": queries.cards_in_use(session, person),
        "helps": person.helps,
        "erased": person.erased_at is not None,
    }


def of_outlets(session: Session) -> list[Facts]:
    """The outlets, as they are made public (articles 5, 33)."""
    return [
        {
            "kind": str(one.kind),
            "makes_cards": one.makes_cards,
            "helps": one.helps,
            "public": all((one.name, one.address, one.phone, one.hours)),
        }
        for one in queries.outlets(session)
    ]


def of_chip(image: Image, paths: Iterable[str] = ()) -> Facts:
    """What a card holds, and the items of these paths; seen from inside, no terminal is asked. LookupError."""
    memory, layout = image.memory, image.layout
    blocked = "card" if memory.card_life is CardLife.BLOCKED else "none"
    if blocked == "none" and memory.life(ENVIRONMENT) is ApplicationLife.PERMANENT:
        blocked = "environment"
    return {
        "activated": layout.activation is None or memory.activation is Activation.ACTIVE,
        "blocked": blocked,
        "pin": memory.text(PIN_CELL),
        "tries": memory.counter(tries_cell(PIN)),
        "regions": _regions(image),
        "items": {path: item(image, path) for path in paths},
    }


def _regions(image: Image) -> str | list[str]:
    found = {item(image, one.item) for one in image.layout.insurance_region} - {None}
    return str(found.pop()) if len(found) == 1 else sorted(map(str, found))


def item(image: Image, path: str) -> str | None:
    """An item's value, the first of several; None where the card has none. LookupError for a path of no item."""
    name = path.rpartition("/")[0]
    spec = image.layout.files.get(name)
    if spec is None or spec.structure is not Structure.RECORDS:
        raise NotFound(
            _("layout {name} has no item {path!r}; they look like SSSE/EF06/09").format(
                name=image.layout.name, path=path
            )
        )
    for number, record in enumerate(image.memory.records(name), 1):
        found = next(decode_record(spec, record, number))
        if found.path == path:
            return str(found.value)
    return None


def disagreements(card: Card, image: Image) -> list[str]:
    """Where register and chip do not say the same of a card that is in use, a sentence each."""
    chip, person = of_chip(image), card.person
    said = []
    if chip["blocked"] == "none" and card.life is Life.ISSUED:
        if image.layout.activation is not None and chip["activated"] != (card.activated_at is not None):
            there = "activated" if chip["activated"] else "not activated"
            said.append(f"启用状态不一致 the chip is {there}, the register says otherwise")
        for path, code in person.insured.items():
            found = item(image, path) if path.rpartition("/")[0] in image.layout.files else None
            if found not in (None, code):
                said.append(f"参保地不一致 the register says region {code} for {path}, the chip {found}")
        for path, told in (
            (information_and_region.PHONE, person.phone),
            (information_and_region.ADDRESS, person.address),
        ):
            held = item(image, path) if path.rpartition("/")[0] in image.layout.files else told
            if held != told:
                said.append(f"信息不一致 the register says {told} for {path}, the chip {held}")
    elif chip["blocked"] != "none" and card.life is Life.ISSUED:
        said.append(f"锁定状态不一致 the register says the card is in use, the chip is blocked ({chip['blocked']})")
    return said
