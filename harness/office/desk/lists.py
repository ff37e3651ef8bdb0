"""People, cards and applications in lists, masked, a page at a time: whoever serves may look for a case, and the trail
says that they did.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from harness.office.case.services import Services, how_far
from harness.office.measures.articles import Citation
from harness.office.people import protection
from harness.office.register import queries
from harness.office.register.audit import Act
from harness.office.vocabulary import Outcome

PAGE, MOST = 100, 1000
C = Citation(22)

Row = dict[str, Any]
Lister = Callable[[Session, Services, datetime, int, int], list[Row]]


def people(session: Session, services: Services, now: datetime, after: int, most: int) -> list[Row]:
    """Who is registered and was not forgotten, by the register's numbers."""
    del services, now
    return [{"person": one.id, **protection.masked(one)} for one in queries.people(session, after, most)]


def cards(session: Session, services: Services, now: datetime, after: int, most: int) -> list[Row]:
    """Every card: where it is in its life, and what else is the case."""
    return [
        {
            "at": one.id,
            "card": one.number,
            "person": one.person_id,
            "bank": one.bank_code,
            "life": str(one.life),
            "life_zh": one.life.zh,
            "loss": str(services.loss(one, now)),
            "frozen": one.frozen_at is not None,
            "suspended": one.suspended_at is not None,
            "holder_dead": one.holder_died_at is not None,
            "usable": services.usable(one, now),
        }
        for one in queries.cards(session, after, most)
    ]


def applications(session: Session, services: Services, now: datetime, after: int, most: int) -> list[Row]:
    """Every application, and how far it is."""
    return [
        {**how_far(one), "person": one.person_id, "bank": one.bank_code, **services.deadline(one, now.date())}
        for one in queries.applications(session, after, most)
    ]


LISTS: dict[str, Lister] = {"people": people, "cards": cards, "applications": applications}
NUMBER = {"people": "person", "cards": "at", "applications": "application"}
"""What the next page begins after."""


def seen(what: str) -> Act:
    """That somebody saw a list is a line of the trail."""
    return Act("list", C.label_zh, Outcome.DONE, detail={"list": what})
