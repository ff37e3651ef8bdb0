"""trace show, diff, export; record."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import click

from emulator import catalogue
from emulator.messages import _
from emulator.textfiles import writing
from harness.cli import card_options, relaying
from harness.cli.relaying import relayed_into_free
from harness.serving.run import ended
from harness.trace import diff, pcapng, read
from harness.trace.record import TraceFile, check_new
from harness.trace.show import Names, Reader, time_of_day

FILE = click.Path(dir_okay=False, path_type=Path)
LAYOUT = click.option("--layout", metavar="NAME|FILE", help="The cards' layout. [as the trace tells, else 3.00]")


@click.group()
def trace() -> None:
    """What went between terminal and card: see it, compare it, take it to Wireshark."""


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
                    click.echo(line)


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
            click.echo(f"{side} {event.line:5}  {clock}{diff.words(event, named)}")
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
            click.echo(_("recording {one}").format(one=one))
        click.echo(_("Ctrl-C ends 正在记录，按Ctrl-C结束"))
        threading.Event().wait()
    click.echo(_("{out}: {count} events are recorded 已记录").format(out=out, count=written.count), err=True)


COMMANDS = (trace, record)
