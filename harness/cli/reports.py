"""report: what a report comes to, how two differ, several as one, and whether one is whole."""

from __future__ import annotations

import json
from pathlib import Path

import click

from emulator.messages import _
from harness.cli import card_options, outputs
from harness.cli.lines import say
from harness.verdicts import conclusion, report, report_diff, report_file, report_merge, report_text
from harness.verdicts.report_merge import Counts

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
REPORT = click.Path(path_type=Path)


@click.group("report")
def report_group() -> None:
    """Reports: shown, compared, merged, and checked for being whole."""


@report_group.command("verify")
@click.argument("folder", type=FOLDER)
@click.option("--key", type=FILE, help="The signer's public key (PEM); without it, whose it is stays open.")
def verify_report(folder: Path, key: Path | None) -> None:
    """Check a report's checksum and signature."""
    click.echo(report.verify(folder, key))


@report_group.command("show")
@click.argument("place", metavar="REPORT", type=REPORT)
@card_options.json_option
@click.pass_context
def show_report(ctx: click.Context, place: Path, *, as_json: bool) -> None:
    """Show what a report comes to: REPORT is its folder, or its report.json.

    Exit code 0: conforms; 1: does not, or was altered; 2: it is no report; 4: not judged.
    """
    found = report_file.load(place)
    if as_json:
        click.echo(json.dumps(report_text.as_table(found), ensure_ascii=False, indent=1))
    else:
        say(*report_text.lines(found))
    ctx.exit(found.conclusion.exit_code)


@report_group.command("diff")
@click.argument("first", type=REPORT)
@click.argument("second", type=REPORT)
@card_options.json_option
@click.pass_context
def diff_reports(ctx: click.Context, first: Path, second: Path, *, as_json: bool) -> None:
    """Show what became otherwise from the report FIRST to SECOND: what they were made with, then case by case.

    Exit code 0: nothing became worse; 1: something did; 4: nothing did, but something is no longer judged.
    """
    found = report_diff.compare(report_file.load(first), report_file.load(second))
    if as_json:
        click.echo(json.dumps(found.as_table(), ensure_ascii=False, indent=1))
    else:
        say(*report_diff.lines(found))
    ctx.exit(found.exit_code)


@report_group.command("merge")
@click.argument("places", metavar="REPORT...", type=REPORT, nargs=-1, required=True)
@click.option("-o", "--report", "folder", type=FOLDER, required=True, help="Write the merged report here.")
@click.option("--latest", is_flag=True, help="Of a case in several reports the last that was run counts.")
@click.option("--worst", is_flag=True, help="Of a case in several reports the gravest counts.")
@click.option("--sign", type=FILE, help="Sign it with this Ed25519 key (PEM).")
@outputs.pdf_option
@card_options.json_option
@click.pass_context
def merge_reports(
    ctx: click.Context,
    places: tuple[Path, ...],
    folder: Path,
    sign: Path | None,
    *,
    latest: bool,
    worst: bool,
    as_json: bool,
) -> None:
    """Merge several reports into one, of shards, profiles or runs: what it comes to is found anew.

    Exit code 0: all together conform; 1: they do not; 4: not judged.
    """
    if len(places) == 1:
        raise click.UsageError(_("expected two reports or more"))
    if latest and worst:
        raise click.UsageError(_("choose one of --latest and --worst"))
    counts = Counts.LATEST if latest else Counts.WORST if worst else Counts.NEITHER
    to = outputs.report_goal(folder, sign)
    merged = report_merge.merge([report_file.load(one) for one in places], counts)
    say(*(f"sscard: {note}" for note in merged.notes), err=True)
    assert to is not None, "-o is required"
    if any(folder.resolve() == (one if one.is_dir() else one.parent).resolve() for one in places):
        raise click.BadParameter(_("{folder} is one of the reports").format(folder=folder), param_hint="-o")
    report.write(to, merged.table)
    found = report_file.load(folder)
    if as_json:
        click.echo(json.dumps(merged.table, ensure_ascii=False, indent=1))
    else:
        verdict = found.conclusion.verdict
        click.echo(f"{conclusion.in_words(verdict)}: {report_text.counts(merged.table['counts'])}")
    ctx.exit(found.conclusion.exit_code)


COMMANDS = (report_group,)
