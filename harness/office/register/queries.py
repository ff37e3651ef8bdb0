"""Whom and which card a request is about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.office.case.case import Case, Unknown
from harness.office.register.tables import Application, Card, Clerk, Person
from harness.office.requests.models import Apply, RecordSurplus
from harness.office.vocabulary import Life


def person(session: Session, kind: str, number: str) -> Person | None:
    """Whose document this is."""
    return session.scalar(select(Person).where(Person.document_type == kind, Person.document_number == number))


def card(session: Session, number: str | None) -> Card | None:
    """The card of this number."""
    return session.scalar(select(Card).where(Card.number == number))


def card_of(session: Session, holder: Person) -> Card | None:
    """The card that the person uses, or the last one there was."""
    query = select(Card).where(Card.person_id == holder.id)
    return session.scalar(query.where(Card.life == Life.ISSUED)) or session.scalar(
        query.order_by(Card.id.desc()).limit(1)
    )


def clerk(session: Session, name: str) -> Clerk:
    """A clerk by name; Unknown, naming those that there are."""
    found = session.scalar(select(Clerk).where(Clerk.name == name))
    if found is None:
        known = ", ".join(session.scalars(select(Clerk.name).order_by(Clerk.id)))
        raise Unknown(f"无此经办人员 there is no clerk {name!r}; there are {known}")
    return found


def find(case: Case[Any]) -> None:
    """Fills in person, card and application: a number that was typed means that card, whatever is in the reader; else
    the reader's card tells itself, unless another's document was shown; then the document, or the application.
    """
    request, session = case.request, case.session
    number = getattr(request, "application", None)
    if number is not None:
        case.application = session.get(Application, number)
        case.person = case.case_of.person
        return
    holder = request.person.document if isinstance(request, Apply) else request.holder
    if holder is not None:
        case.person = person(session, holder.type, holder.number)
    if request.card is not None and not isinstance(request, RecordSurplus):
        case.card = card(session, request.card)
    elif case.presented is not None:
        case.card = session.scalar(select(Card).where(Card.chip == case.presented.chip))
    if case.presented is not None and case.presented.refused and case.in_hand:
        case.presented.with_layout(case.own_card.layout)
    if case.person is None and case.card is not None:
        case.person = case.card.person
    if case.person is not None and (case.card is None or case.card.person_id != case.person.id):
        case.card = None if request.card else card_of(session, case.person)
