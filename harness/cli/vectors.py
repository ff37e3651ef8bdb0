"""vectors: conformance."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from emulator import catalogue, messages
from emulator.filesystem.layouts.specs import Layout
from emulator.guess import guess
from emulator.interface import Interface
from emulator.messages import _, both, chinese_first
from emulator.personas import UnknownPersonaError
from emulator.textfiles import as_json
from emulator.textfiles.text import FormatError
from harness.cli import baselines, interrupt, outputs, progress, usage, vector_runs
from harness.cli import card_options as targets
from harness.cli.lines import say
from harness.cli.progress import ForPrograms
from harness.cli.vector_runs import NextCard, StepByStep
from harness.cli.verdict_lines import TONES, say_counts
from harness.conformance import checking, coverage, generate, judgement, names, plan, runner
from harness.conformance import vector as vectors_
from harness.conformance.judgement import Required
from harness.conformance.targets.reader import CardInReader, in_reader
from harness.conformance.targets.replay import Replay
from harness.conformance.targets.target import Target
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector, home
from harness.keys import roots
from harness.keys.spent import SpentKeys
from harness.readers import pcsc
from harness.sources.register import register
from harness.verdicts import environment as environments
from harness.verdicts import report
from harness.verdicts.causes import Cause
from harness.verdicts.conclusion import SAYING
from harness.verdicts.report import Context
from harness.verdicts.subject import PROOF_WORDS, Proof
from harness.verdicts.verdict import Result, Verdict, in_words

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
LAST = Path(".sscard-last.json")
"""Where a run leaves what it found, for --failed; in the current folder."""
FAULTY = 2
"""Exit code of `check` where there is a fault."""
BAD = (Verdict.FAILED, Verdict.UNDEFINED)


@click.group()
def vectors() -> None:
    """Conformance vectors: run, list, generate."""


@vectors.command("run")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--in-process", is_flag=True, help="On virtual cards in this process; the default.")
@click.option("--reader", metavar="NAME", help="On the card in the PC/SC reader whose name begins so.")
@click.option("--replay", metavar="TRACE", type=FILE, help="On a recorded session.")
@click.option("--only", metavar="ID", multiple=True, help="These vectors; * stands for anything.")
@click.option("--item", "items", metavar="ITEM", multiple=True, help="Those for this item of the standard.")
@click.option("--failed", is_flag=True, help="Those that did not pass in the last run in this folder.")
@click.option(
    "--profile", "profiles", metavar="VERSION-ALGORITHM", multiple=True, help="Like 3.00-sm4; all by default."
)
@click.option("--layout", metavar="NAME|FILE", help="Cards of this layout instead.")
@targets.interface_option
@click.option("--overlay", metavar="FOLDER", type=FOLDER, multiple=True, help="More vectors, a vendor's own.")
@click.option(
    "--require",
    "required",
    metavar="ID|ITEM",
    multiple=True,
    help="This must have been judged, else exit "
    "code 4: ids (* for anything) or items of the standard; everything for the card where none is named.",
)
@click.option("-x", "--exitfirst", is_flag=True, help="Stop at the first failure.")
@click.option("--step", is_flag=True, help="One step at a time: Enter does the next.")
@click.option("-v", "--verbose", count=True, help="Show passing vectors too; -vv: with what went over.")
@click.option("--durations", type=click.IntRange(1), metavar="N", help="Show the N slowest vectors.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="With --reader: show what would be run, in which order and at which cost, and send nothing that costs a try.",
)
@click.option(
    "--card",
    "named",
    metavar="ATR|CODE",
    multiple=True,
    help="With --reader: the card that you mean; any other is refused. Repeat: each next one must be named.",
)
@click.option("--cards", is_flag=True, help="With --reader: ask for another card where one is used up.")
@click.option(
    "--swap-command",
    metavar="COMMAND",
    default="",
    help="With --reader: run this to change the card where one is used up, as `sscard card swap …` does.",
)
@click.option(
    "--psam-reader", "psam", metavar="NAME", help="With --reader: the PSAM in the reader whose name begins so."
)
@click.option(
    "--persona", metavar="NAME|FILE", default="", help="With --reader: the card is a virtual one of this persona; what "
    "programs take out of its answers is judged too."
)  # fmt: skip
@click.option("--keys", metavar="FILE|test", help="With --reader: roots in TOML; `test`: the published ones.")
@click.option("--allow-destructive", is_flag=True, help="With --reader: vectors that spend tries or change the card.")
@click.option("--strict", is_flag=True, help="With --reader: differing from what only we decided fails too.")
@targets.baseline_option
@baselines.write_option
@click.option("--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option("--sign", type=FILE, help="With --report: sign with this Ed25519 key (PEM).")
@outputs.pdf_option
@click.option("--product", default="", help="With --report: what was tested, and its version.")
@outputs.tester_option
@targets.show_secrets_option
@targets.json_option
@progress.option
@click.pass_context
def run_vectors(
    ctx: click.Context,
    paths: tuple[Path, ...],
    reader: str | None,
    replay: Path | None,
    only: tuple[str, ...],
    items: tuple[str, ...],
    profiles: tuple[str, ...],
    layout: str | None,
    interface: Interface,
    overlay: tuple[Path, ...],
    required: tuple[str, ...],
    named: tuple[str, ...],
    swap_command: str,
    psam: str | None,
    persona: str,
    keys: str | None,
    known: frozenset[str],
    new_baseline: Path | None,
    folder: Path | None,
    sign: Path | None,
    product: str,
    tester: str,
    verbose: int,
    durations: int | None,
    progress_as: str,
    *,
    in_process: bool,
    failed: bool,
    exitfirst: bool,
    step: bool,
    dry_run: bool,
    cards: bool,
    allow_destructive: bool,
    strict: bool,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Run vectors: of these files and folders, or all that come with the program.

    Exit code 0: all that is for the card, or all that --require names, was judged and nothing failed; 1: something
    failed; 4: nothing failed, but something was not judged, or nothing was run at all. What would mend that is said.
    """
    if sum(map(bool, (in_process, reader, replay))) > 1:
        raise click.UsageError(_("choose one of --in-process, --reader and --replay"))
    if (psam or persona or strict) and not reader:
        raise click.UsageError(_("--psam-reader, --persona and --strict need --reader"))
    if (dry_run or cards or swap_command) and not reader:
        raise click.UsageError(_("--dry-run, --cards and --swap-command need --reader"))
    if step and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(_("--step waits for Enter and needs a terminal"))
    if cards and not swap_command and not sys.stdin.isatty():
        raise click.UsageError(_("--cards asks for cards and needs a terminal; elsewhere --swap-command changes them"))
    _check_command(swap_command)
    to = outputs.report_goal(folder, sign)
    if failed and LAST.exists() and not _last():
        click.echo(_("nothing failed in the last run, so nothing is run again 上次没有未通过的"), err=as_json)
        return
    chosen = _chosen(paths or (home(),), overlay, only, items, failed=failed)
    if known:
        every = (vectors_.find([home()]), vectors_.find([*(paths or (home(),))], overlay))
        targets.check_baseline(known, [one.id for these in every for one in these])
    must = None
    if required:
        by_id = {one.id: one for one in (*vectors_.find([home()]), *vectors_.find([*(paths or (home(),))], overlay))}
        must = Required(required, by_id.values())
    environment = outputs.environment(tester, reader=reader or "", recorded=bool(replay))
    results: list[Result] = []
    cut_short = False
    stepper = StepByStep(_enter, show_secrets) if step else None
    with contextlib.ExitStack() as stack:
        known_layout = catalogue.layout(layout) if layout else None
        names.check(chosen, [known_layout] if known_layout else [])
        changer: NextCard | None = None
        found: list[Target] = []
        if reader is not None:
            changer = _cards(stack, reader, named, swap_command, keys, known_layout, psam, persona)
            card = changer.first()
            environment = replace(environment, reader=pcsc.find_reader(reader))
            found.append(card)
            planned = plan.made(chosen, card, allow_destructive=allow_destructive)
            if dry_run:
                _show_plan(planned, as_json=as_json)
                return
            say(*vector_runs.plan_in_short(planned), err=True)
        else:
            found += _targets(replay, profiles, layout, interface)
        how = _How(
            allow_destructive, strict, show_secrets, exitfirst, known, stepper,
            changer if cards or swap_command else None, _for_programs(progress_as, len(chosen) * len(found)),
        )  # fmt: skip
        for target in found:
            cut_short = _run(results, chosen, target, how)
            if cut_short or (exitfirst and judgement.failed(results, known)):
                break
    told = changer.targets if changer is not None else [target.target for target in found]
    done = _("{count} of {total} vectors were run 个向量已运行").format(
        count=len(results), total=len(chosen) * len(found)
    )
    with contextlib.suppress(OSError, click.UsageError):  # a folder that cannot be written to has no --failed
        run = {one.subject.id for one in results}
        before = _last() if cut_short else ()  # and not run again before Ctrl-C
        bad_ones = [one.subject.id for one in results if one.verdict in BAD or one.cause == Cause.CARD_LEFT]
        LAST.write_text(json.dumps([*bad_ones, *(one for one in before if one not in run)]), encoding="utf-8")
    rows = coverage.matrix(vectors_.find([home()]), home()) if folder is not None or as_json else []
    context = Context(
        target="; ".join(told) + (_("; interrupted: {done}").format(done=done) if cut_short else ""),
        profile=", ".join(target.profile.name for target in found),
        date=environments.now(),
        product=product,
        known=known,
        session=outputs.session_of(replay) if replay else None,
        asked=judgement.asked(results, must, cut_short=cut_short),
        environment=environment,
    )
    if to is not None or as_json:
        table = report.as_table(results, rows, context, show_secrets=show_secrets)
        if to is not None:
            outputs.write(to, table, replay)
        if as_json:
            click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    if not as_json:
        _print(results, known, show_secrets=show_secrets, verbose=verbose)
        say(*vector_runs.slowest(results, durations or 0))
    for warning in (one for target in found if isinstance(target, CardInReader) for one in target.warnings):
        say(_("warning 警告: {warning}").format(warning=warning), err=True)
    baselines.settle(results, known, new_baseline, cut_short=cut_short)
    if cut_short:
        interrupt.tell(outputs.cut_short(done, folder))
        ctx.exit(interrupt.INTERRUPTED)
    if not any(one.verdict in (*SAYING, Verdict.UNDEFINED) for one in results):
        click.echo(_("nothing was run: every vector is for other cards, or wants what is not at hand"), err=True)
    for name in must.lacking(results) if must is not None else ():
        click.echo(_("required and not judged 要求判定而未判定: {name}").format(name=name), err=True)
    ctx.exit(judgement.exit_code(results, known, must))


def _check_command(command: str) -> None:
    """A usage error for a command that cannot be run."""
    if not command:
        return
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--swap-command") from None
    if not words or shutil.which(words[0]) is None:
        raise click.BadParameter(
            _("no program {name!r} is there").format(name=words[0] if words else ""), param_hint="--swap-command"
        )


def _enter() -> None:
    """Waits for Enter."""
    click.prompt("", default="", show_default=False, prompt_suffix=" ", err=True)


def _show_plan(planned: plan.Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(planned.as_table(), ensure_ascii=False, indent=1))
        return
    say(*vector_runs.plan_in_full(planned))


def _cards(
    stack: contextlib.ExitStack, reader: str, named: tuple[str, ...], command: str, keys: str | None,
    layout: Layout | None, psam: str | None, persona: str,
) -> NextCard:  # fmt: skip
    """The card in the reader, and what changes it."""
    if not named:
        raise click.UsageError(_("--reader needs --card: the ATR or identification code of the card that you mean"))
    source = roots.load(keys, layout)
    pin = os.environ.get("SSCARD_PIN", "")
    name, own = pcsc.find_reader(reader), pcsc.find_reader(psam) if psam else None
    if own == name:
        raise click.BadParameter(_("{name} holds the card under test").format(name=name), param_hint="--psam-reader")

    @contextlib.contextmanager
    def opened() -> Iterator[CardInReader]:
        with (
            usage.of("--persona", UnknownPersonaError),
            in_reader(name, source, pin, layout, own, persona, SpentKeys()) as card,
        ):
            yield card

    return NextCard(stack, name, opened, named, command, virtual=bool(persona))


def _for_programs(how: str, total: int) -> ForPrograms | None:
    return ForPrograms(total) if how == progress.JSON else None


def _chosen(
    paths: tuple[Path, ...], overlay: tuple[Path, ...], only: tuple[str, ...], items: tuple[str, ...], *, failed: bool
) -> list[Vector]:
    found = judgement.of_items(targets.picked(vectors_.find([*paths], overlay), only), items)
    if failed:
        if not LAST.exists():
            raise click.UsageError(
                _("--failed: no run was made in this folder yet ({last} is not there)").format(last=LAST)
            )
        before = set(_last())
        found = [one for one in found if one.id in before]
    if not found:
        raise click.UsageError(_("no vector is meant by that"))
    return found


def _targets(
    replay: Path | None, profiles: tuple[str, ...], layout: str | None, interface: Interface
) -> Iterator[Target]:
    """A recording, or virtual cards in this process. NoSuchInterface."""
    known = catalogue.layout(layout) if layout else None
    if replay is not None:
        yield Replay(replay, known, None)
    else:
        asked = [one.rpartition("-")[::2] for one in profiles]
        if known is not None:
            asked = asked or [(known.version, algorithm) for algorithm in known.algorithms]
            catalogue.over(known, interface)
            yield from (Virtual(str(layout), algorithm, interface) for __, algorithm in asked)
            return
        for version, algorithm in asked or _all_over(interface):
            if (version, algorithm) not in coverage.PROFILES:
                there = ", ".join("-".join(one) for one in coverage.PROFILES)
                raise click.BadParameter(_("expected one of {there}").format(there=there), param_hint="--profile")
            catalogue.over(catalogue.layout(version), interface)
            yield Virtual(version, algorithm, interface)


def _all_over(interface: Interface) -> Iterator[tuple[str, str]]:
    """The kinds of card that have this interface."""
    for version, algorithm in coverage.PROFILES:
        if interface is Interface.CONTACT or catalogue.layout(version).contactless is not None:
            yield version, algorithm


@dataclass(frozen=True, slots=True)
class _How:
    """How vectors are run."""

    allow_destructive: bool
    strict: bool
    show_secrets: bool
    exitfirst: bool
    known: frozenset[str]
    stepper: StepByStep | None
    next_card: NextCard | None
    for_programs: ForPrograms | None


def _run(into: list[Result], chosen: list[Vector], target: Target, how: _How) -> bool:
    """True if Ctrl-C cut it short; what was run till then is there."""
    results = runner.run(
        chosen,
        target,
        allow_destructive=how.allow_destructive,
        strict=how.strict,
        show_secrets=how.show_secrets,
        stepper=how.stepper,
        next_card=how.next_card,
    )
    if how.exitfirst:
        results = vector_runs.stopping_at_first_failure(results, how.known)
    if how.stepper is not None:
        return interrupt.gathered(_told(results, how.stepper), into)
    if how.for_programs is not None:
        return interrupt.gathered(how.for_programs.over(results, _as_progress), into)
    return interrupt.gathered(vector_runs.progressing(results, len(chosen), target.profile.name), into)


def _as_progress(result: Result) -> tuple[str, bool]:
    return result.subject.id, result.verdict in BAD


def _told(results: Iterator[Result], stepper: StepByStep) -> Iterator[Result]:
    for one in results:
        stepper.ended(one)
        yield one


def _last() -> list[str]:
    """Ids that did not pass in the last run here; none where there was none."""
    if not LAST.exists():
        return []
    try:
        return list(map(str, as_json.load(LAST)))
    except (FormatError, TypeError):
        raise click.UsageError(
            _("--failed: {last} is not what a run left there: run without --failed").format(last=LAST)
        ) from None


def _print(results: list[Result], known: frozenset[str], *, show_secrets: bool, verbose: int) -> None:
    for one in results:
        if one.verdict is Verdict.NOT_APPLICABLE or (one.verdict is Verdict.PASSED and not verbose):
            continue
        mark = _(" (known 已知)") if one.subject.id in known else ""
        said = f"{one.subject.id} [{one.profile}]: {in_words(one.verdict)}{mark}: {one.reason}"
        say(said.removesuffix(": "), tone=TONES.get(one.verdict))
        if one.verdict in (*BAD, Verdict.WARNING):
            basis = register().readable_to_people(one.subject.source)
            for text in messages.told(one.subject.title, one.subject.title_zh):
                say(f"  {text}")
            say(f"  {one.subject.standard}, {basis}")
        if one.verdict in (*BAD, Verdict.WARNING) or verbose > 1:
            for exchange in report.trace_lines(one.trace, show_secrets=show_secrets):
                say(*vector_runs.exchange_in_words(exchange))
    say_counts(one.verdict for one in results)
    for line in vector_runs.open_questions(results):
        click.echo(line)
    proof = report.proof_of(results)
    told = [
        _("{passed} of {judged} {kind} ({meaning})").format(
            passed=number["passed"], judged=number["judged"], kind=kind, meaning=both(*PROOF_WORDS[Proof(kind)])
        )
        for kind, number in proof.items()
        if number["judged"]
    ]
    if told:
        click.echo(_("passed, by what they rest on 通过数（按依据）: ") + "; ".join(told))


@vectors.command("list")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@targets.json_option
def list_vectors(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """List vectors: id, versions, title."""
    found = vectors_.find(list(paths) or [home()])
    if as_json:
        shown = ("id", "standard", "covers", "title", "title_zh", "grade", "source", "proof", "origin", "versions")
        rows = [{name: getattr(one, name) for name in shown} for one in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in found:
        say(f"{one.id}  {','.join(one.versions) or _('all')}  {chinese_first(one.title, one.title_zh)}")


@vectors.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@targets.json_option
@click.pass_context
def check_vectors(ctx: click.Context, paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Judge files of vectors before anything is run, with every fault, its line and what was probably meant.

    Exit code 0: no fault; 2: some.
    """
    found = checking.check(list(paths) or [home()], home())
    if as_json:
        rows = [one.as_table() for one in found.faults]
        table = {"files": found.files, "vectors": found.vectors, "faults": rows}
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        for fault in found.faults:
            say(str(fault))
        click.echo(
            _("{faults} faults in {files} files with {vectors} vectors 处错误").format(
                faults=len(found.faults), files=found.files, vectors=found.vectors
            ),
            err=True,
        )
    ctx.exit(FAULTY if found.faults else 0)


@vectors.command("refused")
@click.option("--card", "code", required=True, metavar="CODE", help="The card's identification code, 32 hex digits.")
@click.option("--forget", metavar="KEY", multiple=True, help="Let this be tried again: a key's name, or PIN.")
@targets.json_option
def refused(code: str, forget: tuple[str, ...], *, as_json: bool) -> None:
    """Show which keys and PIN a card refused in earlier runs, so that they are not tried on it again."""
    try:
        card = bytes.fromhex(code)
    except ValueError:
        raise click.BadParameter(_("expected 32 hex digits"), param_hint="--card") from None
    note = SpentKeys()
    known = note.refused(card)
    for name in forget:
        if name not in known:
            raise click.BadParameter(
                _("nothing is noted of {name!r}{guess}").format(name=name, guess=guess(name, known)),
                param_hint="--forget",
            )
        note.forget(card, name)
    left = note.refused(card)
    if as_json:
        click.echo(json.dumps({name: {"left": one.left, "date": one.date} for name, one in left.items()}, indent=1))
        return
    for name, one in left.items():
        tries = _("{left} tries left").format(left=one.left) if one.left is not None else ""
        click.echo(f"{name}  {one.date}  {tries}".rstrip())
    if not left:
        click.echo(_("this card refused nothing that is noted 没有记录"), err=True)


@vectors.command("matrix")
@targets.json_option
def show_matrix(*, as_json: bool) -> None:
    """Show which items of the standard the vectors cover, by version and algorithm; gaps are shown."""
    rows = coverage.matrix(vectors_.find([home()]), home())
    if as_json:
        click.echo(json.dumps({row.id: {**row.cells, "proof": row.proof} for row in rows}, indent=1))
    else:
        click.echo(coverage.markdown(rows), nl=False)


@vectors.command("generate")
@click.option("--out", type=FOLDER, help="[the program's own vectors/generated]")
def generate_vectors(out: Path | None) -> None:
    """Write the vectors that follow from the layouts and the command list."""
    number = generate.write(out or home() / "generated")
    click.echo(_("{number} vectors").format(number=number))


COMMANDS = (vectors,)
