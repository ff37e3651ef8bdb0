"""facts: what is known of real cards, how surely, and on whose word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.messages import _
from emulator.textfiles import writing
from harness.cli import card_options
from harness.cli.lines import say
from harness.cli.table import Group
from harness.facts.fact import Fact
from harness.sources.page import markdown
from harness.sources.register import Register, register

if TYPE_CHECKING:
    from harness.learning.fact_file import Learned, Lookup

MERGE = "merge"


class _Facts(Group):
    """Takes a filter, or the name of its command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click has it; what is no command's name is the filter, and options may follow it."""
        if args[:1] == [MERGE]:
            return super().parse_args(ctx, ["", *args])
        ctx.allow_interspersed_args = True
        return super().parse_args(ctx, args)


@click.group(cls=_Facts, invoke_without_command=True)
@click.argument("words", metavar="[FILTER]", default="")
@click.option("--layout", "layouts", metavar="NAME|FILE", multiple=True, help="Of these layouts only. [all of ours]")
@click.option(
    "--sources", is_flag=True, help="Print the register of sources instead, as docs/reference/sources.md has it."
)
@click.option(
    "--learned", type=click.Path(path_type=Path), metavar="FILE",
    help="Beside each fact what cards showed of it: facts.json of `sscard learn` or of `sscard facts merge`.",
)  # fmt: skip
@card_options.json_option
@click.pass_context
def facts(
    ctx: click.Context, words: str, layouts: tuple[str, ...], *, sources: bool, learned: Path | None, as_json: bool
) -> None:
    """List facts about real cards with their grade and sources, and count them by grade.

    FILTER: a grade (S, T, P, 1, D); a source's id, with or without a locator (v2, "v2:table 9", prog-z390);
    second-hand; a kind (layout, instruction, rule, vector, office, code); or text that occurs in a fact.

    Grades: S settled, two independent sources; T the clause of the standard family's text; P ISO or PBOC; 1 one source;
    D decided by this project. Second-hand facts rest on our collected reference alone. The sources:
    docs/reference/sources.md.

    \b
      sscard facts DF03/EF05
      sscard facts part5:6.14
      sscard facts second-hand --json
      sscard facts --learned card/facts.json DF03
    """
    if ctx.invoked_subcommand is not None:
        if layouts or sources or learned or as_json:
            raise click.UsageError(_("options of `facts merge` stand behind `merge`"))
        return
    from harness.conformance.vector import home  # with what the extra conformance brings: not for --help
    from harness.facts.gather import chosen, counted, every  # with the office and its database, neither

    known = register()
    if sources:
        if words or layouts or as_json or learned:
            raise click.UsageError(_("--sources goes with nothing else"))
        click.echo(markdown(known), nl=False)
        return
    shown = _lookup(learned) if learned else None
    found = every(home(), layouts)
    if words:
        found = chosen(found, words, known)
    counts = counted(found, known)
    if as_json:
        table = {
            "facts": [_row(one, known) | _learned_row(one, shown) for one in found],
            "counts": {one.grade: {"facts": one.facts, "second_hand": one.second_hand} for one in counts},
        }
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for one in found:
        cited = ", ".join(map(known.words, one.citations))
        apart = _("  second-hand") if known.second_hand(one.grade, one.citations) else ""
        say(f"{one.grade}  {one.where}", f"   {one.statement}", *([f"   {cited}{apart}"] if cited else []))
        if shown is not None and (told := shown.of(one)):
            click.echo(_("   cards 实卡: {told}").format(told=told.words()))
    click.echo()
    for count in counts:
        if count.facts:
            apart = (
                _(", {second_hand} of them second-hand").format(second_hand=count.second_hand)
                if count.second_hand
                else ""
            )
            click.echo(_("{grade}  {facts:5} facts{apart}").format(grade=count.grade, facts=count.facts, apart=apart))
    if shown is not None:
        _tell_sums([told for one in found if (told := shown.of(one))])


@facts.command(MERGE)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write here. [standard output]")  # fmt: skip
@card_options.force_option
def merge(files: tuple[Path, ...], out: Path | None, *, force: bool) -> None:
    """Add up what several cards showed of the facts: facts.json of each, or the folders that `sscard learn` wrote.

    A card that this machine read more than once counts once, as it was read last. `sscard facts --learned FILE` shows
    the sum beside the grades.
    """
    from harness.learning import fact_file
    from harness.trace.record import check_new

    if out is not None:
        check_new(out, force=force)
    found = fact_file.merged(map(fact_file.load, files))
    if out is None:
        click.echo(found.text(), nl=False)
        return
    with writing.named(out):
        out.write_text(found.text(), encoding="utf-8")
    makers = len({one.maker for one in found.cards})
    click.echo(_("{out}: {cards} cards of {makers} makers").format(out=out, cards=len(found.cards), makers=makers))


def _lookup(path: Path) -> Lookup:
    from harness.learning import fact_file

    return fact_file.Lookup(fact_file.load(path))


def _learned_row(one: Fact, shown: Lookup | None) -> dict[str, Any]:
    if shown is None:
        return {}
    told = shown.of(one)
    return {"learned": told.table() if told else None}


def _tell_sums(told: list[Learned]) -> None:
    """How many facts cards confirmed and contradicted, and what may become of that."""
    counts = (
        sum(bool(one.confirmed) for one in told),
        sum(bool(one.contradicted) for one in told),
        sum(not one.confirmed and not one.contradicted for one in told),
    )
    click.echo()
    click.echo(
        _("of {count} facts that a card can show, cards confirm {good}, contradict {wrong}, leave {open} open").format(
            count=len(told), good=counts[0], wrong=counts[1], open=counts[2]
        )
    )
    click.echo(
        _(
            "Grades stay as they are. One card's reading is one source (1); readings of cards of two makers, or one "
            "and another source, are two (S): send facts.json, and the fact can rise (docs/learn.md)."
        )
    )


def _row(one: Fact, known: Register) -> dict[str, object]:
    return {
        "where": one.where,
        "kind": one.kind,
        "statement": one.statement,
        "grade": one.grade,
        "sources": [str(cited) for cited in one.citations],
        "second_hand": known.second_hand(one.grade, one.citations),
    }


COMMANDS = (facts,)
