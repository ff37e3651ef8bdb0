"""scenarios: what the Measures ask, run on the office, and other counter software judged by them."""

from __future__ import annotations

import fnmatch
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import target as targets
from harness.cli.vectors import BAD, FILE, FOLDER, UNCERTAIN, home
from harness.conformance import report
from harness.conformance.report import Context
from harness.conformance.vector import OFFICE
from harness.conformance.verdict import CHINESE, Result, Verdict

if TYPE_CHECKING:
    from harness.office.scenario.model import Scenario

PATHS = click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))


@click.group()
def scenarios() -> None:
    """Scenarios of the Measures (四川省社会保障卡经办管理办法): run, list, judge other software by them."""


def _found(paths: tuple[Path, ...], only: tuple[str, ...] = ()) -> list[Scenario]:
    from harness.office.scenario import model

    found = model.find(list(paths) or [home() / OFFICE])
    if only:
        found = [one for one in found if any(fnmatch.fnmatchcase(one.id, pattern) for pattern in only)]
    if not found:
        raise click.UsageError("no scenario is meant by that")
    return found


@scenarios.command("run")
@PATHS
@click.option("--only", metavar="ID", multiple=True, help="These scenarios; * stands for anything.")
@click.option(
    "--profile", "profiles", metavar="VERSION-ALGORITHM", multiple=True, help="Like 3.00-sm4. [each scenario's own]"
)
@targets.baseline_option
@click.option("--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option("--sign", type=FILE, help="With --report: sign with this Ed25519 key (PEM).")
@targets.show_secrets_option
@targets.json_option
@click.pass_context
def run_scenarios(
    ctx: click.Context,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    profiles: tuple[str, ...],
    known: frozenset[str],
    folder: Path | None,
    sign: Path | None,
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Run scenarios on fresh registers and virtual cards: of these files and folders, or all that come with the program.

    Exit code 0: nothing failed; 1: something failed; 4: nothing failed, but something could not be judged.
    """
    from harness.office.scenario import matrix, runner
    from harness.office.scenario.checking import PROFILES

    if sign and not folder:
        raise click.UsageError("--sign needs --report")
    if strange := [one for one in profiles if one not in PROFILES]:
        raise click.BadParameter(f"{strange[0]}: expected one of {', '.join(PROFILES)}", param_hint="--profile")
    chosen = _found(paths, only)
    total = sum(len(profiles or one.cards) for one in chosen)
    if as_json or not sys.stderr.isatty():
        results = list(runner.run(chosen, profiles))
    else:
        with click.progressbar(runner.run(chosen, profiles), length=total, label="scenarios", file=sys.stderr) as shown:
            results = list(shown)
    words = f"the office of sscard {metadata.version('sscard')}, virtual cards"
    table = report.as_table(results, matrix.rows(chosen), _context(words, profiles, known), show_secrets=show_secrets)
    if folder is not None:
        report.write(folder, table, sign)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _print(results, known, show_secrets=show_secrets)
    ctx.exit(_code(results, known))


def _context(target: str, profiles: tuple[str, ...], known: frozenset[str], product: str = "") -> Context:
    from harness.office.scenario import matrix

    date = datetime.now(UTC).isoformat(timespec="seconds")
    return Context(
        target, ", ".join(profiles) or "each scenario's own", date, product, known, matrix.NOTE, matrix.BASIS
    )


def _code(results: list[Result], known: frozenset[str]) -> int:
    bad = [one for one in results if one.verdict in BAD and one.vector.id not in known]
    return 1 if any(one.verdict is Verdict.FAILED for one in bad) else UNCERTAIN if bad else 0


def _print(results: list[Result], known: frozenset[str], *, show_secrets: bool) -> None:
    for one in results:
        if one.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE):
            continue
        mark = " (known 已知)" if one.vector.id in known else ""
        click.echo(f"{one.vector.id} [{one.profile}]: {one.verdict} {CHINESE[one.verdict]}{mark}: {one.reason}")
        click.echo(f"  {one.vector.title_zh}\n  {one.vector.title}\n  {one.vector.source}")
        for line in report.trace_lines(one.trace[-4:], show_secrets=show_secrets):
            click.echo(f"  → {line['command']}  {line['words']}\n  ← {line['answer']}  {line['meaning']}")
    counts = Counter(one.verdict for one in results)
    click.echo(", ".join(f"{counts[one]} {one} {CHINESE[one]}" for one in Verdict if counts[one]))


COMMANDS = (scenarios,)
