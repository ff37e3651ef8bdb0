"""letter: the agent's letter of commitment; credential: the electronic card's QR code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import segno

from emulator.messages import _
from emulator.textfiles import writing
from harness.cli import pins
from harness.cli.office import options
from harness.cli.office.common import FILE
from harness.cli.office.desk import Command, Desk
from harness.office import letter as letters
from harness.office.electronic import qr
from harness.office.letter.ask import LetterRequest, fill
from harness.office.operations import ALL
from harness.office.register import queries
from harness.office.register.audit import Actor
from harness.office.requests import parsed
from harness.office.requests.models import Document, ShowCredential, VerifyCredential


@click.command(cls=Command)
@click.option(
    "--file", "told", type=FILE, required=True, metavar="LETTER.yaml", help="Who for whom; see docs/office.md."
)
@click.option("-o", "--output", type=FILE, required=True, metavar="FILE.pdf|.html")
@click.pass_obj
def letter(desk: Desk, told: Path, output: Path) -> None:
    """代理承诺书: the annex, filled, for the agent to sign (article 32)."""
    if output.suffix not in (".pdf", ".html"):
        raise click.BadParameter(_("expected a name ending in .pdf or .html"), param_hint="--output")
    request = parsed.model(LetterRequest, parsed.mapping(told), str(told))
    if request.principal is not None:
        filled = request.filled(request.principal.party(), desk.clock.today())
    else:
        with desk.register.reading() as session:
            clerk = Actor.of(queries.clerk(session, desk.clerk()))
        filled = fill(desk.register, request, clerk, desk.clock.now())
    if output.suffix == ".pdf":
        page = letters.pdf(filled)
        with writing.named(output):
            output.write_bytes(page)
    else:
        with writing.named(output):
            output.write_text(letters.html(filled), encoding="utf-8")
    click.echo(json.dumps({"letter": str(output)}) if desk.as_json else _("written to {output}").format(output=output))


@click.group()
def credential() -> None:
    """电子社会保障卡: a test credential shown as a QR code, and verified."""


@credential.command(cls=Command)
@click.option("--holder", type=options.DOCUMENT, required=True, help="Whose; id-card where no TYPE is given.")
@pins.option("pin", "SSCARD_ELECTRONIC_PIN")
@click.option("-o", "--output", type=FILE, metavar="FILE.svg|.png", help="The QR code. [drawn on the terminal]")
@click.pass_obj
def show(desk: Desk, holder: Document, pin: str | None, output: Path | None) -> None:
    """亮证: a fresh credential, good for a minute and once."""
    if output is not None and output.suffix not in (".svg", ".png"):
        raise click.BadParameter(_("expected a name ending in .svg or .png"), param_hint="--output")
    given: dict[str, Any] = {"holder": holder, "pin": pin}
    request = options.ask(desk, ShowCredential, given, None)
    operation = ALL[request.operation]
    text = str(desk.office.perform(request, desk.clerk(operation)).data["credential"])
    if output is not None:
        with writing.named(output):
            output.write_bytes(qr.png(text) if output.suffix == ".png" else qr.svg(text).encode())
    if desk.as_json:
        desk.table({"credential": text})
        return
    if output is None:
        segno.make_qr(text, error="m").terminal(compact=True)
        click.echo(qr.TITLE)
    click.echo(text)


@credential.command(cls=Command)
@click.argument("text")
@click.pass_obj
def verify(desk: Desk, text: str) -> None:
    """验证: whose credential this is; each opens once."""
    operation = ALL["verify-credential"]
    request = parsed.model(VerifyCredential, {"text": text}, "credential")
    desk.done(operation, desk.office.perform(request, desk.clerk(operation)))


COMMANDS = (letter, credential)
