"""prove: a terminal's program, played in every situation and judged."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, chinese_first
from emulator.textfiles import writing
from harness.cli import baselines, card_options, interrupt, outputs, progress, sweeping, usage
from harness.cli.lines import say
from harness.cli.progress import ForPrograms
from harness.cli.sweeping import Chosen
from harness.cli.verdict_lines import TONES, say_counts
from harness.verdicts import conclusion
from harness.verdicts import report as reports
from harness.verdicts.conclusion import Asked
from harness.verdicts.report import Context
from harness.verdicts.verdict import Result, Verdict, in_words

if TYPE_CHECKING:
    from harness.proving.executor import Done
    from harness.proving.machine import Need
    from harness.proving.plan import ProvingPlan
    from harness.proving.runs import RunRequest, RunResult

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
PROGRAM = "sscard.program"
UNJUDGED = (Verdict.MISSING, Verdict.UNDEFINED)
MARK = {Verdict.PASSED: "✓", Verdict.WARNING: "!", Verdict.FAILED: "✗"}


class ProgramMissing(SscardError):
    """The program that is to be proven is not there, or cannot be executed."""

    kind = ErrorKind.MISSING
    exit_code = 3


class WithProgram(click.Command):
    """A command after whose ``--`` a program and its arguments stand, as they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keeps the program apart, and parses what stands before it."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[PROGRAM] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Returns the usage line, the program at its end."""
        return [*super().collect_usage_pieces(ctx), "-- PROGRAM [ARGUMENT]..."]


@click.command(cls=WithProgram)
@click.argument("path", metavar="[PLAN]", type=FILE, required=False)
@click.option("--list", "listed", is_flag=True, help="List the plan's situations and end.")
@click.option("--situation", "names", multiple=True, metavar="NAME", help="Only these situations; repeat.")
@click.option("--driver", is_flag=True, help="The program calls SSCardDriver alone: no pcscd is needed.")
@click.option("--timeout", type=usage.Amount(0.1, 86400), metavar="SECONDS", help="Of each run. [the plan's, else 60]")
@click.option("--jobs", type=click.IntRange(1, 256), help="Runs at once, each in readers of its own, else one.")
@click.option("--scheduler", default="", metavar="tcp://HOST:PORT", help="Run on the workers of this Dask cluster.")
@click.option("--seed", type=click.IntRange(0), help="Make the cards' random numbers the same each time.")
@click.option("--keep", type=FOLDER, help="Keep each run's trace and output in this folder.")
@click.option("-o", "--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option("--sign", type=FILE, help="With --report: sign with this Ed25519 key (PEM).")
@outputs.pdf_option
@click.option("--product", default="", help="What was tested, for the report.")
@outputs.tester_option
@sweeping.options
@card_options.baseline_option
@baselines.write_option
@card_options.json_option
@card_options.personal_data_option
@card_options.force_option
@progress.option
@click.pass_context
def prove(
    ctx: click.Context,
    path: Path | None,
    names: tuple[str, ...],
    timeout: float | None,
    jobs: int | None,
    scheduler: str,
    seed: int | None,
    keep: Path | None,
    folder: Path | None,
    sign: Path | None,
    product: str,
    tester: str,
    cells: tuple[str, ...],
    limit: int | None,
    minutes: float | None,
    results: Path | None,
    prints: tuple[str, ...],
    prints_not: tuple[str, ...],
    known: frozenset[str],
    new_baseline: Path | None,
    progress_as: str,
    *,
    sweep: bool,
    listed: bool,
    driver: bool,
    as_json: bool,
    personal_data: bool,
    force: bool,
) -> None:
    """Prove a terminal: run its PROGRAM once in each situation of PLAN, with readers of its own, and judge every run.

    Judged are what it sends (the monitor's rules), its exit code, what it prints, its time, and what became of the
    card. {pin} and {situation} in its arguments stand for the card's PIN and the situation's name. Without PLAN: what a
    terminal meets at a counter.

    With --sweep it breaks every command of the program in every way, in one situation (the first, where none is named);
    docs/sweep.md tells what it finds.

    Exit code 0: all passed; 1: something failed; 3: no such program, or no pcscd; 4: something was not judged.
    """
    from harness.proving import executor
    from harness.proving import plan as plans

    with usage.of("PLAN", plans.PlanError):
        plan = plans.load(path) if path is not None else plans.default()
    with usage.of("--situation", plans.PlanError):
        plan = plan.only(names)
    if listed:
        _list(plan, as_json=as_json)
        return
    program: tuple[str, ...] = ctx.meta[PROGRAM]
    if not program:
        raise click.UsageError(_("no program: name it after --, as in `sscard prove -- ./my-terminal --pin {pin}`"))
    card_options.check_baseline(known, [*(one.situation.name for one in plan.cases), *_rules()])
    to = outputs.report_goal(folder, sign)
    if not scheduler:
        _check_program(program)
    environment = outputs.environment(tester, seed=seed, readers=not driver, program=program)
    options = ["--driver"] if driver else []
    if sweep and new_baseline is not None:
        raise click.UsageError(_("--write-baseline goes without --sweep"))
    chosen = Chosen(sweep, cells, limit, minutes, seed, results, prints, prints_not, timeout)
    if chosen.is_sweep(names, keep=keep is not None):
        plan = plan if names else plan.only([plan.cases[0].situation.name])
        (request,) = plans.requests(
            plan, program, cwd=str(Path.cwd()), driver_only=driver, key=os.urandom(16), forgiven=known
        )
        line = sweeping.again(plan, program, chosen.options(options))
        with executor.opened(scheduler, 0 if scheduler else jobs or 1, _needs(driver=driver), _note) as runs:
            how = sweeping.progress_as(progress_as)
            ctx.exit(
                sweeping.run(
                    request, chosen, runs, line, to, product=product, environment=environment, as_json=as_json,
                    progress=how,
                )
            )  # fmt: skip
    kept = Kept(keep, force=force) if keep is not None else None
    requests = plans.requests(
        plan, program, cwd=str(Path.cwd()), deadline=timeout, driver_only=driver, seed=seed, key=os.urandom(16),
        forgiven=known, personal_data=personal_data,
    )  # fmt: skip
    proving = Proving(plan, program, options, kept, quiet=as_json, told=progress_as == progress.JSON)
    cut_short = proving.play(list(requests), driver=driver, jobs=jobs, scheduler=scheduler)
    done = _("{count} of {total} situations were played 种情形已运行").format(
        count=len(proving.runs), total=len(plan.cases)
    )
    context = proving.context(product, known, _("; interrupted: {done}").format(done=done) if cut_short else "")
    table = proving.table(replace(context, asked=Asked(cut_short=cut_short), environment=environment))
    if to is not None:
        reports.write(to, table)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        proving.sum()
    baselines.settle(proving.results(), known, new_baseline, cut_short=cut_short)
    if cut_short:
        interrupt.tell(outputs.cut_short(done, folder))
        ctx.exit(interrupt.INTERRUPTED)
    ctx.exit(conclusion.of_results(proving.results(), known).exit_code)


def _needs(*, driver: bool) -> frozenset[Need]:
    from harness.proving.machine import Need

    return frozenset() if driver else frozenset({Need.PCSCD})


def _rules() -> list[str]:
    from harness.monitor.rules import RULES

    return [one.id for one in RULES]


def _check_program(program: Sequence[str]) -> None:
    """ProgramMissing before anything is run, where it is clear that it cannot be."""
    from harness.proving.program import why_not

    if shutil.which(program[0]) is None:
        raise ProgramMissing(why_not(program[0]))


def _list(plan: ProvingPlan, *, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        rows = [{name: value for name, value in asdict(one.situation).items() if name != "pin"} for one in plan.cases]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    width = max(len(one.situation.name) for one in plan.cases)
    for one in plan.cases:
        say(f"{one.situation.name:{width}}  {chinese_first(one.situation.title, one.situation.title_zh)}".rstrip())


class Kept:
    """The folder in which each run's trace and output are kept."""

    def __init__(self, folder: Path, *, force: bool) -> None:
        """FileExistsError for one that holds something, without ``force``; OSError."""
        with writing.named(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not force and any(folder.iterdir()):
                raise FileExistsError(
                    _("{path}: it holds something already: name another folder, or --force").format(path=folder)
                )
        self._folder = folder

    def keep(self, run: RunResult) -> None:
        """Writes what is kept of a run. OSError."""
        for name, text in ((f"{run.situation}.jsonl", run.trace), (f"{run.situation}.txt", run.output)):
            with writing.named(self._folder / name):
                (self._folder / name).write_text(text, encoding="utf-8")


class Proving:
    """A plan as it is played: what came of its runs so far."""

    def __init__(
        self, plan: ProvingPlan, program: Sequence[str], options: Sequence[str], kept: Kept | None, *, quiet: bool,
        told: bool = False,
    ) -> None:  # fmt: skip
        from harness.proving import report

        self._plan, self._program, self._kept, self._quiet, self._told = plan, program, kept, quiet, told
        self.runs: dict[str, RunResult] = {}
        self._lines = {one.situation.name: report.again(plan, program, one.situation, options) for one in plan.cases}

    def play(self, requests: Sequence[RunRequest], *, driver: bool, jobs: int | None, scheduler: str) -> bool:
        """Plays all; true if Ctrl-C cut it short. CannotRun, ClusterLost, OSError."""
        from harness.proving import executor, one_run

        try:
            with executor.opened(scheduler, 0 if scheduler else jobs or 1, _needs(driver=driver), _note) as runs:
                completed = runs.completed(one_run.play, requests)
                with _shown(completed, len(requests), quiet=self._quiet, told=self._told) as shown:
                    for done in shown:
                        self._take(done)
        except KeyboardInterrupt:  # seen by the executor first, which ends what is being run
            return True
        return False

    def _take(self, done: Done[RunRequest, RunResult]) -> None:
        from harness.proving import report

        run = report.found(done)
        self.runs[run.situation] = run
        if self._kept is not None:
            self._kept.keep(run)
        if not self._quiet and not sys.stderr.isatty():
            self._say(run)

    def _say(self, run: RunResult) -> None:
        mark = MARK.get(run.verdict, "?")
        say(
            _("{mark} {name}: {verdict} ({seconds:.1f} s, {count} commands)").format(
                mark=mark,
                name=run.situation,
                verdict=in_words(run.verdict),
                seconds=run.seconds,
                count=len(run.sent),
            ),
            tone=TONES.get(run.verdict),
        )
        if run.verdict is Verdict.PASSED:
            return
        for reason in run.reasons:
            say(f"    {reason}")
        say(_("    again 重现: {line}").format(line=self._lines[run.situation]))

    def results(self) -> list[Result]:
        """Every verdict so far, as the report has it."""
        from harness.proving import report

        return report.results(self._plan, self.runs, self._lines)

    def context(self, product: str, known: frozenset[str], more: str) -> Context:
        """What the report says besides its results."""
        from harness.proving import report

        return report.context(self._plan, self._program, product, known, more)

    def table(self, context: Context) -> dict[str, Any]:
        """The report."""
        from harness.proving import report

        table = reports.as_table(self.results(), [], context)
        return {**table, "runs": report.as_rows(self._plan, self.runs, self._lines)}

    def sum(self) -> None:
        """What all came to; each run first, where progress stood in its place."""
        from harness.proving import report

        if sys.stderr.isatty():
            for one in self._plan.cases:
                if run := self.runs.get(one.situation.name):
                    self._say(run)
        for missing in report.unmet(self._plan, self.runs.values()):
            say(f"? {missing.subject.id}: {missing.reason}")
        say_counts(run.verdict for run in self.runs.values())


@contextmanager
def _shown(
    completed: Iterator[Done[RunRequest, RunResult]], count: int, *, quiet: bool, told: bool
) -> Iterator[Iterator[Done[RunRequest, RunResult]]]:
    """Progress, where somebody looks at it, or a program reads it."""
    if told:
        yield ForPrograms(count).over(completed, _as_progress)
        return
    if quiet or not sys.stderr.isatty():
        yield completed
        return
    with progress.bar(completed, count, _("situations")) as shown:
        yield iter(shown)


def _as_progress(done: Done[RunRequest, RunResult]) -> tuple[str, bool]:
    bad = done.found is None or done.found.verdict in (Verdict.FAILED, *UNJUDGED)
    return done.asked.situation.name, bad


def _note(text: str) -> None:
    say(f"sscard: {text}", err=True)


COMMANDS = (prove,)
