"""What is only looked at: outlets, services, the Measures, rules, the trail; and interrupted work, taken up again."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr
from sqlalchemy.orm import Session

from emulator.messages import _, chinese_first, told
from emulator.textfiles import text as textfile
from harness.cli import pins
from harness.cli.lines import say
from harness.cli.office import options
from harness.cli.office.common import OfficeError
from harness.cli.office.desk import Command, Desk
from harness.office.case.roles import ADMINISTRATOR
from harness.office.desk import lookup
from harness.office.measures.articles import cited, measures
from harness.office.measures.workdays import REMEDY
from harness.office.operations import ALL
from harness.office.register import audit, queries, seed
from harness.office.register.audit import Actor, Note, Wanted
from harness.office.register.queries import Unknown
from harness.office.requests.models import Document
from harness.office.vocabulary import Help, Kind, Outcome, Progress, Role
from harness.readers.connection import Connection

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(cls=Command)
@click.option("--region", default="", metavar="CODE", help="The beginning of a region's code, as 5101.")
@click.option("--special", type=click.Choice([str(one) for one in Help]), help="With this service for who needs it.")
@click.pass_obj
def outlets(desk: Desk, region: str, special: str | None) -> None:
    """服务网点: where, when and what (article 33)."""
    with desk.register.reading() as session:
        rows = lookup.outlets(session, region, Help(special) if special else None)
    if desk.as_json:
        desk.table(rows)
        return
    for one in rows:
        cards = _("制卡 makes cards") if one["makes_cards"] else ""
        say(f"{one['name']}（{chinese_first(one['kind'], one['kind_zh'])}） {one['region']} {cards}".rstrip())
        say(f"  {one['address']}  {one['phone']}  {one['hours']}  {'、'.join(one['helps'].values())}".rstrip())


@click.command(cls=Command)
@click.pass_obj
def services(desk: Desk) -> None:
    """业务清单: every operation, its article, and who does it (article 33)."""
    if desk.as_json:
        desk.table(lookup.services())
        return
    for one in lookup.services():
        card = _(" [card]") if one["card"] else ""
        name = chinese_first(one["en"], one["zh"])
        article = cited(ALL[one["operation"]].citation)
        click.echo(
            f"{one['operation']:18} {_('{name} ({article})').format(name=name, article=article)} "
            f"{'/'.join(one['roles'])}{card}"
        )


@click.command("measures", cls=Command)
@click.argument("article", type=click.IntRange(1, len(measures().articles)), required=False)
@click.pass_obj
def quote(desk: Desk, article: int | None) -> None:
    """办法原文: an article word for word with our English, or all."""
    numbers = [article] if article else [one.number for one in measures().articles]
    found = [lookup.article(number) for number in numbers]
    if desk.as_json:
        desk.table(found[0] if article else found)
        return
    for one in found:
        for paragraph in one["paragraphs"]:
            chinese, english = (
                f"{paragraph['label_zh']}　{paragraph['zh']}",
                f"{paragraph['label_en']}: {paragraph['en']}",
            )
            click.echo(chinese_first(english, chinese, "\n    "))


@click.command(cls=Command)
@click.option(
    "--markdown", is_flag=True, help="With the operations, as the project's docs/reference/office-rules.md has them."
)
@click.pass_obj
def rules(desk: Desk, *, markdown: bool) -> None:
    """业务规则: every rule, its article and grade, and the operations that demand it."""
    if markdown:
        click.echo(lookup.markdown(), nl=False)
        return
    if desk.as_json:
        desk.table(lookup.rule_table())
        return
    for one in lookup.rules():
        rule = one.rule
        click.echo(f"{rule.id:22} {cited(rule.citation)} [{rule.grade}] {', '.join(one.operations) or _('all')}")
        for text in told(rule.en, rule.zh):
            click.echo(f"    {text}")


@click.command(cls=Command)
@click.argument("deed", type=click.Choice(["show", "verify", "anchor"]), default="show")
@click.option("--person", type=options.DOCUMENT, help="Lines about this person.")
@click.option("--card", "number", metavar="NUMBER", help="Lines about this card.")
@click.option("--by", metavar="CLERK", help="Lines of this clerk's.")
@click.option("--operation", metavar="NAME")
@click.option("--outcome", type=click.Choice([str(one) for one in Outcome]))
@click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", help="From this day on.")
@click.option("--to", "until", type=DAY, metavar="YYYY-MM-DD", help="To this day, included.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N of them.")
@click.option("--verify", is_flag=True, help="Check every line's seal first; exit code 1 if one does not hold.")
@click.option("--anchor", metavar="FILE|TEXT", help="With verify: also what `trail anchor` said before.")
@click.pass_obj
def trail(
    desk: Desk,
    /,
    deed: str,
    number: str | None,
    first: datetime | None,
    until: datetime | None,
    last: int | None,
    anchor: str | None,
    *,
    verify: bool,
    **given: Any,
) -> None:
    """操作留痕: who did or saw what, when and by which article (29, 30).

    `trail verify` tells whether lines were changed, added or cut off. `trail anchor` writes what to keep elsewhere:
    with it `trail verify --anchor` finds out also who put back an older register, or had the office's secret.
    """
    with desk.register.reading() as session:
        clerk = Actor.of(queries.clerk(session, desk.named or seed.OFFICER))
        if clerk.role is not Role.ADMINISTRATOR:
            raise ADMINISTRATOR.refusal()
        if verify or anchor or deed == "verify":
            _verified(session, anchor)
        if deed == "anchor":
            click.echo(json.dumps({"anchor": audit.anchor(session)}) if desk.as_json else audit.anchor(session))
            return
        if deed == "verify":
            lines = audit.count(session)
            desk.table({"lines": lines, "anchor": anchor is not None}) if desk.as_json else click.echo(_holds(lines))
            return
        wanted = _wanted(session, number, first, until, given)
        rows = [lookup.line(one) for one in audit.page(session, wanted, last)]
    desk.register.note(Note(desk.clock.now(), clerk, audit.seen(wanted)))
    if desk.as_json:
        desk.table(rows)
        return
    for one in rows:
        say(_line(one))
    if verify:
        click.echo(_holds(len(rows)))


def _wanted(
    session: Session, number: str | None, first: datetime | None, until: datetime | None, given: dict[str, Any]
) -> Wanted:
    person: Document | None = given["person"]
    card = queries.card(session, number) if number else None
    holder = queries.person(session, person.type, person.number) if person else None
    if person and holder is None:
        raise Unknown(_("登记库中无此人 no such person is registered"))
    if number and card is None:
        raise Unknown(_("登记库中无此卡 the register knows no such card"))
    return Wanted(
        holder.id if holder else None,
        card.id if card else None,
        given["by"],
        given["operation"],
        Outcome(given["outcome"]) if given["outcome"] else None,
        first.date() if first else None,
        until.date() if until else None,
    )


def _verified(session: Session, anchor: str | None) -> None:
    """OfficeError where the trail is not what it was."""
    broken = audit.broken(session)
    if broken is not None:
        raise OfficeError(
            _("留痕封印不符 the trail was changed: line {broken} is not as it was written, or was cut off").format(
                broken=broken
            )
        )
    if anchor is None:
        return
    text = textfile.read(Path(anchor)) if Path(anchor).is_file() else anchor
    try:
        holds = audit.holds(session, text)
    except audit.AnchorError as error:
        raise OfficeError(_("--anchor: {error}").format(error=error)) from None
    if not holds:
        raise OfficeError(
            _("锚点不符 the trail is not the one that this anchor was taken of: lines are gone or others")
        )


def _holds(lines: int) -> str:
    return _("{lines} lines, every seal holds 封印完好").format(lines=lines)


def _line(one: dict[str, Any]) -> str:
    """In one line: when, what, how it ended and why, where, about whom, from where to where."""
    about = " ".join(f"{name} {one[name]}" for name in ("person", "card") if one[name])
    why = (
        _(" {rule} (article {article_of_rule})").format(rule=one["rule"], article_of_rule=one["article_of_rule"])
        if one.get("rule")
        else ""
    )
    origin, target = one["detail"].get("from"), one["detail"].get("to")
    came = "/".join(sorted(set(origin.values()))) if isinstance(origin, dict) else origin
    moved = f" {came} → {target}" if origin and target else ""
    outcome = Outcome(one["outcome"])
    ended = f"{chinese_first(outcome.en, outcome.zh)}{why} {one['article']}"
    where = f"{one['clerk']} {one['outlet']}"
    return f"{one['line']:>5} {one['at']} {one['operation']} {ended} {where} {about}{moved}"


@click.command(cls=Command)
@click.option("--all", "every", is_flag=True, help="Every open application, with the day by which it is due.")
@click.pass_obj
def late(desk: Desk, *, every: bool) -> None:
    """逾期未发放: applications whose card should have been handed out by now (article 12)."""
    with desk.register.reading() as session:
        rows = lookup.late(session, desk.office.services, desk.clock.today(), every=every)
    if desk.as_json:
        desk.table(rows)
        return
    for one in rows:
        by = one["deadline"] or "?"
        mark = _(" 逾期 late") if one.get("late") else ""
        say(
            _("{application}  {kind} {progress}  {outlet}  by {by}{mark}").format(
                application=one["application"],
                kind=chinese_first(Kind(one["kind"]).en, one["kind_zh"]),
                progress=chinese_first(Progress(one["progress"]).en, one["progress_zh"]),
                outlet=one["outlet"],
                by=by,
                mark=mark,
            )
        )
    unknown_deadlines(rows)
    if not rows:
        click.echo(_("nothing is late 无逾期申请"))


UNKNOWN = "deadline_unknown"


def unknown_deadlines(rows: list[dict[str, Any]]) -> None:
    """Why deadlines are not known, and what to do about it: the same for many, said once."""
    whys = sorted({one[UNKNOWN] for one in rows if UNKNOWN in one})
    for why in whys:
        say(f"? {why}")
    if whys:
        click.echo(f"  {_(REMEDY)}")


# --- interrupted work ------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.pass_obj
def pending(desk: Desk) -> None:
    """待续办: what was begun on a card and not ended."""
    rows = desk.office.pending()
    if desk.as_json:
        desk.table(rows)
        return
    for one in rows:
        pin = _(" needs the new PIN") if one["needs_pin"] else ""
        say(
            _("{pending}  card {card}  {operation} ({job})  begun {begun}{pin}").format(
                pending=one["pending"],
                card=one["card"],
                operation=one["operation"],
                job=one["job"],
                begun=one["begun"],
                pin=pin,
            )
        )
    if not rows:
        click.echo(_("nothing waits 无待续办业务"))


READER = click.option(
    "--reader", metavar="NAME", help="The card in the PC/SC reader whose name begins so. [the drawer's card]"
)


@click.command(cls=Command)
@click.argument("number", type=click.IntRange(1))
@READER
@pins.option("new", pins.NEW_PIN)
@click.pass_obj
def resume(desk: Desk, number: int, reader: str | None, new: str | None) -> None:
    """续办: finishes what was interrupted, on the same card."""
    waiting = _waiting(desk, number)
    if waiting["needs_pin"] and new is None:
        new = pins.ask(options.LABELS["new"], pins.SPELLINGS["new"][0], pins.NEW_PIN, confirm=True)
    with desk.reader(None if reader else waiting["card"], reader) as connection:
        pin = SecretStr(new) if new else None
        done = desk.office.resume(number, _there(connection), pin, clerk=desk.named or "")
    desk.done(ALL[done.operation], done)


@click.command(cls=Command)
@click.argument("number", type=click.IntRange(1))
@READER
@click.pass_obj
def abandon(desk: Desk, number: int, reader: str | None) -> None:
    """撤销: makes the chip as it was before, where that can be."""
    waiting = _waiting(desk, number)
    with desk.reader(None if reader else waiting["card"], reader) as connection:
        desk.office.abandon(number, _there(connection), clerk=desk.named or "")
    if desk.as_json:
        desk.table({"pending": number, "abandoned": True})
    else:
        click.echo(_("number {number} is undone 已撤销").format(number=number))


def _waiting(desk: Desk, number: int) -> dict[str, Any]:
    for one in desk.office.pending():
        if one["pending"] == number:
            return one
    raise Unknown(_("无此待续办业务 nothing of number {number} waits to be resumed").format(number=number))


def _there(connection: Connection | None) -> Connection:
    assert connection is not None, "a card or a reader was named"
    return connection


BEFORE = (outlets, services, quote, rules)
AFTER = (late, pending, resume, abandon, trail)
