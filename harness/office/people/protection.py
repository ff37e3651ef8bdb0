"""Data protection (article 29): masking, who saw what, export to the person, and forgetting when time is up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NotRequired

from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from harness.office.register import audit, queries
from harness.office.register.queries import Found
from harness.office.register.tables import Person
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
    """Returns a telephone number with asterisks for all but its last four digits."""
    return "*" * (len(phone) - 4) + phone[-4:]


class PersonShown(TypedDict):
    """A person for whoever serves; from the day of birth on only where nothing is masked."""

    kind: str
    name: str
    document_type: str
    document_number: str
    phone: str
    region: str
    helps: list[str]
    dead: bool
    birth: NotRequired[str]
    address: NotRequired[str]
    occupation: NotRequired[str]
    insured: NotRequired[dict[str, str]]


class GuardianData(TypedDict):
    """The guardian, as exported."""

    name: str
    document_type: str
    document_number: str
    phone: str
    relation: str


class PersonData(PersonShown):
    """A person, as exported. ``photo``: in hex."""

    sex: str
    ethnic_group: str
    country: str
    document_until: str | None
    photo: str | None
    full_capacity: bool
    guardian: GuardianData | None


class ApplicationData(TypedDict):
    """An application, as exported. ``fee``: in fen."""

    application: int
    kind: str
    reason: str
    bank: str
    accepted: str
    progress: str
    fee: int


class AgencyData(TypedDict):
    """Somebody who came for the person, as exported."""

    at: str
    operation: str
    name: str
    relation: str


class CardData(TypedDict):
    """A card, as exported; what has not happened has no moment."""

    number: str
    bank: str
    life: str
    made: str
    activated: str | None
    loss: str
    lost: str | None
    frozen: str | None
    frozen_why: str
    suspended: str | None
    suspended_why: str
    ended: str | None
    ended_why: str


class TrailData(TypedDict):
    """A line of the trail about the person, as exported."""

    at: str
    clerk: str
    outlet: str
    operation: str
    article: str
    outcome: str


class PersonalData(TypedDict):
    """All that the register holds of a person."""

    person: PersonData
    electronic: bool
    applications: list[ApplicationData]
    agents: list[AgencyData]
    cards: list[CardData]
    trail: list[TrailData]


def masked(person: Person | Found) -> PersonShown:
    """A person as a clerk sees them."""
    return {
        "kind": str(person.kind),
        "name": masked_name(person.name),
        "document_type": str(person.document_type),
        "document_number": masked_number(person.document_number),
        "phone": masked_phone(person.phone),
        "region": person.region,
        "helps": person.helps,
        "dead": person.died_at is not None,
    }


def whole(person: Person) -> PersonShown:
    """A person with nothing masked, for the holder or for a purpose that was told."""
    return {
        **masked(person),
        "name": person.name,
        "document_number": person.document_number,
        "phone": person.phone,
        "birth": person.birth.isoformat(),
        "address": person.address,
        "occupation": person.occupation,
        "insured": person.insured,
    }


def export(session: Session, person: Person) -> PersonalData:
    """All that the register holds of a person, for that person: data, cards, and who did or saw what and when."""
    guardian = person.guardian
    return {
        "person": {
            **whole(person),
            "sex": person.sex,
            "ethnic_group": person.ethnic_group,
            "country": person.country,
            "document_until": person.document_until.isoformat() if person.document_until else None,
            "photo": person.photo.hex() if person.photo else None,
            "full_capacity": person.full_capacity,
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
        "electronic": queries.has_electronic_card(session, person),
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
            for one in queries.every_application_of(session, person)
        ],
        "agents": [
            {"at": one.at.isoformat(), "operation": one.operation, "name": one.name, "relation": str(one.relation)}
            for one in queries.agencies(session, person)
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
            for card in queries.cards_of(session, person)
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


def due(session: Session, now: datetime, retention: timedelta = RETENTION) -> list[Person]:
    """Persons with no card alive and nothing under way, the last card ended, or the last application was made, so long
    ago.
    """
    return [person for person in queries.remembered(session) if _is_over(session, person, now - retention)]


def _is_over(session: Session, person: Person, since: datetime) -> bool:
    cards = queries.cards_of(session, person)
    applications = queries.every_application_of(session, person)
    under_way = any(one.progress in OPEN for one in applications) or any(queries.begun(session, card) for card in cards)
    if under_way or any(card.life in ALIVE or card.ended_at is None for card in cards):
        return False
    ends = [card.ended_at for card in cards if card.ended_at] or [one.accepted_at for one in applications]
    return bool(ends) and max(ends) <= since


def erase(session: Session, person: Person, now: datetime) -> None:
    """Forgets who it was: the cards and the trail keep a number that means nobody any more."""
    cards = queries.cards_of(session, person)
    for card in cards:
        card.frozen_why = card.suspended_why = card.ended_why = ""  # somebody's own words, which may name the holder
    for done in queries.ended_work(session, cards):
        done.request, done.job = {}, {}  # they name the holder, and what was written on the card
    refused = queries.account_refusal(session, person)
    if refused is not None:
        session.delete(refused)
    person.name, person.phone, person.address, person.occupation = ERASED, "", "", ""
    person.document_type, person.document_number = DocumentType.ID_CARD, f"{ERASED}-{person.id}"
    person.document_until, person.photo, person.erased_at = None, None, now
    person.birth = person.birth.replace(month=1, day=1)
    person.sex, person.ethnic_group, person.helps = "", "", []
    for row in queries.kept_of(session, person):
        session.delete(row)
    session.flush()
    for batch in queries.batches_forgotten(session, person):  # who brought one is forgotten with the last of it
        batch.agent_name = batch.agent_document_number = ERASED
