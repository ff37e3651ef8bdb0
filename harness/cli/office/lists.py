"""Who and what there is: people, cards, applications and losses in lists, one card's life, the office as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from emulator.messages import _
from harness.cli.lines import say
from harness.cli.office import options
from harness.cli.office.desk import Command, Desk
from harness.cli.office.lookup import UNKNOWN, unknown_deadlines
from harness.office.case import roles
from harness.office.case.roles import NOT_BANK_ROLE
from harness.office.desk import lists, single
from harness.office.desk.lists import Page, Row
from harness.office.register import queries
from harness.office.register.audit import Actor, Note
from harness.office.register.queries import Unknown
from harness.office.register.wanted import WantedApplications, WantedCards, WantedPeople
from harness.office.requests.models import Document
from harness.office.vocabulary import Kind, Life, Loss, Progress, Word

FILTERS = {
    "people": ("holder", "name", "region"),
    "cards": ("holder", "bank", "life", "loss"),
    "applications": ("holder", "bank", "kind", "progress"),
    "losses": (),
}
"""Which options each list is narrowed by."""


def _words(kind: type[Word]) -> click.Choice[str]:
    return click.Choice([str(one) for one in kind])


@click.command("list", cls=Command)
@click.argument("what", type=click.Choice(list(FILTERS)))
@click.option("--holder", type=options.DOCUMENT, help="Of this person alone.")
@click.option("--name", metavar="TEXT", help="People whose name has this in it.")
@click.option("--region", metavar="CODE", help="People of regions whose code begins so.")
@click.option("--bank", metavar="CODE", help="Cards or applications of this bank.")
@click.option("--life", type=_words(Life), help="Cards in this part of their life.")
@click.option("--loss", type=_words(Loss), help="Cards that are reported lost so, as it stands now.")
@click.option("--kind", type=_words(Kind), help="Applications for this.")
@click.option("--progress", type=_words(Progress), help="Applications that are so far.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="N", help="Go on after this one.")
@click.option("--most", type=click.IntRange(1, lists.MOST), default=lists.PAGE, show_default=True)
@click.pass_obj
def listed(desk: Desk, /, what: str, after: int, most: int, **given: Any) -> None:
    """人员、卡、申请、挂失清单: a page of people, cards, applications or losses, masked; the trail says who looked."""
    by = {name: value for name, value in given.items() if value is not None}
    for name in by:
        if name not in FILTERS[what]:
            fits = ", ".join(one for one, names in FILTERS.items() if name in names)
            raise click.UsageError(
                _("--{name} is for {lists}, not for {what}").format(name=name, lists=fits, what=what)
            )
    now, page = desk.clock.now(), Page(after, most)
    with desk.register.reading() as session:
        clerk = _clerk(desk, session)
        rows, person = _rows(session, desk, now, what, page, by)
    desk.register.note(Note(now, clerk, lists.seen(what, sorted(by), person)))
    if desk.as_json:
        desk.table(rows)
        return
    for one in rows:
        shown = {name: value for name, value in one.items() if name != UNKNOWN and value not in (False, None, "", [])}
        say("  ".join(f"{name} {value}" for name, value in shown.items()))
    unknown_deadlines(rows)
    if (last := page.next(rows, lists.NUMBER[what])) is not None:
        click.echo(_("more: --after {last}").format(last=last))


def _clerk(desk: Desk, session: Session) -> Actor:
    clerk = Actor.of(queries.clerk(session, desk.clerk()))
    if clerk.role not in roles.SERVICE:
        raise NOT_BANK_ROLE.refusal()
    return clerk


def _rows(
    session: Session, desk: Desk, now: datetime, what: str, page: Page, by: dict[str, Any]
) -> tuple[list[Row], int | None]:
    """A list's rows, and whom it is about where that is one person."""
    given, services = dict(by), desk.office.services
    person = _number(session, given.pop("holder")) if "holder" in given else None
    if what == "people":
        return lists.people(session, page, WantedPeople(person=person, **given)), person
    if what == "losses":
        return lists.losses(session, services, now, page), None
    if what == "cards":
        words = {"life": Life, "loss": Loss}
        cards = WantedCards(person=person, **_worded(given, words))
        return lists.cards(session, services, now, page, cards), person
    words = {"kind": Kind, "progress": Progress}
    applications = WantedApplications(person=person, **_worded(given, words))
    return lists.applications(session, services, now, page, applications), person


def _worded(given: dict[str, Any], words: dict[str, type[Word]]) -> dict[str, Any]:
    return {name: words[name](value) if name in words else value for name, value in given.items()}


def _number(session: Session, holder: Document) -> int:
    found = queries.person(session, holder.type, holder.number)
    if found is None:
        raise Unknown(_("登记库中无此人 no such person is registered"))
    return found.id


@click.command("life", cls=Command)
@click.argument("number")
@click.pass_obj
def life(desk: Desk, number: str) -> None:
    """一卡始末: a card's life so far, its account, and the applications that it came from and went into."""
    now = desk.clock.now()
    with desk.register.reading() as session:
        clerk = _clerk(desk, session)
        found = single.card(session, desk.office.services, now, number)
    desk.register.note(Note(now, clerk, lists.seen("card", None, found["person"], found["at"])))
    desk.table(found)


@click.command(cls=Command)
@click.pass_obj
def overview(desk: Desk) -> None:
    """总览: how much there is of everything, what is late, lost, frozen, half-way."""
    with desk.register.reading() as session:
        _clerk(desk, session)
        desk.table(single.overview(session, desk.office.services, desk.clock.now()))


COMMANDS = (overview, listed, life)
