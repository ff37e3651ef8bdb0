"""campaign: cards, and this project's own chip, tried for as long as one likes; what fails is made small."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.messages import _
from emulator.version import VERSION
from harness.cli import card_options as targets
from harness.cli import interrupt, outputs, progress, usage
from harness.cli.lines import Tone, say
from harness.cli.verdict_lines import TONES, say_counts
from harness.verdicts import environment as environments
from harness.verdicts import report
from harness.verdicts.conclusion import Asked
from harness.verdicts.report import Context
from harness.verdicts.verdict import Result, Verdict, in_words

if TYPE_CHECKING:
    from harness.campaign.campaign import Campaign
    from harness.campaign.finding import Finding

FOLDER = click.Path(file_okay=False, path_type=Path)
PARTS = ("vectors", "field", "scenarios", "commands", "flows", "tears")
PROFILES = ("1.00-3des", "2.00-3des", "3.00-3des", "3.00-sm4")
USUAL_MINUTES = 5.0


@click.command()
@click.option("--minutes", type=usage.Amount(min=0, min_open=True), help="Begin nothing after so long. [5]")
@click.option(
    "--rounds",
    type=click.IntRange(1),
    help="So many shards of each kind of work by chance, which is the same every time, instead of --minutes.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What chance begins with.")
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="This kind of work; repeat. [all]")
@click.option("--profile", "profiles", type=click.Choice(PROFILES), multiple=True, help="This kind of card. [all]")
@click.option("--layout", metavar="NAME|FILE", default="", help="Cards of this layout instead.")
@click.option("--jobs", type=click.IntRange(1), help="Processes of this machine. [one for each processor]")
@click.option("--scheduler", metavar="tcp://HOST:8786", default="", help="On the workers of this Dask cluster instead.")
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    default=Path("campaign-findings"),
    show_default=True,
    help="Write what fails here, each a vector made small.",
)
@click.option("--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option(
    "--sign", type=click.Path(dir_okay=False, path_type=Path), help="With --report: sign with this Ed25519 key (PEM)."
)
@outputs.pdf_option
@targets.json_option
@click.pass_context
def campaign(
    ctx: click.Context,
    minutes: float | None,
    rounds: int | None,
    seed: int,
    parts: tuple[str, ...],
    profiles: tuple[str, ...],
    layout: str,
    jobs: int | None,
    scheduler: str,
    output: Path,
    folder: Path | None,
    sign: Path | None,
    *,
    as_json: bool,
) -> None:
    """Try virtual cards with all there is, for a while: vectors, flows of public programs, scenarios, commands by
    chance against a model, and power cut at every write. What fails is made small and written as a vector.

    Exit code 0: nothing failed; 1: something failed; 4: nothing failed, but something was not reached or not judged.
    """
    from harness.campaign import shard
    from harness.campaign.campaign import Campaign, Plan
    from harness.proving.executor import opened
    from harness.proving.machine import CannotRun

    if minutes is not None and rounds is not None:
        raise click.UsageError(_("choose one of --minutes and --rounds"))
    if layout and profiles:
        raise click.UsageError(_("--layout says what kind of card it is: leave --profile out"))
    to = outputs.report_goal(folder, sign)
    plan = Plan(
        tuple(shard.kinds(profiles, layout)),
        tuple(shard.Part(one) for one in parts or PARTS),
        seed,
        minutes if minutes is not None or rounds is not None else USUAL_MINUTES,
        rounds,
    )
    done = Campaign(plan)
    if not scheduler:
        done.prepare()
    shown = progress.of_commands()

    def tell(one: Campaign) -> None:
        share = "" if one.share is None else _("{percent:.0%} of the time, ").format(percent=one.share)
        what = _("{share}{shards} shards, {findings} findings").format(
            share=share, shards=one.done, findings=len(one.findings)
        )
        shown(sum(one.commands.values()), what)

    lost: CannotRun | None = None
    with opened(scheduler, jobs or 0, say=lambda text: click.echo(text, err=True)) as runs:
        try:
            done.run(runs, tell)
        except CannotRun as error:
            lost = error  # what was done until then is told all the same
    results = done.verdicts()
    found = [_Kept(one, output) for one in sorted(done.findings.values(), key=lambda one: one.id)]
    table = report.as_table(results, [], _context(done, layout))
    table["campaign"] = _as_table(done, found)
    if to is not None:
        report.write(to, table)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _print(results, found)
    if lost is not None:
        raise lost
    if done.interrupted:
        interrupt.tell(_("{count} shards were done").format(count=done.done))
        ctx.exit(interrupt.INTERRUPTED)
    from harness.conformance import judgement

    ctx.exit(judgement.exit_code(results))


class _Kept:
    """A finding in its file. ``shown``: its vector fails on a virtual card here."""

    def __init__(self, finding: Finding, folder: Path) -> None:
        from harness.campaign.finding import shows

        self.finding = finding
        self.path = finding.written(folder)
        self.shown = shows(finding, self.path)
        kind = finding.kind
        layout = ("--layout", kind.layout) if kind.layout != kind.version else ("--profile", kind.name)
        self.again = shlex.join(("sscard", "vectors", "run", str(self.path), *layout))


def _context(done: Campaign, layout: str) -> Context:
    plan = done.plan
    words = _("virtual cards of sscard {version}, seed {seed}").format(version=VERSION, seed=plan.seed)
    words += _(", layout {layout}").format(layout=layout) if layout else ""
    words += _("; interrupted: {count} shards were done").format(count=done.done) if done.interrupted else ""
    return Context(
        target=words,
        profile=", ".join(dict.fromkeys(one.name for one in plan.kinds)),
        date=environments.now(),
        product="",
        known=frozenset(),
        asked=Asked(cut_short=done.interrupted),
    )


def _as_table(done: Campaign, found: list[_Kept]) -> dict[str, Any]:
    return {
        "seed": done.plan.seed,
        "minutes": done.plan.minutes,
        "rounds": done.plan.rounds,
        "parts": [str(one) for one in done.plan.parts],
        "shards": done.done,
        "seconds": round(done.seconds, 3),
        "commands": {f"{part} {profile}": count for (part, profile), count in sorted(done.commands.items()) if count},
        "findings": [
            {
                "id": one.finding.id,
                "file": str(one.path),
                "steps": len(one.finding.deeds),
                "what": one.finding.words,
                "again": one.again,
                "shown_by_its_vector": one.shown,
            }
            for one in found
        ],
    }


def _print(results: list[Result], found: list[_Kept]) -> None:
    kept = {one.finding.id for one in found}
    quiet = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    for one in results:
        chance = one.subject.id.startswith("CAMPAIGN-")
        if one.subject.id not in kept and (chance or one.verdict not in quiet):
            said = f"{in_words(one.verdict)} {one.subject.id} [{one.profile}] {one.reason}"
            say(said.rstrip(), tone=TONES.get(one.verdict))
    for each in found:
        finding = each.finding
        say(
            _("failed 未通过 {id} [{profile}] in {count} steps: {words}").format(
                id=finding.id, profile=finding.kind.name, count=len(finding.deeds), words=finding.words
            ),
            tone=Tone.BAD,
        )
        say(_("  written to {path}; again: {again}").format(path=each.path, again=each.again))
        if not each.shown:
            click.echo(_("  its vector does not fail: answers alone, or another challenge, do not show it"))
    say_counts(one.verdict for one in results)


COMMANDS = (campaign,)
