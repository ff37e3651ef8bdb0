"""One person, one card, and the office as a whole, as whoever serves sees them: masked, put together from what lists
show.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from emulator.messages import _
from harness.office.case.services import Services
from harness.office.desk import lists, lookup
from harness.office.desk.lists import Page, Row
from harness.office.register import counts, queries
from harness.office.register.queries import Unknown
from harness.office.register.tables import Card
from harness.office.register.wanted import WantedApplications, WantedCards, WantedPeople
from harness.office.vocabulary import Loss

WHOLE = Page(most=lists.MOST)
EVENTS = (
    ("made", "制卡", "made", "made_at", ""),
    ("issued", "发放", "handed out", "issued_at", ""),
    ("activated", "启用", "activated", "activated_at", ""),
    ("lost", "挂失", "reported lost", "lost_at", ""),
    ("suspended", "暂停服务", "service suspended", "suspended_at", "suspended_why"),
    ("frozen", "冻结", "frozen", "frozen_at", "frozen_why"),
    ("ended", "终止", "ended", "ended_at", "ended_why"),
)
"""Of a card's life: what happened, in both languages, and the columns that have when and why."""


def person(session: Session, services: Services, now: datetime, number: int) -> Row:
    """A person by the register's number, with their cards and applications. Unknown for nobody, and for whom the
    register has forgotten.
    """
    found = lists.people(session, wanted=WantedPeople(person=number))
    if not found:
        raise Unknown(_("登记库中无此人 no such person is registered"))
    holder = queries.person_by_number(session, number)
    return {
        **found[0],
        "cards": lists.cards(session, services, now, WHOLE, WantedCards(person=number)),
        "applications": lists.applications(session, services, now, WHOLE, WantedApplications(person=number)),
        "electronic": queries.has_electronic_card(session, holder),
        "guardian": holder.guardian is not None,
        "agents": [
            {
                "at": one.at.isoformat(),
                "operation": one.operation,
                "relation": str(one.relation),
                "relation_zh": one.relation.zh,
                "cause": str(one.cause),
                "cause_zh": one.cause.zh,
            }
            for one in queries.agencies(session, holder)
        ],
    }


def card(session: Session, services: Services, now: datetime, number: str) -> Row:
    """A card by its number: what lists show of it, and its life so far, event by event. Unknown for none."""
    of = queries.card(session, number)
    if of is None:
        raise Unknown(_("登记库中无此卡 the register knows no such card"))
    (row,) = lists.cards(session, services, now, wanted=WantedCards(number=number))
    account = queries.account(session, number)
    begun = queries.begun(session, of)
    return {
        **row,
        "layout": of.layout,
        "algorithm": of.algorithm,
        "valid_until": of.valid_until.isoformat(),
        "account": str(account.state) if account else "",
        "account_zh": account.state.zh if account else "",
        "pending": begun.id if begun else None,
        "in_drawer": services.card_store.has(number),
        "loss_ends": _loss_ends(of, services, now),
        "electronic_goes_on": of.electronic_goes_on,
        "events": _events(of),
        "applications": [
            {**lists.application(one, services, now), "as": "new" if one.card_id == of.id else "old"}
            for one in queries.applications_of_card(session, of)
        ],
    }


def _loss_ends(of: Card, services: Services, now: datetime) -> str | None:
    if of.lost_at is None or services.loss(of, now) is not Loss.TEMPORARY:
        return None
    return services.loss_ends(of.lost_at).isoformat()


def _events(of: Card) -> list[Row]:
    rows: list[Row] = []
    for what, zh, en, when, why in EVENTS:
        at: datetime | None = getattr(of, when)
        if at is not None:
            because = getattr(of, why) if why else ""
            rows.append({"event": what, "zh": zh, "en": en, "at": at.isoformat(), "why": because})
    return sorted(rows, key=lambda one: one["at"])


def overview(session: Session, services: Services, now: datetime) -> Row:
    """How much there is of everything, and what waits: nobody's data. ``due``: of applications that are open, how many
    are late, and of how many the calendar does not say.
    """
    open_ = lookup.late(session, services, now.date(), every=True)
    return {
        "at": now.isoformat(),
        "people": counts.people(session),
        "cards": counts.by_life(session),
        "applications": counts.by_progress(session),
        "due": {
            "open": len(open_),
            "late": sum(bool(one.get("late")) for one in open_),
            "unknown": sum(one["deadline"] is None for one in open_),
        },
        "losses": counts.lost(session, services.lapsed(now)),
        **counts.held(session),
        **counts.waiting(session),
        "change": counts.last_change(session),
    }


def clerk(session: Session, name: str, now: datetime) -> dict[str, Any]:
    """Who serves: role, outlet, and until when the token is good."""
    who = queries.clerk_row(session, name)
    return {
        "clerk": who.name,
        "role": str(who.role),
        "role_zh": who.role.zh,
        "role_en": who.role.en,
        "outlet": who.outlet.name,
        "until": who.token_until.isoformat() if who.token_until else None,
        "now": now.isoformat(),
    }
