"""init, token, serve: an office set up and opened."""

from __future__ import annotations

import json

import click

from emulator.messages import _, chinese_first
from harness.cli import origins as origins_
from harness.cli import request_log as request_log_
from harness.cli.lines import say
from harness.cli.office.desk import Command, Desk
from harness.office.cards.store import CardStore
from harness.office.desk import tokens
from harness.office.register import queries, seed


@click.command(cls=Command)
@click.pass_obj
def init(desk: Desk) -> None:
    """Make the register and plant a small made-up world in it; one that is there is brought up to date."""
    register = desk.opened()
    CardStore(desk.folder)
    with register.transaction() as session:
        seed.plant(session)
        clerks = [(one.name, one.role, one.outlet.name) for one in queries.clerks(session)]
    if desk.as_json:
        rows = [{"clerk": name, "role": str(role), "outlet": outlet} for name, role, outlet in clerks]
        desk.table({"register": str(desk.path), "drawer": str(desk.folder), "clerks": rows})
        return
    say(_("register {path}, drawer {folder}").format(path=desk.path, folder=desk.folder))
    for name, role, outlet in clerks:
        say(f"  {name:16} {chinese_first(role, role.zh)}, {outlet}")


@click.command(cls=Command)
@click.argument("name", metavar="CLERK")
@click.option("--days", type=click.IntRange(1, tokens.LONGEST), default=tokens.DAYS, show_default=True)
@click.option("--revoke", is_flag=True, help="End the clerk's token instead.")
@click.pass_obj
def token(desk: Desk, name: str, days: int, *, revoke: bool) -> None:
    """A clerk's token for the HTTP service: shown once, kept as a hash; the one before ends."""
    with desk.register.transaction() as session:
        if revoke:
            tokens.revoke(session, name, desk.clock.now())
            told = ""
        else:
            told = tokens.give(session, name, desk.clock.now(), days)
    if desk.as_json:
        click.echo(json.dumps({"clerk": name, "token": told or None}))
    else:
        click.echo(told or _("{name} has no token any more 令牌已注销").format(name=name))


@click.command(cls=Command)
@click.option("--host", metavar="ADDRESS", help="The address to listen at. [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=8645, show_default=True, help="0 takes a free one.")
@click.option("--reader", "readers", multiple=True, metavar="NAME",
              help="A PC/SC reader that requests may use, by the beginning of its name; repeat. [none]")  # fmt: skip
@origins_.option
@click.option(
    "--name", "hosts", multiple=True, metavar="HOST", help="A name it is called by besides localhost; repeat."
)
@click.option("--rate", metavar="N/minute", help="Requests of one client. [600/minute]")
@request_log_.option
@click.pass_obj
def serve(
    desk: Desk,
    host: str | None,
    port: int,
    readers: tuple[str, ...],
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
    rate: str | None,
    request_log: str | None,
) -> None:
    """Serve the operations over HTTP, with an OpenAPI page at /docs, until Ctrl-C."""
    from harness.web import app as web
    from harness.web.office import create
    from harness.web.office.service import RATE

    address = host or web.LOOPBACK
    app = create(desk.office, readers=readers, hosts=(*hosts, address), origins=origins, rate=rate or RATE)
    web.serve(app, address, port, request_log)


COMMANDS = (token, serve)
