"""issue: 即时制卡, one card or many in one go."""

from __future__ import annotations

import itertools
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from emulator.errors import SscardError
from emulator.messages import _, chinese_first
from harness.cli import card_options, interrupt, pins, progress
from harness.cli.lines import say
from harness.cli.office import options
from harness.cli.office.common import FILE
from harness.cli.office.desk import Command, Desk
from harness.office.case.services import INITIAL_PIN
from harness.office.desk import instant
from harness.office.desk.office import Done
from harness.office.people import made_up
from harness.office.register import seed
from harness.office.requests import parsed
from harness.office.requests.models import Agent, Apply, Document, Personal
from harness.readers.connection import Connection

HowMade = dict[str, Any]


@click.command(cls=Command)
@click.option("--person", type=FILE, metavar="PERSON.yaml", help="Who; see docs/office.md.")
@click.option("--people", type=FILE, metavar="PEOPLE.yaml|csv", help="Many, each a card in the drawer.")
@click.option("--made-up", "count", is_flag=False, flag_value=1, type=click.IntRange(1, 1000), metavar="[COUNT]",
              help="People who do not exist. Their electronic card's PIN is 123456 unless given. [D]")  # fmt: skip
@click.option("--seed", "chance", type=int, help="With --made-up: which people. [others each time]")
@click.option("--minor", is_flag=True, help="With --made-up: children, with their guardians.")
@click.option("--bank", default=seed.BANK, show_default=True, help="The bank they choose.")
@click.option("--shown", type=options.DOCUMENT, multiple=True, help="Shown besides their own documents; repeat.")
@click.option("--agent", type=FILE, metavar="AGENT.yaml", help="Who comes instead, and why (article 32).")
@click.option("--reader", metavar="NAME", help="The blank card in this PC/SC reader. [a virtual card in the drawer]")
@click.option("--layout", default=card_options.DEFAULT_LAYOUT, show_default=True, metavar="NAME|FILE")
@click.option("--algorithm", type=click.Choice(["3des", "sm4"]), default="3des", show_default=True)
@click.option("--with-account", is_flag=True, help="The bank account is activated along with it.")
@click.option("--electronic-pin", envvar="SSCARD_ELECTRONIC_PIN", metavar="PIN",
              help="Or $SSCARD_ELECTRONIC_PIN, or asked for.")  # fmt: skip
@click.pass_context
def issue(
    ctx: click.Context,
    /,
    person: Path | None,
    people: Path | None,
    count: int | None,
    chance: int | None,
    bank: str,
    shown: tuple[Document, ...],
    agent: Path | None,
    reader: str | None,
    electronic_pin: str | None,
    *,
    minor: bool,
    **how: Any,
) -> None:
    """即时制卡: from application to a personalised, activated card in one go (article 11).

    What was cut off goes on when the command is given again. Of many, each one's result is told; exit code 1 if one
    of them failed.
    """
    desk: Desk = ctx.obj
    if [person, people, count].count(None) != 2:
        raise click.UsageError(_("expected one of --person, --people and --made-up"))
    if (chance is not None or minor) and count is None:
        raise click.UsageError(_("--seed and --minor belong to --made-up"))
    who = _made_up(desk, count, chance, minor=minor) if count else parsed.people(person or people or Path())
    if reader is not None and len(who) > 1:
        raise click.UsageError(_("--reader takes one card: leave it out, and all go into the drawer"))
    pin = electronic_pin or (INITIAL_PIN if count else None)
    if pin is None:
        label = options.LABELS["electronic_pin"]
        pin = pins.ask(label, "--electronic-pin", "SSCARD_ELECTRONIC_PIN", confirm=True)
    common = {
        "bank": bank,
        "agent": parsed.model(Agent, parsed.mapping(agent), str(agent)) if agent else None,
        "electronic_pin": SecretStr(pin),
    }
    requests = [parsed.model(Apply, {"person": one, "shown": (one.document, *shown), **common}, "issue") for one in who]
    if len(requests) == 1 and people is None:
        _one(desk, requests[0], reader, how)
    else:
        ctx.exit(1 if _many(desk, requests, how) else 0)


def _made_up(desk: Desk, count: int, chance: int | None, *, minor: bool) -> list[Personal]:
    drawn = secrets.randbits(64) if chance is None else chance
    return list(itertools.islice(made_up.people(desk.clock.today(), drawn, minor=minor), count))


def _one(desk: Desk, request: Apply, reader: str | None, how: HowMade) -> None:
    def say(done: Done) -> None:
        if not desk.as_json:
            click.echo(f"{done.operation}: {chinese_first(done.article.label_en, done.article.label_zh)}", err=True)

    with desk.reader(None, reader) as connection:
        done = _issued(desk, request, connection, how, say)
    desk.table(_told(request, done))


def _issued(
    desk: Desk, request: Apply, connection: Connection | None, how: HowMade, say: instant.Say = lambda __: None
) -> Done:
    return instant.issue(desk.office, request, desk.clerk(), connection, say=say, **how)


def _told(request: Apply, done: Done) -> dict[str, Any]:
    """The card and whose it is: the people are made up, and whoever issued needs to know them."""
    holder = request.person
    document = f"{holder.document.type}:{holder.document.number}"
    return {"card": done.card, "name": holder.name, "holder": document, "account": done.data.get("account", "")}


def _many(desk: Desk, requests: list[Apply], how: HowMade) -> int:
    """Issues a card to each applicant and prints a row for each; returns how many failed."""
    rows: list[dict[str, Any]] = []
    with progress.bar(requests, len(requests), _("issuing 即时制卡"), hidden=not sys.stderr.isatty()) as bar:
        cut_short = interrupt.gathered((_row(desk, request, how) for request in bar), rows)
    if desk.as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    first: dict[str, int] = {}
    for at, row in enumerate(rows if not desk.as_json else (), 1):
        why = row["error"]["text"] if "error" in row else ""
        said = first.setdefault(why, at)  # what stopped many, stopped them all alike: it is said once
        why = why if said == at else why and _("as no. {said} 同第{said}项").format(said=said)
        say(f"{at}. {row['name']}: " + (why or f"{row['card']}  {row['holder']}"))
    if cut_short:
        interrupt.tell(
            _(
                "{count} of {total} persons are done 人已处理; what was begun for the next one waits: `sscard "
                "office pending`"
            ).format(count=len(rows), total=len(requests))
        )
        raise click.exceptions.Exit(interrupt.INTERRUPTED)
    return sum("error" in row for row in rows)


def _row(desk: Desk, request: Apply, how: HowMade) -> dict[str, Any]:
    """One person of many: the card, or why there is none."""
    try:
        return _told(request, _issued(desk, request, None, how))
    except SscardError as error:
        return {"name": request.person.name, "error": {**error.as_table(), "kind": error.word or "failed"}}


COMMANDS = (issue,)
