"""Data protection (article 29): masking, who saw what, export to the person, and forgetting when time is up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from harness.office.case.case import begun
from harness.office.register import audit
from harness.office.register.tables import (
    AccountRefusal,
    Agency,
    Application,
    Batch,
    Card,
    ElectronicCard,
    Guardian,
    Pending,
    Person,
)
from harness.office.vocabulary import OPEN, DocumentType, Life

RETENTION = timedelta(days=5 * 365)
"""How long after the end of the last card a person's data are kept. [D]"""
ERASED = "已删除"
ALIVE = (Life.MAKING, Life.MADE, Life.ISSUED, Life.SURPLUS, Life.CANCELLED)
"""A cancelled card still has its bank account's end before it."""


def masked_name(name: str) -> str:
    """测*, 测**: the first character is left."""
    return name[:1] + "*" * (len(name) - 1)


def masked_number(number: str) -> str:
    """The first and last four are left; of short ones nothing."""
    return number[:4] + "*" * (len(number) - 8) + number[-4:] if len(number) > 10 else "*" * len(number)


def masked_phone(phone: str) -> str:
    """The last four are left."""
    return "*" * (len(phone) - 4) + phone[-4:]


def shown(person: Person, *, whole: bool) -> dict[str, Any]:
    """A person for a clerk: masked, unless the whole was asked for."""
    told = {
        "kind": str(person.kind),
        "name": person.name,
        "document_type": str(person.document_type),
        "document_number": person.document_number,
        "phone": person.phone,
        "region": person.region,
        "helps": person.helps,
        "dead": person.died_at is not None,
    }
    if whole:
        return told | {
            "birth": person.birth.isoformat(),
            "address": person.address,
            "occupation": person.occupation,
            "insured": person.insured,
        }
    return told | {
        "name": masked_name(person.name),
        "document_number": masked_number(person.document_number),
        "phone": masked_phone(person.phone),
    }


def export(session: Session, person: Person) -> dict[str, Any]:
    """All that the register holds of a person, for that person: data, cards, and who did or saw what and when."""
    guardian = person.guardian
    return {
        "person": shown(person, whole=True)
        | {
            "sex": person.sex,
            "ethnic_group": person.ethnic_group,
            "country": person.country,
            "document_until": person.document_until.isoformat() if person.document_until else None,
            "photo": person.photo.hex() if person.photo else None,
            "full_capacity": person.full_capacity,
            "insured": person.insured,
            "guardian": {
                "name": guardian.name,
                "document_type": str(guardian.document_type),
                "document_number": guardian.document_number,
                "phone": guardian.phone,
                "relation": str(guardian.relation),
            }
            if guardian
            else None,
        },
        "electronic": session.scalar(select(ElectronicCard.id).where(ElectronicCard.person_id == person.id))
        is not None,
        "applications": [
            {
                "application": one.id,
                "kind": str(one.kind),
                "reason": one.reason,
                "bank": one.bank_code,
                "accepted": one.accepted_at.isoformat(),
                "progress": str(one.progress),
                "fee": one.fee,
            }
            for one in session.scalars(_applications(person).order_by(Application.id))
        ],
        "agents": [
            {"at": one.at.isoformat(), "operation": one.operation, "name": one.name, "relation": str(one.relation)}
            for one in session.scalars(select(Agency).where(Agency.person_id == person.id).order_by(Agency.id))
        ],
        "cards": [
            {
                "number": card.number,
                "bank": card.bank_code,
                "life": str(card.life),
                "made": card.made_at.isoformat(),
                "activated": _moment(card.activated_at),
                "loss": str(card.loss),
                "lost": _moment(card.lost_at),
                "frozen": _moment(card.frozen_at),
                "frozen_why": card.frozen_why,
                "suspended": _moment(card.suspended_at),
                "suspended_why": card.suspended_why,
                "ended": _moment(card.ended_at),
                "ended_why": card.ended_why,
            }
            for card in session.scalars(select(Card).where(Card.person_id == person.id).order_by(Card.id))
        ],
        "trail": [
            {
                "at": line.at.isoformat(),
                "clerk": line.clerk,
                "outlet": line.outlet,
                "operation": line.operation,
                "article": line.article,
                "outcome": str(line.outcome),
            }
            for line in audit.lines(session, person_id=person.id)
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _applications(person: Person) -> Select[Application]:
    return select(Application).where(Application.person_id == person.id)


def due(session: Session, now: datetime, retention: timedelta = RETENTION) -> list[Person]:
    """Persons with no card alive and nothing under way, the last card ended, or the last application was made, so long
    ago.
    """
    people = session.scalars(select(Person).where(Person.erased_at.is_(None)).order_by(Person.id))
    return [person for person in people if _is_over(session, person, now - retention)]


def _is_over(session: Session, person: Person, since: datetime) -> bool:
    cards = list(session.scalars(select(Card).where(Card.person_id == person.id)))
    applications = list(session.scalars(_applications(person)))
    under_way = any(one.progress in OPEN for one in applications) or any(begun(session, card) for card in cards)
    if under_way or any(card.life in ALIVE or card.ended_at is None for card in cards):
        return False
    ends = [card.ended_at for card in cards if card.ended_at] or [one.accepted_at for one in applications]
    return bool(ends) and max(ends) <= since


def erase(session: Session, person: Person, now: datetime) -> None:
    """Forgets who it was: the cards and the trail keep a number that means nobody any more."""
    cards = list(session.scalars(select(Card).where(Card.person_id == person.id)))
    for card in cards:
        card.frozen_why = card.suspended_why = card.ended_why = ""  # somebody's own words, which may name the holder
    numbers = [card.id for card in cards]
    for done in session.scalars(select(Pending).where(Pending.card_id.in_(numbers), Pending.ended_at.is_not(None))):
        done.request, done.job = {}, {}  # they name the holder, and what was written on the card

    refused = session.get(AccountRefusal, person.document_number)
    if refused is not None:
        session.delete(refused)
    person.name, person.phone, person.address, person.occupation = ERASED, "", "", ""
    person.document_type, person.document_number = DocumentType.ID_CARD, f"{ERASED}-{person.id}"
    person.document_until, person.photo, person.erased_at = None, None, now
    person.birth = person.birth.replace(month=1, day=1)
    person.sex, person.ethnic_group, person.helps = "", "", []
    for table in (Guardian, ElectronicCard, Agency):
        for row in session.scalars(select(table).where(table.person_id == person.id)):
            session.delete(row)
    session.flush()
    _erase_batches(session, person)


def _erase_batches(session: Session, person: Person) -> None:
    """Who brought a batch is forgotten with the last person of it."""
    of_person = select(Application.batch_id).where(Application.person_id == person.id)
    for batch in session.scalars(select(Batch).where(Batch.id.in_(of_person))):
        remaining = (
            select(Person.id)
            .join(Application, Application.person_id == Person.id)
            .where(Application.batch_id == batch.id, Person.erased_at.is_(None))
        )
        if session.scalar(remaining) is None:
            batch.agent_name = batch.agent_document_number = ERASED
