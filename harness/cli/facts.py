"""facts: what is known of real cards, how surely, and on whose word."""

from __future__ import annotations

import json

import click

from emulator.messages import _
from harness.cli import card_options
from harness.cli.vectors import home
from harness.facts.fact import Fact
from harness.sources.page import markdown
from harness.sources.register import Register, register


@click.command()
@click.argument("words", metavar="[FILTER]", default="")
@click.option("--layout", "layouts", metavar="NAME|FILE", multiple=True, help="Of these layouts only. [all of ours]")
@click.option(
    "--sources", is_flag=True, help="Print the register of sources instead, as docs/reference/sources.md has it."
)
@card_options.json_option
def facts(words: str, layouts: tuple[str, ...], *, sources: bool, as_json: bool) -> None:
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
    """
    from harness.facts.gather import chosen, counted, every  # with the office and its database: not for --help

    known = register()
    if sources:
        if words or layouts or as_json:
            raise click.UsageError(_("--sources goes with nothing else"))
        click.echo(markdown(known), nl=False)
        return
    found = every(home(), layouts)
    if words:
        found = chosen(found, words, known)
    counts = counted(found, known)
    if as_json:
        table = {
            "facts": [_row(one, known) for one in found],
            "counts": {one.grade: {"facts": one.facts, "second_hand": one.second_hand} for one in counts},
        }
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for one in found:
        cited = ", ".join(map(known.words, one.citations))
        apart = _("  second-hand") if known.second_hand(one.grade, one.citations) else ""
        click.echo(f"{one.grade}  {one.where}\n   {one.statement}" + (f"\n   {cited}{apart}" if cited else ""))
    click.echo()
    for count in counts:
        if count.facts:
            apart = (
                _(", {second_hand} of them second-hand").format(second_hand=count.second_hand)
                if count.second_hand
                else ""
            )
            click.echo(_("{grade}  {facts:5} facts{apart}").format(grade=count.grade, facts=count.facts, apart=apart))


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
