"""trace show, diff, export, html, to-vector, send; record."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from emulator.textfiles import writing
from harness.cli import card_options, relaying
from harness.cli.card_options import CardChoice
from harness.cli.lines import say
from harness.cli.relaying import relayed_into_free
from harness.serving.run import LOOK, ended, wait_ended
from harness.trace import diff, pcapng, read
from harness.trace.record import TraceFile, check_new
from harness.trace.show import Reader
from harness.trace.words import Names, time_of_day
from harness.verdicts.verdict import UNCERTAIN

if TYPE_CHECKING:
    from harness.conformance.recorded import Recorded

FILE = click.Path(dir_okay=False, path_type=Path)
LAYOUT = click.option("--layout", metavar="NAME|FILE", help="The cards' layout. [as the trace tells, else 3.00]")


@click.group()
def trace() -> None:
    """What went between terminal and card: see it, compare it, take it to Wireshark, play it."""


@trace.command("show")
@click.argument("file", type=FILE)
@LAYOUT
@click.option("--slot", type=int, help="Only this slot.")
@click.option("--follow", is_flag=True, help="Go on as the trace grows, until Ctrl-C.")
def show(file: Path, layout: str | None, slot: int | None, *, follow: bool) -> None:
    """Tell a trace as a person reads it: instruction, file, item, status word, reason, changes."""
    if slot is not None and not follow:
        read.check_slot(file, slot)
    words = Reader(catalogue.layout(layout) if layout else read.layout_of(file))
    with ended():
        for event in read.events(file, follow=follow):
            if slot is None or event.slot == slot:
                for line in words.lines(event):
                    say(line)


@trace.command("diff")
@click.argument("left", type=FILE)
@click.argument("right", type=FILE)
@LAYOUT
@card_options.json_option
@click.pass_context
def compare(ctx: click.Context, left: Path, right: Path, layout: str | None, *, as_json: bool) -> None:
    """Compare two sessions, less challenges, cryptograms and times. Exit code 1 if they differ."""
    sessions = {side: list(read.events(file)) for side, file in (("-", left), ("+", right))}
    plans = {
        side: catalogue.layout(layout) if layout else read.layout_of(file) for side, file in (("-", left), ("+", right))
    }
    about = {side: {event.line: names.of(event) for event in sessions[side]}
             for side, names in ((side, Names(plan)) for side, plan in plans.items())}  # fmt: skip
    found = list(diff.differences(sessions["-"], sessions["+"]))
    for side, event in found:
        named = about[side][event.line]
        if as_json:
            more = {"about": named} if named else {}
            click.echo(json.dumps({"side": side, "line": event.line, **event.table, **more}, ensure_ascii=False))
        else:
            clock = f"{time_of_day(event)}  " if event.time is not None else ""
            say(f"{side} {event.line:5}  {clock}{diff.words(event, named)}")
    if not found and not as_json:
        click.echo(_("the sessions are alike 两次会话一致"))
    ctx.exit(1 if found else 0)


@trace.command("export")
@click.argument("file", type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="The pcapng file to write.")
@LAYOUT
@card_options.force_option
def export(file: Path, out: Path, layout: str | None, *, force: bool) -> None:
    """Write a trace as pcapng, which Wireshark opens and dissects; comments name items, files and keys."""
    check_new(out, force=force)
    names = Names(catalogue.layout(layout) if layout else read.layout_of(file))
    blocks = list(pcapng.export(read.events(file), names.of))  # a trace that cannot be read leaves the file as it was
    with writing.named(out):
        out.write_bytes(b"".join(blocks))
    click.echo(_("{out}: {count} blocks").format(out=out, count=len(blocks)))


@trace.command("html")
@click.argument("file", type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="The HTML file to write.")
@LAYOUT
@click.option("--psam", type=int, multiple=True, metavar="SLOT", help="A slot with a terminal's own card.")
@card_options.force_option
def as_page(file: Path, out: Path, layout: str | None, psam: tuple[int, ...], *, force: bool) -> None:
    """Write a trace as one page for a browser: every command in words, time line, filter, the monitor's findings.

    It is masked as the trace is, and loads nothing: put it into a ticket, or open it from a folder. Dates are judged by
    the day of the session. Exit code 1 for a trace that is empty or broken.
    """
    from harness.studio.session import page
    from harness.studio.session.sessions import recorded

    if str(out) == "-":
        raise click.BadParameter(_("a page of some megabytes is for a browser: name a file"), param_hint="--out")
    check_new(out, force=force)
    for number in psam:
        read.check_slot(file, number)
    plan = catalogue.layout(layout) if layout else None
    session = recorded(str(file), read.content(file), plan, psam=psam)
    session.name = file.name  # the page says nothing of folders
    summary = session.summary()
    text = page.page(session.rows(), summary)
    with writing.named(out):
        out.write_text(text, encoding="utf-8")
    click.echo(
        _("{out}: {rows} rows, {findings} findings, {size:.1f} MB").format(
            out=out, rows=summary["total"], findings=summary["findings"], size=len(text.encode()) / 1_000_000
        )
    )
    for line in _unjudged(summary):
        click.echo(line, err=True)


def _unjudged(summary: dict[str, Any]) -> Iterator[str]:
    """What of a session could not be shown or judged."""
    if summary["torn"]:
        yield _(
            "torn: line {line} has no end, and is left out; who wrote the trace was killed, or the copy is not whole"
        ).format(line=summary["torn"])
    for one in summary["unbegun"]:
        yield _(
            "slot {slot}: {count} commands before its first reset are not judged: the trace's beginning is missing"
        ).format(**one)
    if not summary["judged"]:
        yield _("nothing was judged: there is no command of a terminal's in it")


SLOT = click.option("--slot", type=int, default=0, show_default=True, help="The slot whose card is meant.")
ID = re.compile("[A-Z0-9_]+(-[A-Z0-9_]+)*")


def _recorded(file: Path, layout: str | None, slot: int, *, personal_data: bool) -> tuple[Recorded, Layout, str]:
    """A slot's session as steps, its card's layout and algorithm; the latter empty where the trace does not tell."""
    from harness.conformance.recorded import steps_of  # of [conformance], as what uses it is

    read.check_slot(file, slot)
    events = [one for one in read.events(file) if one.slot == slot]
    plan = catalogue.layout(layout) if layout else read.slot_layout(events[0], read.layout_of(file))
    return steps_of(events, plan, personal_data=personal_data), plan, read.algorithm_of(events)


def _told_of(told: Recorded) -> None:
    """Says what could not become a step."""
    for line in told.left_out:
        say(_("left out: {line}").format(line=line), err=True)


@trace.command("to-vector")
@click.argument("file", type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="The YAML file to write.")
@click.option("--id", "identifier", metavar="ID", help="The vector's, in capitals. [RECORDED- and the file's name]")
@click.option("--title", metavar="TEXT", help="The vector's. [of which recording it is]")
@SLOT
@LAYOUT
@click.option("--personal-data", is_flag=True, help="Keep items' values as far as the trace has them, instead of `..`.")
@card_options.force_option
@click.pass_context
def to_vector(
    ctx: click.Context,
    file: Path,
    out: Path,
    identifier: str | None,
    title: str | None,
    slot: int,
    layout: str | None,
    *,
    personal_data: bool,
    force: bool,
) -> None:
    """Make a conformance vector of a recorded session.

    Commands become steps, answers what they expect; values are any byte (`..`), and proofs, challenges and PINs steps
    that make them anew. Exit code 4 where some command could not become a step: which, and why, is told.
    """
    from harness.conformance import recorded

    check_new(out, force=force)
    name = identifier or "RECORDED-" + re.sub("[^A-Z0-9]+", "_", file.stem.upper()).strip("_")
    if not ID.fullmatch(name):
        raise click.BadParameter(
            _("expected capitals, digits, _ and single -, found {name!r}").format(name=name), param_hint="--id"
        )
    told, plan, algorithm = _recorded(file, layout, slot, personal_data=personal_data)
    table = recorded.document(told, name, title or _("recorded session {file}").format(file=file.name), plan, algorithm)
    head = _("Made of {file} by `sscard trace to-vector`. `..` is any byte.").format(file=file.name)
    left = [_("left out: {line}").format(line=line) for line in told.left_out]
    with writing.named(out):
        out.write_text(recorded.text(table, "\n".join([head, *left])), encoding="utf-8")
    click.echo(_("{out}: {count} steps").format(out=out, count=len(told.steps)))
    _told_of(told)
    ctx.exit(UNCERTAIN if told.left_out else 0)


@trace.command("send")
@click.argument("file", type=FILE)
@card_options.options(image=False)
@card_options.persona_option
@card_options.reader_option
@click.option(
    "--card", "named", metavar="ATR|CODE", help="With --reader: the card that you mean; any other is refused."
)
@card_options.keys_option
@click.option("--allow-destructive", is_flag=True, help="Send also what spends tries or changes the card.")
@SLOT
@card_options.show_secrets_option
@click.pass_context
def send(
    ctx: click.Context,
    file: Path,
    choice: CardChoice,
    persona: str | None,
    reader: str | None,
    named: str | None,
    keys: str | None,
    slot: int,
    *,
    allow_destructive: bool,
    show_secrets: bool,
) -> None:
    """Play a recorded session on another card, and tell where it answers otherwise.

    On a card in a reader, guarded as `sscard vectors run --reader` guards it, or on a fresh virtual one. Proofs of keys
    and challenges are made anew, the PIN is $SSCARD_PIN. Exit code 1 where an answer differs; 4 where something could
    not be sent.
    """
    from harness.cli.sending import Receiver, played

    if reader is not None:
        choice.leave_to_reader(persona)
    told, plan, algorithm = _recorded(file, None, slot, personal_data=False)
    _told_of(told)
    on = Receiver(reader, named, keys, choice.layout, choice.algorithm or algorithm, persona)
    verdict = played(told, file, plan, on, allow_destructive=allow_destructive, show_secrets=show_secrets)
    ctx.exit(verdict or (UNCERTAIN if told.left_out else 0))


@click.command()
@card_options.relay_options
@relaying.PORT
@card_options.psam_reader_option
@click.option("-o", "--out", required=True, type=FILE, help="Write the recording here.")
@card_options.personal_data_option
@card_options.show_secrets_option
@card_options.force_option
def record(
    reader: str,
    psam_reader: str | None,
    port: int | None,
    out: Path,
    *,
    personal_data: bool,
    show_secrets: bool,
    force: bool,
) -> None:
    """Record a session with a card in a reader, until Ctrl-C.

    The card appears in a virtual reader too; let your software talk to that one. Values of items are written as zeros,
    PINs and keys as asterisks, unless told otherwise. `sscard vectors run --replay FILE` judges a recording of a card,
    `sscard monitor FILE` one of a terminal.
    """
    with (
        TraceFile(out, show_secrets=show_secrets, personal_data=personal_data, force=force) as written,
        ended(),
        relayed_into_free(reader, psam_reader, port, written, None) as cards,
    ):
        for one in cards:
            say(_("recording {one}").format(one=one))
        click.echo(_("Ctrl-C ends 正在记录，按Ctrl-C结束"))
        _wait_told(written)
    click.echo(_("{out}: {count} events are recorded 已记录").format(out=out, count=written.count), err=True)


def _wait_told(written: TraceFile) -> NoReturn:
    """Waits for the end, and says when what one waits for has come. pcscd resets cards of its own accord: commands
    count.
    """
    click.echo(_("waiting for your software's first command 等待软件发出第一条命令"), err=True)
    while not written.commands:
        time.sleep(LOOK)
    click.echo(_("the first command has come 已收到第一条命令"), err=True)
    wait_ended()


COMMANDS = (trace, record)
