"""personas and persona: the ready cards, and cards of one's own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from emulator import catalogue
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _, both
from emulator.own_personas import check as checking
from emulator.own_personas import new
from emulator.personas import document
from emulator.personas.finding import Finding, PersonaError
from emulator.textfiles import writing
from harness.cli import card_options, usage
from harness.cli.lines import say
from harness.clock import Clock

FINDINGS, UNREADABLE = 1, 2
REGION = "510100"


@click.command()
@card_options.json_option
def personas(*, as_json: bool) -> None:
    """List the ready cards. All people are made up; every PIN is 123456."""
    people = [catalogue.persona(name) for name in (*catalogue.personas(), *catalogue.personas(CardKind.PSAM))]
    if as_json:
        rows = [
            {"name": one.name, "title": one.title, "title_zh": one.title_zh, "region": one.region, "card": one.card}
            for one in people
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max(len(one.name) for one in people)
    for one in people:
        click.echo(f"{one.name:{width}}  {both(one.title, one.title_zh, '  ')}")


@click.group()
def persona() -> None:
    """Personas of one's own (自建人物): TOML files that go wherever a persona's name goes."""


@persona.command("new")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
              help="Where to; it must not be there yet, and ends in .toml.")  # fmt: skip
@click.option(
    "--name", default="测试新", show_default=True, help="The holder's name; what is over 30 bytes goes into 4E."
)
@click.option("--id", "number", default="", metavar="NUMBER",
              help="A social security number, 519900… or 999…; it gives birth and sex. [a made-up one]")  # fmt: skip
@click.option("--region", default=REGION, show_default=True, metavar="CODE", help="Six digits of GB/T 2260.")
@click.option("--extends", "parent", metavar="NAME|FILE", help="Write only what differs from this persona.")
def make(out: Path, name: str, number: str, region: str, parent: str | None) -> None:
    """Write a persona to edit: every item, named in both languages and valid, of a person that nobody is.

    Children below 16 have no job, people from 60 are retired; 999… is a foreigner's permanent residence card. A number
    that somebody may have is refused: what a persona says ends up in images, traces and reports.
    """
    if not document.is_path(str(out)):
        raise click.BadParameter(
            _("expected a name that ends in .toml, found {out}").format(out=out), param_hint="--out"
        )
    with usage.of_command(new.RefusedError):
        person = new.wanted(out.stem, name, number, region, Clock().today())
        text = new.extending(person, _from(out, parent)) if parent else new.complete(person)
    if parent:
        _fits(out, text, parent)
    try:
        with writing.named(out), out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(
            _("{out} is there already: name another file, or remove it first").format(out=out)
        ) from None
    click.echo(
        _("{out}: edit it, check it with `sscard persona check {out}`, use it with `--persona {out}` 已生成").format(
            out=out
        )
    )


def _from(out: Path, parent: str) -> str:
    """How a file in that folder names its parent."""
    if not document.is_path(parent):
        return parent
    path = Path(parent).absolute()
    folder = out.absolute().parent
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _fits(out: Path, text: str, parent: str) -> None:
    """A usage error where the parent's data are not this person's."""
    own = document.parsed(str(out), text.encode())
    found = checking.judge(str(out), [own, *document.read(parent)]).findings
    if found:
        raise click.UsageError(
            _("{parent} does not fit this person: {found}; leave --extends out for a whole file").format(
                parent=parent, found=found[0]
            )
        )


@persona.command()
@click.argument("name", metavar="FILE|NAME")
@click.option("--layout", "named", metavar="NAME|FILE", multiple=True,
              help="Judge for this layout; repeat. [all of ours for this kind of card]")  # fmt: skip
@card_options.json_option
@click.pass_context
def check(ctx: click.Context, name: str, named: tuple[str, ...], *, as_json: bool) -> None:
    """Judge every value of a persona: line, item, and what was expected there, the right check digit too.

    Exit codes: 0 all good, 1 something is wrong, 2 there is nothing to judge: no file, no text, no TOML.
    """
    try:
        report = checking.check(name, [catalogue.layout(one) for one in named])
    except PersonaError as error:
        if as_json:
            click.echo(json.dumps({"file": name, "good": False, "findings": [_row(error.finding)]}, ensure_ascii=False))
        else:
            say(f"sscard: {error}", err=True)
        ctx.exit(UNREADABLE)
    if as_json:
        rows = [_row(finding) for finding in report.findings]
        table = {"file": name, "good": not rows, "values": report.values, "layouts": report.layouts, "findings": rows}
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        for finding in report.findings:
            say(str(finding))
        say(_summary(report))
    ctx.exit(FINDINGS if report.findings else 0)


def _row(finding: Finding) -> dict[str, object]:
    row = asdict(finding)
    return {"file": row.pop("source"), "line": row.pop("line") or None, "item": row.pop("key")} | row


def _summary(report: checking.Report) -> str:
    judged = _("{values} values, layouts {layouts}").format(values=report.values, layouts=", ".join(report.layouts))
    if not report.findings:
        return _("{name}: good 正确. {judged}").format(name=report.name, judged=judged)
    return _("{name}: {count} wrong 处有误. {judged}").format(
        name=report.name, count=len(report.findings), judged=judged
    )


COMMANDS = (personas, persona)
