"""init, token, serve, check, copy: an office set up, opened, looked over and moved."""

from __future__ import annotations

import json
from pathlib import Path

import click
from click.core import ParameterSource

from emulator.messages import _, chinese_first
from harness.cli import origins as origins_
from harness.cli import request_log as request_log_
from harness.cli.lines import say
from harness.cli.office.common import FILE, FOLDER, REGISTER_TYPE, seen_password
from harness.cli.office.desk import Command, Desk
from harness.office.cards import chosen
from harness.office.desk import moving, tokens
from harness.office.register import condition, queries, seed
from harness.office.register.address import Address


@click.command(cls=Command)
@click.pass_obj
def init(desk: Desk) -> None:
    """Make the register and plant a small made-up world in it; one that is there is brought up to date."""
    register = desk.opened()
    chosen.store(register, desk.folder)
    with register.transaction() as session:
        seed.plant(session)
        clerks = [(one.name, one.role, one.outlet.name) for one in queries.clerks(session)]
    if desk.as_json:
        rows = [{"clerk": name, "role": str(role), "outlet": outlet} for name, role, outlet in clerks]
        desk.table({"register": str(desk.address), "drawer": desk.folder and str(desk.folder), "clerks": rows})
        return
    if desk.folder is None:
        say(_("register {path}, which keeps the cards too").format(path=desk.address))
    else:
        say(_("register {path}, drawer {folder}").format(path=desk.address, folder=desk.folder))
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


@click.command(cls=Command)
@click.pass_context
def check(ctx: click.Context) -> None:
    """Look the register over: what its database holds to, the trail's seals, cards that the drawer lacks.

    Exit code 1 where something is not as it should be. A register in a file says when it is outgrown.
    """
    desk: Desk = ctx.obj
    found = condition.told(desk.register)
    with desk.register.reading() as session:
        numbers = [one.number for one in queries.every_card(session)]
    found["cards"] = len(numbers)
    found["in_drawer"] = sum(map(desk.cards.has, numbers))
    if desk.as_json:
        desk.table(found)
    else:
        faults, advice = found.pop("faults"), found.pop("advice")
        desk.table(found)
        say(*(f"! {one}" for one in (*faults, *advice)))
        if not faults:
            say(_("登记库完好 the register is in order"))
        found["faults"] = faults
    ctx.exit(1 if found["faults"] else 0)


@click.command(cls=Command)
@click.option(
    "--to",
    "address",
    type=REGISTER_TYPE,
    required=True,
    metavar="FILE|URL",
    help="The register that takes it all, which must be empty: postgresql://…, or a new file.",
)
@click.option(
    "--to-drawer",
    "folder",
    type=FOLDER,
    metavar="FOLDER",
    help="Where its cards are kept. [beside the register; or in it, on a server]",
)
@click.option("--to-secret", "secret_file", type=FILE, metavar="FILE",
              help="Where its secret is kept. [beside the register; office.secret for a server]")  # fmt: skip
@click.pass_context
def copy(ctx: click.Context, address: Address, folder: Path | None, secret_file: Path | None) -> None:
    """Copy the office whole into an empty register: people, cards, trail, secret. Then go on with that one alone.

    Rows are counted and compared, and the trail's seals hold in the copy, before it is kept.
    """
    desk: Desk = ctx.obj
    if ctx.get_parameter_source("address") is ParameterSource.COMMANDLINE:
        seen_password(address, "--to")
    copied, cards = moving.copy(desk.register, desk.cards, address, folder, secret_file)
    told = {"register": str(address), "rows": copied.rows, "cards": cards, "anchor": copied.anchor}
    desk.table(told)
    if not desk.as_json:
        say(_("copied whole: go on with {register} alone, and keep its secret").format(register=address))


COMMANDS = (token, serve, check, copy)
