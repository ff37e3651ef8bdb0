"""The register's tables. What the database itself holds to: one person one card (article 8), one open application, one
piece of pending work per card, and an audit trail that only grows.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from harness.office.register.base import Base
from harness.office.vocabulary import (
    AccountState,
    Delay,
    DocumentType,
    Incapacity,
    Kind,
    Life,
    Loss,
    Outcome,
    OutletKind,
    PersonKind,
    Progress,
    Relation,
    Role,
)


def _one_where(name: str, column: str, condition: str) -> Index:
    """One row of that column's value at most, among those of which the condition is true."""
    where = text(condition)
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


class Bank(Base):
    """A bank that issues cards here."""

    __tablename__ = "bank"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str]
    district: Mapped[str]
    """The capital that its card numbers begin with. [D]"""
    region: Mapped[str] = mapped_column(default="")
    """Where it issues (article 8): the beginning of the regions' codes; empty: everywhere."""
    cards: Mapped[int] = mapped_column(default=0)
    """Card numbers given out."""
    down: Mapped[bool] = mapped_column(default=False)
    """The line to the bank is down: nothing reaches it."""


class Outlet(Base):
    """A place that serves (articles 5, 6, 33). ``makes_cards``: 制卡类."""

    __tablename__ = "outlet"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OutletKind]
    bank_code: Mapped[str | None] = mapped_column(ForeignKey("bank.code"))
    region: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str]
    hours: Mapped[str]
    makes_cards: Mapped[bool]
    helps: Mapped[list[str]]


class Clerk(Base):
    """Who acts. ``token``: SHA-256 of the one they sign in with, none until one is given."""

    __tablename__ = "clerk"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlet.id"))
    token: Mapped[str | None] = mapped_column(unique=True)
    token_until: Mapped[datetime | None]
    outlet: Mapped[Outlet] = relationship(lazy="joined", innerjoin=True)


class Person(Base):
    """A person (article 10). ``insured``: each insurance's region, by the card's item. ``died_at``: when the register
    heard of the death.
    """

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("document_type", "document_number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PersonKind]
    name: Mapped[str]
    sex: Mapped[str]
    ethnic_group: Mapped[str]
    birth: Mapped[date]
    country: Mapped[str]
    phone: Mapped[str]
    address: Mapped[str]
    occupation: Mapped[str]
    document_type: Mapped[DocumentType]
    document_number: Mapped[str]
    document_until: Mapped[date | None]
    photo: Mapped[bytes | None]
    full_capacity: Mapped[bool]
    helps: Mapped[list[str]]
    region: Mapped[str]
    insured: Mapped[dict[str, Any]]
    died_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    guardian: Mapped[Guardian | None] = relationship(back_populates="person")


class Guardian(Base):
    """The guardian of a minor or of someone without full capacity (article 10)."""

    __tablename__ = "guardian"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    name: Mapped[str]
    document_type: Mapped[DocumentType]
    document_number: Mapped[str]
    phone: Mapped[str]
    relation: Mapped[Relation]
    person: Mapped[Person] = relationship(back_populates="guardian")


class Agency(Base):
    """Somebody who came for another (article 32), for which operation and why."""

    __tablename__ = "agency"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    operation: Mapped[str]
    at: Mapped[datetime]
    name: Mapped[str]
    document_type: Mapped[DocumentType]
    document_number: Mapped[str]
    phone: Mapped[str]
    relation: Mapped[Relation]
    cause: Mapped[Incapacity]


class Batch(Base):
    """An employer or school that applies for many (article 9)."""

    __tablename__ = "batch"
    id: Mapped[int] = mapped_column(primary_key=True)
    institution: Mapped[str]
    letter: Mapped[str]
    agent_name: Mapped[str]
    agent_document_type: Mapped[DocumentType]
    agent_document_number: Mapped[str]
    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlet.id"))
    accepted_at: Mapped[datetime]


class Card(Base):
    """A card and its life. ``chip``: the ATR's last 8 bytes in hex, once it is made.

    Loss, freezing and activation stand beside ``life``: each may be so without the others.
    """

    __tablename__ = "card"
    __table_args__ = (
        _one_where("one_person_one_card", "person_id", "life = 'issued'"),
        _one_where("one_card_waiting", "person_id", "life IN ('making', 'made')"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    bank_code: Mapped[str] = mapped_column(ForeignKey("bank.code"))
    number: Mapped[str] = mapped_column(unique=True)
    chip: Mapped[str] = mapped_column(unique=True)
    identification: Mapped[str] = mapped_column(unique=True)
    layout: Mapped[str]
    algorithm: Mapped[str]
    life: Mapped[Life]
    made_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    valid_until: Mapped[date]
    activated_at: Mapped[datetime | None]
    loss: Mapped[Loss] = mapped_column(default=Loss.NONE)
    lost_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    frozen_why: Mapped[str] = mapped_column(default="")
    suspended_at: Mapped[datetime | None]
    suspended_why: Mapped[str] = mapped_column(default="")
    electronic_goes_on: Mapped[bool] = mapped_column(default=False)
    """While this card is lost, by the holder's own authorisation."""
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str] = mapped_column(default="")
    person: Mapped[Person] = relationship()
    bank: Mapped[Bank] = relationship()


class Application(Base):
    """An application for a card: first, reissue or replacement. ``old_card_id``: the card that it takes over from."""

    __tablename__ = "application"
    __table_args__ = (
        _one_where("one_open_application", "person_id", "progress IN ('accepted', 'made', 'undelivered')"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[Kind]
    reason: Mapped[str] = mapped_column(default="")
    bank_code: Mapped[str] = mapped_column(ForeignKey("bank.code"))
    outlet_id: Mapped[int] = mapped_column(ForeignKey("outlet.id"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))
    accepted_at: Mapped[datetime]
    progress: Mapped[Progress]
    fee: Mapped[int]
    """In fen."""
    delay_days: Mapped[int] = mapped_column(default=0)
    delay_reason: Mapped[Delay | None]
    failed_deliveries: Mapped[int] = mapped_column(default=0)
    card_id: Mapped[int | None] = mapped_column(ForeignKey("card.id"))
    old_card_id: Mapped[int | None] = mapped_column(ForeignKey("card.id"))
    person: Mapped[Person] = relationship()
    card: Mapped[Card | None] = relationship(foreign_keys=[card_id])
    old_card: Mapped[Card | None] = relationship(foreign_keys=[old_card_id])


class ElectronicCard(Base):
    """The electronic form of a person's card (article 2), of the same force, with a PIN of its own (article 16)."""

    __tablename__ = "electronic_card"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    holder: Mapped[str] = mapped_column(unique=True)
    """What credentials call the holder: drawn by chance, tied to nobody outside the register."""
    pin_salt: Mapped[bytes]
    pin_hash: Mapped[bytes]
    tries: Mapped[int]
    applied_at: Mapped[datetime]
    person: Mapped[Person] = relationship()


class Credential(Base):
    """A credential that was shown: each opens once."""

    __tablename__ = "credential"
    serial: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]


class Setting(Base):
    """What this register keeps for itself: the key that it signs test credentials with."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class Account(Base):
    """The stub bank's own books (article 7): nobody but the bank writes here."""

    __tablename__ = "account"
    card_number: Mapped[str] = mapped_column(primary_key=True)
    bank_code: Mapped[str] = mapped_column(ForeignKey("bank.code"))
    state: Mapped[AccountState]


class AccountRefusal(Base):
    """Whom the stub bank opens no account for, and why; a test writes it."""

    __tablename__ = "account_refusal"
    document_number: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]


class Push(Base):
    """What a bank must be told (article 28): written with the cancellation, sent afterwards, until it is taken."""

    __tablename__ = "push"
    id: Mapped[int] = mapped_column(primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    bank_code: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    card: Mapped[Card] = relationship()


class Pending(Base):
    """Work on a chip that was begun. ``request`` and ``job`` hold no PIN; what a job needs of one is given anew."""

    __tablename__ = "pending"
    __table_args__ = (_one_where("one_pending_per_card", "card_id", "ended_at IS NULL"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    operation: Mapped[str]
    request: Mapped[dict[str, Any]]
    job: Mapped[dict[str, Any]]
    clerk_id: Mapped[int] = mapped_column(ForeignKey("clerk.id"))
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None]
    card: Mapped[Card] = relationship()


class CardImage(Base):
    """A virtual card of a drawer that is in the register: its image's text. Empty where the drawer is a folder."""

    __tablename__ = "card_image"
    number: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]


class Anomaly(Base):
    """Something that register and bank do not agree on, or that was reported (article 30)."""

    __tablename__ = "anomaly"
    id: Mapped[int] = mapped_column(primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    what: Mapped[str]
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    card: Mapped[Card] = relationship()


class Audit(Base):
    """One act or one look, for ever: triggers refuse changes, ``seal`` chains each line to the one before."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    clerk: Mapped[str]
    role: Mapped[Role]
    outlet: Mapped[str]
    operation: Mapped[str]
    article: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(index=True)
    card_id: Mapped[int | None] = mapped_column(index=True)
    outcome: Mapped[Outcome]
    detail: Mapped[str]
    seal: Mapped[str]
