"""People, cards and applications in lists, masked, a page at a time: whoever serves may look for a case, and the trail
says that they did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from harness.office.case.services import Services, how_far
from harness.office.measures.articles import Citation
from harness.office.people import protection
from harness.office.register import queries
from harness.office.register.audit import Act
from harness.office.register.queries import Found
from harness.office.register.wanted import WantedApplications, WantedCards, WantedPeople
from harness.office.vocabulary import Loss, Outcome

PAGE, MOST = 100, 1000
C = Citation(22)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """So many rows, after one of the register's numbers."""

    after: int = 0
    most: int = PAGE

    def next(self, rows: list[Row], number: str) -> int | None:
        """Returns what the next page begins after, None where this was the last."""
        return rows[-1][number] if len(rows) == self.most else None


FIRST = Page()
NUMBER = {"people": "person", "cards": "at", "losses": "at", "applications": "application"}
"""What the next page of each list begins after."""


def people(session: Session, page: Page = FIRST, wanted: WantedPeople = queries.ALL_PEOPLE) -> list[Row]:
    """Who is registered and was not forgotten, by the register's numbers."""
    found = queries.people(session, page.after, page.most, wanted)
    return [
        {
            "person": one.id,
            **protection.masked(one),
            "kind_zh": one.kind.zh,
            "document_type_zh": one.document_type.zh,
        }
        for one in found
    ]


def cards(
    session: Session, services: Services, now: datetime, page: Page = FIRST, wanted: WantedCards = queries.ALL_CARDS
) -> list[Row]:
    """Every card: where it is in its life, and what else is the case."""
    found = queries.cards(session, page.after, page.most, wanted, services.lapsed(now))
    return [_card(one, services, now) for one in found]


def _card(one: Found, services: Services, now: datetime) -> Row:
    loss = services.loss(one, now)
    return {
        "at": one.id,
        "card": one.number,
        "person": one.person_id,
        "bank": one.bank_code,
        "life": str(one.life),
        "life_zh": one.life.zh,
        "loss": str(loss),
        "loss_zh": loss.zh,
        "frozen": one.frozen_at is not None,
        "suspended": one.suspended_at is not None,
        "holder_dead": one.holder_died_at is not None,
        "usable": services.usable(one, now),
    }


def losses(session: Session, services: Services, now: datetime, page: Page = FIRST) -> list[Row]:
    """Cards that are reported lost now (articles 17, 18), each with the moment when a temporary loss lapses: ``ends``,
    and how many whole hours are left until then; null of a formal one, which lasts.
    """
    found = queries.cards(session, page.after, page.most, WantedCards(lost=True), services.lapsed(now))
    return [_loss(one, services, now) for one in found]


def _loss(one: Found, services: Services, now: datetime) -> Row:
    ends = services.loss_ends(one.lost_at) if one.loss is Loss.TEMPORARY and one.lost_at else None
    return {
        "at": one.id,
        "card": one.number,
        "person": one.person_id,
        "loss": str(one.loss),
        "loss_zh": one.loss.zh,
        "reported": one.lost_at.isoformat() if one.lost_at else None,
        "ends": ends.isoformat() if ends else None,
        "hours_left": int((ends - now).total_seconds() // 3600) if ends else None,
        "electronic_goes_on": one.electronic_goes_on,
    }


def applications(
    session: Session,
    services: Services,
    now: datetime,
    page: Page = FIRST,
    wanted: WantedApplications = queries.ALL_APPLICATIONS,
) -> list[Row]:
    """Every application, how far it is, and by when its card is due (article 12)."""
    found = queries.applications(session, page.after, page.most, wanted)
    return [application(one, services, now) for one in found]


def application(one: Found, services: Services, now: datetime) -> Row:
    """One application as lists show it. ``days_left``: working days until the deadline, less than none when it is
    over; null where the application is ended or the calendar does not say.
    """
    return {
        **how_far(one),
        "person": one.person_id,
        "bank": one.bank_code,
        **services.deadline(one, now.date()),
        "days_left": services.days_left(one, now.date()),
    }


def seen(what: str, by: list[str] | None = None, person: int | None = None, card: int | None = None) -> Act:
    """That somebody saw a list is a line of the trail. ``by``: the names of what was searched for, not its values."""
    detail: dict[str, Any] = {"list": what} | ({"by": by} if by else {})
    return Act("list", C.label_zh, Outcome.DONE, person, card, detail=detail)
