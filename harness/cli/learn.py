"""learn."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.messages import _, both
from emulator.textfiles import writing
from harness.cli import card_options, interrupt, pins, progress
from harness.cli.card_options import CardChoice
from harness.cli.lines import say
from harness.keys import roots
from harness.keys.root_keys import RootKeys
from harness.keys.spent import SpentKeys
from harness.learning import folder as folders
from harness.learning import harmless, outputs
from harness.learning.folder import Discreet
from harness.learning.learn import Learned, Wanted, learn
from harness.learning.observation import Learning
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.readers.observed import Observed
from harness.trace.record import TraceFile

FOLDER = click.Path(file_okay=False, path_type=Path)
ASK = "\0"
"""--pin without a value."""
MOST_TOLD = 12


def _list_commands(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Prints the list and ends."""
    del param
    if not value or ctx.resilient_parsing:
        return
    for one in harmless.ALLOWED:
        click.echo(f"{_(one.name):46} {one.code:32} {both(one.why, one.why_zh)}")
    ctx.exit()


@click.command("learn")
@card_options.options()
@card_options.persona_option
@click.option("--reader", metavar="NAME", help="A PC/SC reader whose name begins so, instead of a card in-process.")
@card_options.interface_option
@click.option(
    "--card", "named", metavar="ATR|CODE", help="With --reader: the card that you mean; any other is refused."
)
@click.option("-o", "--out", "folder", type=FOLDER, required=True, help="The folder to write into.")
@click.option("--keys", metavar="FILE|test", help="Roots in TOML, each tried once; `test`: the published ones.")
@click.option(
    "--pin", is_flag=False, flag_value=ASK, metavar="[PIN]",
    help="Read with the PIN too: given here, in $SSCARD_PIN, or asked for. Tried once, with three tries left or more.",
)  # fmt: skip
@click.option("--deep", is_flag=True, help="More file ids, lengths and keys: takes many times as long.")
@click.option(
    "--seed", default=outputs.USUAL_SEED, show_default=True, metavar="TEXT",
    help="Of the made-up person in persona.toml: another seed, another person.",
)  # fmt: skip
@card_options.force_option
@card_options.json_option
@click.option(
    "--commands", is_flag=True, is_eager=True, expose_value=False, callback=_list_commands,
    help="List the commands that cards are learned by, and nothing else.",
)  # fmt: skip
@click.pass_context
def learn_command(
    ctx: click.Context,
    choice: CardChoice,
    persona: str | None,
    reader: str | None,
    interface: Interface,
    named: str | None,
    folder: Path,
    keys: str | None,
    pin: str | None,
    seed: str,
    *,
    deep: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Learn a card by harmless commands: its layout, its habits, and how to make its twin.

    Writes learning.json (what was seen, no value in it), layout.toml (the nearest layout and every difference),
    persona.toml (a made-up person of the same shape), facts.json (which of our facts the card confirms), a report for
    people (report.html, report.md) and a masked trace. `sscard run --layout DIR/layout.toml --persona DIR/persona.toml`
    is the twin. Nothing is written to the card. Exit code 1 where the card refused a key or the PIN; those are noted,
    and not tried again on this card.
    """
    if reader is not None and named is None:
        raise click.UsageError(_("--reader needs --card: the ATR or identification code of the card that you mean"))
    if reader is None and named is not None:
        raise click.UsageError(_("--card goes with --reader"))
    import jinja2  # noqa: F401 — the report's: better missed now than after the card was read

    given = RootKeys(roots.load(keys)) if keys else None
    folders.prepare(folder, force=force)
    with contextlib.ExitStack() as stack:
        connection, protocol = stack.enter_context(_connection(choice, persona, reader, interface))
        spent = SpentKeys() if reader else None
        wanted = Wanted(given, _pin(pin), deep=deep, spent=spent, protocol=protocol, card=named or "")
        trace = stack.enter_context(TraceFile(folder / folders.TRACE, force=force))
        watched = Observed(connection, Discreet(trace.slot(0)))
        found = learn(watched, wanted, tell=progress.of_commands())
        watched.off()
    with writing.named(folder):
        files = [*folders.write(folder, found, seed=seed), folder / folders.TRACE]
    _report(found, files, as_json=as_json)
    if isinstance(found.broken, KeyboardInterrupt):
        interrupt.tell(_("what was learned till then is in {folder}").format(folder=folder))
        ctx.exit(interrupt.INTERRUPTED)
    if found.broken is not None:
        click.echo(_("what was learned till then is in {folder}").format(folder=folder), err=True)
        raise found.broken
    ctx.exit(1 if found.refused else 0)


@contextlib.contextmanager
def _connection(
    choice: CardChoice, persona: str | None, reader: str | None, interface: Interface
) -> Iterator[tuple[Connection, str]]:
    """The card, and the protocol that its reader speaks with it where that says."""
    if reader is not None:
        card_options.leave_to_reader(choice, persona, interface)
        with Pcsc(pcsc.find_reader(reader), reset_at_end=True) as connection:
            yield connection, "T=0" if connection.is_t0 else "T=1"
        return
    with choice.held(persona) as image:
        yield InProcess(Chip(image, interface=interface)), ""


def _pin(given: str | None) -> str | None:
    """The PIN where one is to be tried."""
    if given is None:
        return None
    if given != ASK:
        return given
    return os.environ.get(pins.PIN) or pins.ask(_("PIN"), "--pin", pins.PIN)


def _report(found: Learned, files: list[Path], *, as_json: bool) -> None:
    """What was learned, in short."""
    learning = found.learning
    if as_json:
        table = {
            "complete": learning.complete,
            "nearest": learning.nearest,
            "version": learning.version,
            "algorithm": learning.algorithm,
            "commands": len(found.reading.exchanges),
            "differences": list(map(asdict, learning.differences)),
            "unexpressed": len(learning.unexpressed),
            "not_seen": list(map(asdict, learning.not_seen)),
            "refused": list(found.refused),
            "files": [str(one) for one in files],
        }
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    say(*_lines(learning))
    for one in files:
        say(f"  {one}")
    for sentence in found.refused:
        say(_("refused 被拒绝: {sentence}").format(sentence=sentence), err=True)


def _lines(learning: Learning) -> Iterator[str]:
    if learning.nearest:
        yield _("nearest layout 最接近的布局 {nearest}, {count} differences 处差异").format(
            nearest=learning.nearest, count=len(learning.differences)
        )
    for one in learning.differences:
        words = [json.dumps(value, ensure_ascii=False) for value in (one.before, one.after)]
        brief = [word if len(word) <= 60 else f"{word[:57]}..." for word in words]
        if one.before is None:
            yield f"  {one.where}: {_('new')} {brief[1]}"
        elif one.after is None:
            yield f"  {one.where}: {_('gone')}"
        else:
            yield f"  {one.where}: {brief[0]} → {brief[1]}"
    if learning.unexpressed:
        yield _("{count} answers that no layout can say 布局无法表达的应答").format(count=len(learning.unexpressed))
        for odd in learning.unexpressed[:MOST_TOLD]:
            yield f"  {odd.probe}: {odd.seen} | {odd.twin}"
    if learning.not_seen:
        yield _("not seen 未见")
        for missing in learning.not_seen[:MOST_TOLD]:
            yield f"  {missing.what}: {missing.why}"


COMMANDS = (learn_command,)
