"""How much there is of everything: what an overview of the office begins with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from harness.office.register.tables import Anomaly, Application, Audit, Card, Pending, Person, Push
from harness.office.vocabulary import Life, Loss, Progress, Word

LOOKS = ("list", "trail", "query", "export", "token", "letter")
"""Lines of the trail that tell of somebody who looked: the register holds what it held."""


def people(session: Session) -> int:
    """Returns how many are registered and were not forgotten."""
    return _many(session, Person.erased_at.is_(None))


def by_life(session: Session) -> dict[str, int]:
    """Returns how many cards are in each part of their life; all parts are named."""
    return _grouped(session, Card.life, Life)


def by_progress(session: Session) -> dict[str, int]:
    """Returns how many applications are how far; all stages are named."""
    return _grouped(session, Application.progress, Progress)


def lost(session: Session, lapsed: datetime) -> dict[str, int]:
    """Returns how many cards are reported lost, in either way. ``lapsed``: as ``queries.cards`` has it."""
    temporary = and_(Card.loss == Loss.TEMPORARY, Card.lost_at > lapsed)
    return {
        str(Loss.TEMPORARY): _many(session, temporary),
        str(Loss.FORMAL): _many(session, Card.loss == Loss.FORMAL),
    }


def held(session: Session) -> dict[str, int]:
    """Returns how many cards supervision has frozen, and for how many it has suspended service."""
    return {
        "frozen": _many(session, Card.frozen_at.is_not(None)),
        "suspended": _many(session, Card.suspended_at.is_not(None)),
    }


def waiting(session: Session) -> dict[str, int]:
    """Returns how much work on chips is half-way, how much news no bank has taken, and how much is found wrong."""
    return {
        "pending": _many(session, Pending.ended_at.is_(None)),
        "untold": _many(session, Push.sent_at.is_(None)),
        "anomalies": _many(session, Anomaly.settled_at.is_(None)),
    }


def last_change(session: Session) -> int:
    """The number of the trail's last line that tells of more than a look, 0 where there is none: as long as it is the
    same, lists show the same.
    """
    return session.scalar(select(func.max(Audit.id)).where(Audit.operation.not_in(LOOKS))) or 0


def _many(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0


def _grouped(session: Session, column: InstrumentedAttribute[Any], words: type[Word]) -> dict[str, int]:
    found: Mapping[Any, int] = dict(session.execute(select(column, func.count()).group_by(column)).all())
    return {str(one): found.get(one, 0) for one in words}
