"""What is the case after a step: in the register, of the person, and on the chip, in the words of scenarios."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from emulator.errors import NotFound
from emulator.filesystem.layouts.paths import ItemPath
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
from harness.office.register.tables import Audit, Card, Person
from harness.office.vocabulary import Life, Loss
from harness.scenarios.models import Blocked, Holder, Line, OnChip, Outlet, Register
from harness.terminal.values import decode_record


def of_card(session: Session, card: Card, services: Services, now: datetime) -> Register:
    """What the register says of a card."""
    account = bank.account(session, card.number)
    loss = services.loss(card, now)
    active, frozen = card.activated_at is not None, card.frozen_at is not None
    return Register(
        life=card.life,
        loss=loss,
        usable=card.life is Life.ISSUED and active and not frozen and loss is Loss.NONE,
        activated=active,
        frozen=frozen,
        suspended=card.suspended_at is not None,
        half_way=queries.begun(session, card) is not None,
        account=account,
        bank=card.bank_code,
        valid_until=card.valid_until.isoformat(),
        told_bank=queries.bank_was_notified(session, card),
    )


def of_person(session: Session, person: Person | None) -> Holder:
    """What the register says of a person."""
    if person is None:
        return Holder(known=False)
    return Holder(
        known=True,
        name=person.name,
        document_number=person.document_number,
        phone=person.phone,
        address=person.address,
        region=person.region,
        insured=person.insured,
        dead=person.died_at is not None,
        sex=person.sex,
        ethnic_group=person.ethnic_group,
        occupation=person.occupation,
        birth=person.birth.isoformat(),
        guardian=person.guardian.name if person.guardian else None,
        electronic=queries.has_electronic_card(session, person),
        cards=queries.cards_in_use(session, person),
        helps=tuple(person.helps),
        erased=person.erased_at is not None,
    )


def of_outlets(session: Session) -> list[Outlet]:
    """The outlets, as they are made public (articles 5, 33)."""
    return [
        Outlet(
            kind=one.kind,
            makes_cards=one.makes_cards,
            helps=tuple(one.helps),
            public=all((one.name, one.address, one.phone, one.hours)),
        )
        for one in queries.outlets(session)
    ]


def of_line(line: Audit) -> Line:
    """A line of the audit trail."""
    return Line(
        operation=line.operation,
        outcome=line.outcome,
        clerk=line.clerk,
        article=line.article,
        detail=json.loads(line.detail),
    )


def of_chip(image: Image, paths: Iterable[str] = ()) -> OnChip:
    """What a card holds, and the items of these paths; seen from inside, no terminal is asked. LookupError."""
    memory, layout = image.memory, image.layout
    return OnChip(
        activated=layout.activation is None or memory.activation is Activation.ACTIVE,
        blocked=_blocked(image),
        pin=memory.text(PIN_CELL),
        tries=memory.counter(tries_cell(PIN)),
        regions=_regions(image),
        items={path: item(image, path) for path in paths},
    )


def _blocked(image: Image) -> Blocked:
    if image.memory.card_life is CardLife.BLOCKED:
        return Blocked.CARD
    return Blocked.ENVIRONMENT if image.memory.life(ENVIRONMENT) is ApplicationLife.PERMANENT else Blocked.NONE


def _regions(image: Image) -> str | tuple[str, ...]:
    found = {item(image, one.item) for one in image.layout.insurance_region} - {None}
    return str(found.pop()) if len(found) == 1 else tuple(sorted(map(str, found)))


def _has_file(image: Image, path: str) -> bool:
    return ItemPath.parse(path).file in image.layout.files


def item(image: Image, path: str) -> str | None:
    """An item's value, the first of several; None where the card has none. LookupError for a path of no item."""
    name = ItemPath.parse(path).file
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
    if chip.blocked is Blocked.NONE and card.life is Life.ISSUED:
        if image.layout.activation is not None and chip.activated != (card.activated_at is not None):
            there = _("activated") if chip.activated else _("not activated")
            said.append(_("启用状态不一致 the chip is {there}, the register says otherwise").format(there=there))
        for path, code in person.insured.items():
            found = item(image, path) if _has_file(image, path) else None
            if found not in (None, code):
                said.append(
                    _("参保地不一致 the register says region {code} for {path}, the chip {found}").format(
                        code=code, path=path, found=found
                    )
                )
        for path, registered in (
            (information_and_region.PHONE, person.phone),
            (information_and_region.ADDRESS, person.address),
        ):
            held = item(image, path) if _has_file(image, path) else registered
            if held != registered:
                said.append(
                    _("信息不一致 the register says {registered} for {path}, the chip {held}").format(
                        registered=registered, path=path, held=held
                    )
                )
    elif chip.blocked is not Blocked.NONE and card.life is Life.ISSUED:
        said.append(
            _("锁定状态不一致 the register says the card is in use, the chip is blocked ({blocked})").format(
                blocked=chip.blocked
            )
        )
    return said
