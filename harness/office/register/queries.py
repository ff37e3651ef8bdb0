"""Every question that is asked of the register; nothing else of the office writes a SELECT, but for the trail's own
(``audit``), what lists are narrowed to (``wanted``) and what is counted (``counts``).

A statement that many requests need is built once: SQLAlchemy then finds its text by the object itself. Columns for a
list are read over the session's connection, past the ORM, which does not flush what is not written yet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import Row, String, bindparam, exists, func, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session, contains_eager, joinedload

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.office.register.base import Base, moment
from harness.office.register.tables import (
    Account,
    AccountRefusal,
    Agency,
    Anomaly,
    Application,
    Audit,
    Bank,
    Batch,
    Card,
    Clerk,
    Credential,
    ElectronicCard,
    Guardian,
    Outlet,
    Pending,
    Person,
    Push,
)
from harness.office.register.wanted import WantedApplications, WantedCards, WantedPeople
from harness.office.vocabulary import OPEN, DocumentType, Life, OutletKind, Role

NEVER = datetime.min.replace(tzinfo=UTC)
ALL_PEOPLE, ALL_CARDS, ALL_APPLICATIONS = WantedPeople(), WantedCards(), WantedApplications()
Found = Row[*tuple[Any, ...]]
"""Some columns of what was found, by their names."""


class Unknown(SscardError, LookupError):
    """Nobody, or nothing, in the register is meant by that."""

    kind = ErrorKind.MISSING
    word = "unknown"


# --- people ------------------------------------------------------------------------------------------------------

_PERSON = select(Person).where(Person.document_type == bindparam("kind"), Person.document_number == bindparam("number"))
_PERSON_AND_CARD = (
    _PERSON.add_columns(Card)
    .outerjoin(Card, (Card.person_id == Person.id) & (Card.life == Life.ISSUED))
    .options(contains_eager(Card.person))
)
_PEOPLE = (
    select(
        Person.id,
        Person.kind,
        Person.name,
        Person.document_type,
        Person.document_number,
        Person.phone,
        Person.region,
        Person.helps,
        Person.died_at,
    )
    .where(Person.id > bindparam("after"), Person.erased_at.is_(None))
    .order_by(Person.id)
    .limit(bindparam("most"))
)


def person(session: Session, kind: DocumentType | str, number: str) -> Person | None:
    """Returns the person whose document this is, None for nobody."""
    return session.scalar(_PERSON, {"kind": DocumentType(kind), "number": number})


def person_by_number(session: Session, number: int) -> Person:
    """The person of the register's number, who must be there."""
    return session.get_one(Person, number)


def person_and_card(session: Session, kind: DocumentType | str, number: str) -> tuple[Person | None, Card | None]:
    """Whose document this is, and the card that they use, or the last one there was."""
    found = session.execute(_PERSON_AND_CARD, {"kind": DocumentType(kind), "number": number}).one_or_none()
    if found is None:
        return None, None
    holder, used = found
    return holder, used or session.scalar(_LAST_CARD, {"person": holder.id})


def people(session: Session, after: int, most: int, wanted: WantedPeople = ALL_PEOPLE) -> Sequence[Found]:
    """Those who were not forgotten, by the register's numbers, so many after one: what a list shows of them."""
    return session.connection().execute(wanted.of(_PEOPLE), {"after": after, "most": most}).all()


def remembered(session: Session) -> Sequence[Person]:
    """Returns all persons who were not forgotten."""
    return session.scalars(select(Person).where(Person.erased_at.is_(None)).order_by(Person.id)).all()


def agencies(session: Session, holder: Person) -> Sequence[Agency]:
    """Who came for this person, in order."""
    return session.scalars(select(Agency).where(Agency.person_id == holder.id).order_by(Agency.id)).all()


def kept_of(session: Session, holder: Person) -> Sequence[Guardian | ElectronicCard | Agency]:
    """Rows that exist for this person alone."""
    return [
        *session.scalars(select(Guardian).where(Guardian.person_id == holder.id)),
        *session.scalars(select(ElectronicCard).where(ElectronicCard.person_id == holder.id)),
        *session.scalars(select(Agency).where(Agency.person_id == holder.id)),
    ]


def batches_forgotten(session: Session, holder: Person) -> Sequence[Batch]:
    """The batches that this person was in and that nobody who is remembered is in."""
    of_person = select(Application.batch_id).where(Application.person_id == holder.id)
    remaining = (
        select(Person.id)
        .join(Application, Application.person_id == Person.id)
        .where(Application.batch_id == Batch.id, Person.erased_at.is_(None))
    )
    return session.scalars(select(Batch).where(Batch.id.in_(of_person), ~exists(remaining))).all()


# --- cards -------------------------------------------------------------------------------------------------------

_WITH_HOLDER = joinedload(Card.person, innerjoin=True)
_CARD = select(Card).where(Card.number == bindparam("number")).options(_WITH_HOLDER)
_CARD_BY_CHIP = select(Card).where(Card.chip == bindparam("chip")).options(_WITH_HOLDER)
_IN_USE = select(Card).where(Card.person_id == bindparam("person"), Card.life == Life.ISSUED)
_LAST_CARD = select(Card).where(Card.person_id == bindparam("person")).order_by(Card.id.desc()).limit(1)
_CARDS = (
    select(
        Card.id,
        Card.number,
        Card.person_id,
        Card.bank_code,
        Card.life,
        Card.loss,
        Card.lost_at,
        Card.activated_at,
        Card.frozen_at,
        Card.suspended_at,
        Card.electronic_goes_on,
        Person.died_at.label("holder_died_at"),
    )
    .join(Person, Person.id == Card.person_id)
    .where(Card.id > bindparam("after"))
    .order_by(Card.id)
    .limit(bindparam("most"))
)
_CARDS_OF = (
    select(
        Card.number,
        Card.life,
        Card.loss,
        Card.lost_at,
        Card.activated_at,
        Card.frozen_at,
        Card.frozen_why,
        Card.suspended_at,
        Card.suspended_why,
        Card.valid_until,
        Bank.name.label("bank"),
        Account.state.label("account"),
        Pending.id.label("pending"),
    )
    .join(Bank, Bank.code == Card.bank_code)
    .outerjoin(Account, Account.card_number == Card.number)
    .outerjoin(Pending, (Pending.card_id == Card.id) & Pending.ended_at.is_(None))
    .where(Card.person_id == bindparam("person"))
    .order_by(Card.id)
)


def card(session: Session, number: str | None) -> Card | None:
    """Returns the card of this number, None for none."""
    return session.scalar(_CARD, {"number": number})


def card_by_chip(session: Session, chip: str) -> Card | None:
    """The card whose chip this is, by the ATR's last 8 bytes in hex."""
    return session.scalar(_CARD_BY_CHIP, {"chip": chip})


def card_of(session: Session, holder: Person) -> Card | None:
    """The card that the person uses, or the last one there was."""
    whose = {"person": holder.id}
    return session.scalar(_IN_USE, whose) or session.scalar(_LAST_CARD, whose)


def cards(
    session: Session, after: int, most: int, wanted: WantedCards = ALL_CARDS, lapsed: datetime = NEVER
) -> Sequence[Found]:
    """Cards by the register's numbers, so many after one: what a list shows of them. ``lapsed``: temporary losses that
    were reported until then hold no more.
    """
    return session.connection().execute(wanted.of(_CARDS, lapsed), {"after": after, "most": most}).all()


def applications_of_card(session: Session, of: Card) -> Sequence[Found]:
    """The application that a card was made for, and those that ask for another in its place, in order."""
    query = select(*_APPLICATION_COLUMNS, Application.card_id, Application.old_card_id)
    about = or_(Application.card_id == of.id, Application.old_card_id == of.id)
    return session.connection().execute(query.where(about).order_by(Application.id)).all()


def every_card(session: Session) -> Sequence[Card]:
    """Returns all cards, in order."""
    return session.scalars(select(Card).order_by(Card.id)).all()


def cards_of(session: Session, holder: Person) -> Sequence[Card]:
    """All that the person ever had, in order."""
    return session.scalars(select(Card).where(Card.person_id == holder.id).order_by(Card.id)).all()


def cards_with_state(session: Session, holder: Person) -> Sequence[Found]:
    """The person's cards in order: what a query shows of them, with the bank's name, the account's state (None: no
    account) and the number of work that was begun on the card and not ended (None: no such work).
    """
    return session.connection().execute(_CARDS_OF, {"person": holder.id}).all()


def cards_in_use(session: Session, holder: Person) -> int:
    """How many cards the person has that were handed out and serve."""
    query = select(func.count()).select_from(Card).where(Card.person_id == holder.id, Card.life == Life.ISSUED)
    return session.scalar(query) or 0


def has_card(session: Session, holder: Person) -> bool:
    """Whether the person has a card, or one that waits to be handed out."""
    found = select(Card.id).where(Card.person_id == holder.id, Card.life.in_((Life.ISSUED, Life.MADE)))
    return session.scalar(found.limit(1)) is not None


def had_card(session: Session, holder: Person) -> bool:
    """Whether a card was handed out to this person before, whatever became of it."""
    issued = select(Card.id).where(Card.person_id == holder.id, Card.issued_at.is_not(None))
    return session.scalar(issued.limit(1)) is not None


# --- applications ------------------------------------------------------------------------------------------------

_OPEN = select(Application).where(Application.person_id == bindparam("person"), Application.progress.in_(OPEN))
_APPLICATION_COLUMNS = (
    Application.id,
    Application.kind,
    Application.progress,
    Application.accepted_at,
    Application.delay_days,
    Application.person_id,
    Application.bank_code,
    Application.fee,
)
_APPLICATIONS = (
    select(*_APPLICATION_COLUMNS)
    .where(Application.id > bindparam("after"))
    .order_by(Application.id)
    .limit(bindparam("most"))
)
_APPLICATIONS_OF = (
    select(*_APPLICATION_COLUMNS).where(Application.person_id == bindparam("person")).order_by(Application.id)
)
_OPEN_APPLICATIONS = (
    select(*_APPLICATION_COLUMNS, Outlet.name.label("outlet"))
    .join(Outlet, Outlet.id == Application.outlet_id)
    .where(Application.progress.in_(OPEN))
    .order_by(Application.id)
)


def application(session: Session, number: int) -> Application | None:
    """Returns the application of this number, None for none."""
    return session.get(Application, number)


def open_application(session: Session, holder: Person) -> Application | None:
    """A person's application that is not ended."""
    return session.scalar(_OPEN, {"person": holder.id})


def applications(
    session: Session, after: int, most: int, wanted: WantedApplications = ALL_APPLICATIONS
) -> Sequence[Found]:
    """Applications by number, so many after one: what a list shows of them."""
    return session.connection().execute(wanted.of(_APPLICATIONS), {"after": after, "most": most}).all()


def applications_of(session: Session, holder: Person) -> Sequence[Found]:
    """A person's applications in order: what a list shows of them."""
    return session.connection().execute(_APPLICATIONS_OF, {"person": holder.id}).all()


def every_application_of(session: Session, holder: Person) -> Sequence[Application]:
    """A person's applications, whole, in order."""
    query = select(Application).where(Application.person_id == holder.id).order_by(Application.id)
    return session.scalars(query).all()


def open_applications(session: Session) -> Sequence[Found]:
    """All that are not ended, in order: what a list shows of them, and the outlet's name."""
    return session.connection().execute(_OPEN_APPLICATIONS).all()


# --- work on chips that was begun --------------------------------------------------------------------------------

_BEGUN = select(Pending).where(Pending.card_id == bindparam("card"), Pending.ended_at.is_(None))
_PENDING = (
    select(Pending.id, Pending.operation, Pending.job, Pending.begun_at, Card.number.label("card"))
    .join(Card, Card.id == Pending.card_id)
    .where(Pending.ended_at.is_(None))
    .order_by(Pending.id)
)


def begun(session: Session, of: Card) -> Pending | None:
    """Work on a card that was begun and not ended."""
    return session.scalar(_BEGUN, {"card": of.id})


def pending(session: Session) -> Sequence[Found]:
    """All work that was begun and not ended, in order, with the card's number."""
    return session.connection().execute(_PENDING).all()


def ended_work(session: Session, of: Iterable[Card]) -> Sequence[Pending]:
    """Work on these cards that has ended."""
    ids = [one.id for one in of]
    return session.scalars(select(Pending).where(Pending.card_id.in_(ids), Pending.ended_at.is_not(None))).all()


# --- outlets and clerks ------------------------------------------------------------------------------------------

_CLERK_ROW = select(Clerk).where(Clerk.name == bindparam("name"))
_CLERKS = select(
    Clerk.id,
    Clerk.name,
    Clerk.role,
    Clerk.outlet_id,
    Outlet.name.label("outlet"),
    Outlet.kind,
    Outlet.bank_code,
    Outlet.makes_cards,
    Outlet.helps,
).join(Outlet, Outlet.id == Clerk.outlet_id)
_CLERK = _CLERKS.where(Clerk.name == bindparam("name"))
_CLERK_BY_ID = _CLERKS.where(Clerk.id == bindparam("id"))
_BEARER = (
    select(Clerk.name, Clerk.role, Clerk.token, Clerk.token_until, Outlet.name.label("outlet"))
    .join(Outlet, Outlet.id == Clerk.outlet_id)
    .where(Clerk.token == bindparam("digest"))
)
_BEARER_ALONE = str(_BEARER.compile(dialect=sqlite.dialect()))


@dataclass(frozen=True, slots=True)
class ServingOutlet:
    """What rules ask of the outlet that a request is made at."""

    name: str
    kind: OutletKind
    bank_code: str | None
    makes_cards: bool
    helps: list[str]


@dataclass(frozen=True, slots=True)
class ServingClerk:
    """Who serves, as the register had them when the request was taken up."""

    id: int
    name: str
    role: Role
    outlet_id: int
    outlet: ServingOutlet


def clerk(session: Session, name: str) -> ServingClerk:
    """A clerk by name, to act. Raises Unknown, naming those that there are."""
    found = session.connection().execute(_CLERK, {"name": name}).one_or_none()
    return _serving(found) if found is not None else _nobody(session, name)


def clerk_by_id(session: Session, number: int) -> ServingClerk:
    """The clerk of the register's number, who must be there."""
    return _serving(session.connection().execute(_CLERK_BY_ID, {"id": number}).one())


def clerk_row(session: Session, name: str) -> Clerk:
    """A clerk by name, to be changed. Raises Unknown, naming those that there are."""
    return session.scalar(_CLERK_ROW, {"name": name}) or _nobody(session, name)


def _serving(found: Found) -> ServingClerk:
    outlet = ServingOutlet(found.outlet, found.kind, found.bank_code, found.makes_cards, found.helps)
    return ServingClerk(found.id, found.name, found.role, found.outlet_id, outlet)


def _nobody(session: Session, name: str) -> NoReturn:
    known = ", ".join(one.name for one in clerks(session))
    raise Unknown(_("无此经办人员 there is no clerk {name!r}; there are {known}").format(name=name, known=known))


def clerks(session: Session) -> Sequence[Clerk]:
    """Returns all clerks, in order."""
    return session.scalars(select(Clerk).order_by(Clerk.id)).all()


class Bearer(NamedTuple):
    """A clerk who has a token: the token's hash, and the moment from which it is good no more."""

    name: str
    role: Role
    token: str
    until: datetime | None
    outlet: str


def bearer(session: Session, digest: str) -> Bearer | None:
    """The clerk whose token has this hash, None for nobody."""
    found = session.connection().execute(_BEARER, {"digest": digest}).one_or_none()
    if found is None:
        return None
    return Bearer(found.name, found.role, found.token or "", found.token_until, found.outlet)


def bearer_at_a_glance(link: sqlite3.Connection, digest: str) -> Bearer | None:
    """The same by SQLite's own connection: it is asked before every request, and has an answer sooner than SQLAlchemy
    has the question.
    """
    found = link.execute(_BEARER_ALONE, (digest,)).fetchone()
    if found is None:
        return None
    name, role, token, until, outlet = found
    return Bearer(name, Role(role), token, moment(until) if until is not None else None, outlet)


_REGION = bindparam("region", type_=String)
_OUTLETS = (
    select(*Base.metadata.tables[Outlet.__tablename__].columns)
    .where(func.substr(Outlet.region, 1, func.length(_REGION)) == _REGION)
    .order_by(Outlet.id)
)


def outlets(session: Session, region: str = "") -> Sequence[Found]:
    """Outlets of a region, named by the beginning of its code, in order: all that stands of them."""
    return session.connection().execute(_OUTLETS, {"region": region}).all()


# --- the electronic card -----------------------------------------------------------------------------------------

_ELECTRONIC = select(ElectronicCard).where(ElectronicCard.person_id == bindparam("person"))
_HAS_ELECTRONIC = select(ElectronicCard.id).where(ElectronicCard.person_id == bindparam("person"))


def electronic_card(session: Session, holder: Person) -> ElectronicCard | None:
    """Returns the person's electronic card, None without one."""
    return session.scalar(_ELECTRONIC, {"person": holder.id})


def has_electronic_card(session: Session, holder: Person) -> bool:
    """True if the person has an electronic card."""
    return session.connection().scalar(_HAS_ELECTRONIC, {"person": holder.id}) is not None


def electronic_card_by_holder(session: Session, holder: str) -> ElectronicCard | None:
    """The electronic card whose credentials call the holder so."""
    return session.scalar(select(ElectronicCard).where(ElectronicCard.holder == holder))


def credential_used(session: Session, serial: str) -> bool:
    """Whether a credential was used before."""
    return session.get(Credential, serial) is not None


# --- banks -------------------------------------------------------------------------------------------------------


def bank(session: Session, code: str | None) -> Bank | None:
    """Returns the bank of this code, None for none."""
    return session.get(Bank, code) if code is not None else None


def banks(session: Session) -> Sequence[Bank]:
    """Returns all banks, by their codes."""
    return session.scalars(select(Bank).order_by(Bank.code)).all()


def account(session: Session, number: str) -> Account | None:
    """The account of the card of this number."""
    return session.get(Account, number)


def account_refusal(session: Session, holder: Person) -> AccountRefusal | None:
    """Why the bank opens no account for this person, if it does not."""
    return session.get(AccountRefusal, holder.document_number)


def unsent(session: Session) -> Sequence[Push]:
    """What banks have not been told yet, in order."""
    return session.scalars(select(Push).where(Push.sent_at.is_(None)).order_by(Push.id)).all()


def bank_was_notified(session: Session, of: Card) -> bool:
    """Whether the bank took the news of this card's end."""
    notified = select(Push.id).where(Push.card_id == of.id, Push.sent_at.is_not(None))
    return session.scalar(notified.limit(1)) is not None


def open_anomalies(session: Session, of: Card) -> Sequence[Anomaly]:
    """What was found wrong with a card and is not settled."""
    return session.scalars(select(Anomaly).where(Anomaly.card_id == of.id, Anomaly.settled_at.is_(None))).all()


# --- the trail ---------------------------------------------------------------------------------------------------


def trail_about(session: Session, holder: Person | None, of: Card | None) -> Sequence[Audit]:
    """Lines about a person or a card, in order; of nobody none."""
    about = [Audit.person_id == holder.id] if holder else []
    about += [Audit.card_id == of.id] if of else []
    return session.scalars(select(Audit).where(or_(*about)).order_by(Audit.id)).all() if about else []


# --- all of it ---------------------------------------------------------------------------------------------------


def every_row(session: Session) -> Iterator[tuple[str, Row[Any]]]:
    """Each row of each table, after the table's name."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)):
            yield table.name, row
