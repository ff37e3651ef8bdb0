"""monitor: judges a terminal by its session, live or recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _, chinese_first, told
from harness.cli import baselines, card_options, outputs, relaying
from harness.cli.lines import Tone, say
from harness.cli.relaying import relayed_into_free
from harness.cli.verdict_lines import say_counts
from harness.clock import Clock
from harness.messages.markdown import columns, table
from harness.monitor.monitor import Finding, Monitor
from harness.monitor.rule import Situation
from harness.monitor.rules import RULES
from harness.monitor.watched import Watched
from harness.serving.run import ended, wait_ended
from harness.sources.register import register
from harness.trace import read
from harness.trace.read import Event
from harness.trace.record import Trace
from harness.verdicts import conclusion, report
from harness.verdicts import environment as environments
from harness.verdicts.conclusion import Asked
from harness.verdicts.report import Context
from harness.verdicts.verdict import Result, Verdict

FILE = click.Path(dir_okay=False, path_type=Path)
MARK = {"error": "✗", "warning": "!"}
SEVERE = {"error": Tone.BAD, "warning": Tone.DOUBTFUL}


@click.command()
@click.argument("trace", type=FILE, required=False)
@click.option("--follow", is_flag=True, help="Go on as the trace grows, until Ctrl-C.")
@click.option("--reader", metavar="NAME", help="Live: the card in this PC/SC reader, relayed into a virtual one.")
@relaying.PORT
@card_options.psam_reader_option
@click.option("--layout", metavar="NAME|FILE", help="The cards' layout. [as the trace tells, else 3.00]")
@click.option("--psam", type=int, multiple=True, metavar="SLOT", help="A slot with a terminal's own card.")
@click.option("--lost", multiple=True, metavar="NUMBER", help="A card reported lost: number or identification code.")
@click.option("--date", "today", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="The session's. [today]")
@click.option("--report", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write a report here.")
@click.option("--sign", type=FILE, help="Sign the report with this Ed25519 key (PEM).")
@outputs.pdf_option
@click.option("--product", default="", help="What was tested, for the report.")
@outputs.tester_option
@click.option("--rules", is_flag=True, help="List the rules and end.")
@click.option("--markdown", is_flag=True, help="With --rules: as the project's docs/reference/rules.md has them.")
@card_options.baseline_option
@baselines.write_option
@card_options.json_option
@card_options.show_secrets_option
@click.pass_context
def monitor(
    ctx: click.Context,
    trace: Path | None,
    reader: str | None,
    psam_reader: str | None,
    port: int | None,
    layout: str | None,
    psam: tuple[int, ...],
    lost: tuple[str, ...],
    today: datetime | None,
    folder: Path | None,
    sign: Path | None,
    product: str,
    tester: str,
    known: frozenset[str],
    new_baseline: Path | None,
    *,
    follow: bool,
    rules: bool,
    markdown: bool,
    as_json: bool,
    show_secrets: bool,
) -> None:
    """Judge a terminal by what it sends: TRACE, or live with --reader.

    Exit code 1 if a rule was broken whose breach is an error, 4 if nothing could be judged. `sscard run --trace` and
    `sscard record` write traces.
    """
    if rules:
        _list(as_json=as_json, markdown=markdown)
        return
    if (trace is None) == (reader is None):
        raise click.UsageError(_("expected a trace, or --reader NAME"))
    if psam_reader is not None and reader is None:
        raise click.UsageError(_("--psam-reader goes with --reader"))
    to = outputs.report_goal(folder, sign)
    card_options.check_baseline(known, [one.id for one in RULES])
    if trace is not None and not follow:
        for number in psam:
            read.check_slot(trace, number)
    environment = outputs.environment(tester, reader=reader or "", recorded=trace is not None)
    plan = catalogue.layout(layout) if layout else read.layout_of(trace) if trace else catalogue.layout(read.OTHERWISE)
    day = today.date() if today else Clock().today()
    judge = Monitor(plan, Situation(day, frozenset(one.upper() for one in lost) | frozenset(lost)), psam=psam)
    tell, watched = _quiet if as_json else _say, Watched(plan)
    with ended():
        if trace is not None:
            for event in read.events(trace, follow=follow):
                tell(judge.hear(event))
        elif reader is not None:
            _live(judge, watched, reader, psam_reader, port, plan if layout else None, tell)
    tell(judge.end())
    results = judge.results()
    target_words = _("terminal 终端: {name}").format(name=trace.name if trace else reader)
    date_words = environments.now()
    session = outputs.session_of(trace) if trace else report.named(watched.heard, date_words)
    asked = Asked(every=False)  # what a terminal never did is nothing that it had to do
    context = Context(
        target_words, plan.version, date_words, product, known, session=session, asked=asked, environment=environment
    )
    table = report.as_table(results, [], context, show_secrets=show_secrets)
    if to is not None:
        outputs.write(to, table, trace, plan, psam)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _sum(results)
    gaps = list(_gaps(judge, trace))
    for gap in gaps:
        say(f"sscard: {trace or reader}: {gap}", err=True)
    baselines.settle(results, known, new_baseline)
    ctx.exit(conclusion.of_results(results, known, asked).exit_code)


def _gaps(judge: Monitor, trace: Path | None) -> Iterator[str]:
    """What kept a session, or a part of it, from being judged; one sentence each."""
    if trace is not None and (line := read.unfinished(trace)):
        yield _(
            "torn: line {line} has no end, and is left out; who wrote the trace was killed, or the copy is not whole"
        ).format(line=line)
    for slot, count in sorted(judge.unbegun.items()):
        yield _(
            "slot {slot}: {count} commands before its first reset are not judged: the trace's beginning is missing"
        ).format(slot=slot, count=count)
    if not judge.heard:
        yield (
            _("nothing was judged: the trace is empty")
            if trace is not None
            else _("nothing was judged: nobody used the card")
        )
    elif not judge.judged:
        yield _("nothing was judged: there is no command of a terminal's in it")


def _live(
    judge: Monitor,
    watched: Watched,
    reader: str,
    psam_reader: str | None,
    port: int | None,
    layout: Layout | None,
    tell: Callable[[Iterable[Finding]], None],
) -> None:
    """Judges what passes until Ctrl-C, by this layout or the one that the card says. Values are heard whole, as they
    are written nowhere.
    """
    number = 0

    def put(table: dict[str, Any]) -> None:
        nonlocal number
        number += 1
        event = Event.of(number, table)
        watched.hear(event)
        tell(judge.hear(event))

    trace = Trace(put, personal_data=True)
    with relayed_into_free(reader, psam_reader, port, trace, layout) as cards:
        for one in cards:
            say(_("watching {one}").format(one=one), err=True)
        click.echo(_("Ctrl-C ends 正在监视，按Ctrl-C结束"), err=True)
        wait_ended()


def _quiet(findings: Iterable[Finding]) -> None:
    del findings


def _say(findings: Iterable[Finding]) -> None:
    for one in findings:
        rule = one.rule
        say(
            _("{mark} {id} slot {slot}, line {line}: {text}").format(
                mark=MARK[rule.severity], id=rule.id, slot=one.slot, line=one.line, text=one.text
            )
            + (_(", at {at}").format(at=one.at) if one.at else ""),
            tone=SEVERE[rule.severity],
        )
        for text in (*told(rule.title, rule.title_zh), register().readable_to_people(rule.source)):
            say(f"    {text}")


def _sum(results: list[Result]) -> None:
    for one in results:
        if one.verdict is Verdict.MISSING:
            say(f"? {one.subject.id}: {one.reason}")
    say_counts(one.verdict for one in results)


def _list(*, as_json: bool, markdown: bool) -> None:
    if markdown:
        click.echo(rules_markdown(), nl=False)
        return
    if as_json:
        rows = [
            {
                "id": one.id,
                "severity": one.severity,
                "grade": one.grade(),
                "title": one.title,
                "title_zh": one.title_zh,
                "source": register().readable(one.source),
            }
            for one in RULES
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in RULES:
        source = register().readable_to_people(one.source)
        click.echo(
            f"{one.id:26} {one.severity:8} {one.grade()}  {chinese_first(one.title, one.title_zh, '  ')}  ({source})"
        )


def rules_markdown() -> str:
    """Returns the text of docs/reference/rules.md."""
    head = _(
        "# The monitor's rules 监视规则\n\n[How they are used](../terminals.md) [用法](../terminals.zh-CN.md). "
        "Generated by `sscard monitor --rules --markdown`. Grades as everywhere: S\nsettled, T text of the "
        "standard's family, 1 one source, P ISO or PBOC, D decided by this project; the grade of a rule is\n"
        "the weakest that its source has.\n\n"
    )
    rows = (
        (
            f"`{one.id}`", str(one.severity), one.grade(), *columns(one.title, one.title_zh),
            register().readable_to_people(one.source),
        )
        for one in RULES
    )  # fmt: skip
    named = (_("rule"), _("severity"), _("grade"), *columns("demand", "要求"), _("source"))
    return head + table(named, rows)


COMMANDS = (monitor,)
