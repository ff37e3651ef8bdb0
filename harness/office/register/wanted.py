"""Which people, cards and applications a list is to show. Each says so of itself and narrows a statement of
``queries``; what is None is not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, and_, or_

from harness.office.register.tables import Application, Card, Person
from harness.office.vocabulary import OPEN, DocumentType, Kind, Life, Loss, Progress

S = TypeVar("S", bound=Select[*tuple[Any, ...]])
LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
"""What LIKE takes for a pattern is meant as it stands."""


@dataclass(frozen=True, slots=True)
class WantedPeople:
    """``name``: any part of it, in small letters or capitals; ``document``: kind and number, the whole of it;
    ``region``: the beginning of the code;
    ``dead``: whether the register knows of the death.
    """

    person: int | None = None
    name: str | None = None
    document: tuple[DocumentType, str] | None = None
    region: str | None = None
    dead: bool | None = None

    def of(self, query: S) -> S:
        """Returns a query for these people alone."""
        if self.person is not None:
            query = query.where(Person.id == self.person)
        if self.name is not None:
            query = query.where(Person.name.ilike(f"%{self.name.translate(LIKE)}%", escape="\\"))
        if self.document is not None:
            kind, number = self.document
            query = query.where(Person.document_type == kind, Person.document_number == number)
        if self.region is not None:
            query = query.where(Person.region.like(f"{self.region.translate(LIKE)}%", escape="\\"))
        if self.dead is not None:
            query = query.where(Person.died_at.is_not(None) if self.dead else Person.died_at.is_(None))
        return query


@dataclass(frozen=True, slots=True)
class WantedCards:
    """``loss``: as it stands now, of which ``lapsed`` is the moment of the oldest temporary loss that has not lapsed
    (article 18); ``frozen``, ``suspended``: by supervision (article 30).
    """

    number: str | None = None
    person: int | None = None
    bank: str | None = None
    life: Life | None = None
    loss: Loss | None = None
    lost: bool = False
    """In whichever way."""
    frozen: bool | None = None
    suspended: bool | None = None

    def of(self, query: S, lapsed: datetime) -> S:
        """Returns a query for these cards alone."""
        for column, value in (
            (Card.number, self.number),
            (Card.person_id, self.person),
            (Card.bank_code, self.bank),
            (Card.life, self.life),
        ):
            query = query if value is None else query.where(column == value)
        for moment, so in ((Card.frozen_at, self.frozen), (Card.suspended_at, self.suspended)):
            if so is not None:
                query = query.where(moment.is_not(None) if so else moment.is_(None))
        holds = and_(Card.loss == Loss.TEMPORARY, Card.lost_at > lapsed)
        if self.lost:
            query = query.where(or_(Card.loss == Loss.FORMAL, holds))
        if self.loss is Loss.TEMPORARY:
            query = query.where(holds)
        elif self.loss is Loss.FORMAL:
            query = query.where(Card.loss == Loss.FORMAL)
        elif self.loss is Loss.NONE:
            query = query.where(or_(Card.loss == Loss.NONE, and_(Card.loss == Loss.TEMPORARY, Card.lost_at <= lapsed)))
        return query


@dataclass(frozen=True, slots=True)
class WantedApplications:
    """``open``: whether it is not ended."""

    person: int | None = None
    bank: str | None = None
    kind: Kind | None = None
    progress: Progress | None = None
    open: bool | None = None

    def of(self, query: S) -> S:
        """Returns a query for these applications alone."""
        for column, value in (
            (Application.person_id, self.person),
            (Application.bank_code, self.bank),
            (Application.kind, self.kind),
            (Application.progress, self.progress),
        ):
            query = query if value is None else query.where(column == value)
        if self.open is not None:
            within = Application.progress.in_(OPEN)
            query = query.where(within if self.open else ~within)
        return query
