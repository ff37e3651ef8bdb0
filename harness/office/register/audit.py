"""The audit trail (articles 29, 30): who did or saw what, when, where, under which article, and how it ended.

Lines are never changed or taken away: triggers refuse it, and each line's seal covers the one before, so that what
somebody did to the file by other means shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from harness.office.measures import Citation
from harness.office.register.tables import Audit, Clerk
from harness.office.words import Outcome


@dataclass(frozen=True, slots=True)
class Act:
    """What is told of one act. ``detail`` is data without PINs; people's data are named, not quoted."""

    operation: str
    article: str
    outcome: Outcome
    person_id: int | None = None
    card_id: int | None = None
    detail: dict[str, Any] | None = None


def write(session: Session, at: datetime, clerk: Clerk, act: Act) -> int:
    """Adds a line in this transaction; its number."""
    last = session.scalar(select(Audit).order_by(Audit.id.desc()).limit(1))
    line = Audit(
        id=(last.id if last else 0) + 1,
        at=at.replace(microsecond=0),
        clerk=clerk.name,
        role=clerk.role,
        outlet=clerk.outlet.name,
        operation=act.operation,
        article=act.article,
        person_id=act.person_id,
        card_id=act.card_id,
        outcome=act.outcome,
        detail=json.dumps(act.detail or {}, ensure_ascii=False, sort_keys=True),
        seal="",
    )
    line.seal = _seal(line, last.seal if last else "")
    session.add(line)
    session.flush()
    return line.id


def _seal(line: Audit, before: str) -> str:
    told = [
        line.id, line.at.isoformat(), line.clerk, line.role, line.outlet, line.operation, line.article,
        line.person_id, line.card_id, line.outcome, line.detail,
    ]  # fmt: skip
    return sha256((before + json.dumps(told, ensure_ascii=False)).encode()).hexdigest()


def lines(session: Session, *, person_id: int | None = None, card_id: int | None = None) -> Iterator[Audit]:
    """Lines in order: all, or those about a person or a card."""
    query = select(Audit).order_by(Audit.id)
    if person_id is not None:
        query = query.where(Audit.person_id == person_id)
    if card_id is not None:
        query = query.where(Audit.card_id == card_id)
    yield from session.scalars(query)


def look(
    session: Session,
    at: datetime,
    clerk: Clerk,
    *,
    person_id: int | None = None,
    card_id: int | None = None,
    last: int | None = None,
) -> list[Audit]:
    """Lines for somebody to see, of them the last so many; that they were seen is a line too, which the next look
    shows.
    """
    found = list(lines(session, person_id=person_id, card_id=card_id))
    write(session, at, clerk, Act("trail", Citation(29).label_zh, Outcome.DONE, person_id, card_id))
    return found[-last:] if last else found


def broken(session: Session) -> int | None:
    """The number of the first line whose seal does not hold, None where all do."""
    before, expected = "", 1
    for line in lines(session):
        if line.id != expected or line.seal != _seal(line, before):
            return line.id
        before, expected = line.seal, expected + 1
    return None
