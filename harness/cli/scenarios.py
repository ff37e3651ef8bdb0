"""scenarios: what the Measures ask, run on the office, and other counter software judged by them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emulator.errors import NotFound
from emulator.messages import _, chinese_first, told
from emulator.textfiles import writing
from emulator.version import VERSION
from harness.cli import baselines, interrupt, outputs, progress, usage
from harness.cli import card_options as targets
from harness.cli.lines import say
from harness.cli.progress import ForPrograms
from harness.cli.vectors import BAD, FILE, FOLDER
from harness.cli.verdict_lines import TONES, say_counts
from harness.conformance.vector import OFFICE, home
from harness.office.measures.articles import cited
from harness.verdicts import conclusion, report
from harness.verdicts import environment as environments
from harness.verdicts.conclusion import Asked
from harness.verdicts.environment import Environment
from harness.verdicts.report import Context
from harness.verdicts.verdict import UNCERTAIN, Result, Verdict, in_words

if TYPE_CHECKING:
    from harness.scenarios.model import Scenario

PATHS = click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))


@click.group()
def scenarios() -> None:
    """Scenarios of the Measures (四川省社会保障卡经办管理办法): run, list, judge other software by them."""


ID = re.compile(r"^id: (\S+)$", re.MULTILINE)


def _own_ids() -> list[str]:
    return [one for file in sorted((home() / OFFICE).rglob("*.yaml")) for one in ID.findall(file.read_text("utf-8"))]


def _found(paths: tuple[Path, ...], only: tuple[str, ...] = ()) -> list[Scenario]:
    if only and not paths:
        targets.check_only(only, _own_ids())  # reading the scenarios themselves takes a while

    from harness.scenarios import model

    found = targets.picked(model.find(list(paths) or [home() / OFFICE]), only)
    if not found:
        raise click.UsageError(_("no scenario is meant by that"))
    return found


@scenarios.command("run")
@PATHS
@click.option("--only", metavar="ID", multiple=True, help="These scenarios; * stands for anything.")
@click.option(
    "--profile", "profiles", metavar="VERSION-ALGORITHM", multiple=True, help="Like 3.00-sm4. [each scenario's own]"
)
@click.option("--against", "url", metavar="URL", help="Drive another maker's office over HTTP, by --adapter.")
@click.option("--adapter", metavar="FILE|sscard", help="With --against: how that office is asked; `sscard`: our own.")
@targets.baseline_option
@baselines.write_option
@click.option("--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option("--sign", type=FILE, help="With --report: sign with this Ed25519 key (PEM).")
@outputs.pdf_option
@click.option("--product", default="", help="What was tested, and its version.")
@outputs.tester_option
@targets.show_secrets_option
@targets.json_option
@progress.option
@click.pass_context
def run_scenarios(
    ctx: click.Context,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    profiles: tuple[str, ...],
    url: str | None,
    adapter: str | None,
    known: frozenset[str],
    new_baseline: Path | None,
    folder: Path | None,
    sign: Path | None,
    progress_as: str,
    product: str,
    tester: str,
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Run scenarios on fresh registers and virtual cards: of these files and folders, or all that there are.

    With --against they are done by another office, over HTTP. What its adapter does not have is not judged.

    Exit code 0: nothing failed; 1: something failed; 4: nothing failed, but something could not be judged.
    """
    from harness.scenarios import matrix, runner
    from harness.scenarios.checking import PROFILES

    to = outputs.report_goal(folder, sign)
    if (url is None) != (adapter is None):
        raise click.UsageError(_("--against says where the office is, --adapter how it is asked: name both"))
    if strange := [one for one in profiles if one not in PROFILES]:
        raise click.BadParameter(
            _("{profile}: expected one of {known}").format(profile=strange[0], known=", ".join(PROFILES)),
            param_hint="--profile",
        )
    environment = outputs.environment(tester)
    chosen = _found(paths, only)
    targets.check_baseline(known, [one.id for one in (*_found(()), *_found(paths))] if known else ())
    results: list[Result] = []
    words = _("the office of sscard {version}, virtual cards").format(version=VERSION)
    run = runner.run(chosen, profiles)
    if url is not None and adapter is not None:
        run, words = _against(url, adapter, chosen, profiles)
    total = sum(len(profiles or one.cards) for one in chosen)
    if progress_as == progress.JSON:
        told = ForPrograms(total).over(run, lambda one: (one.subject.id, one.verdict in BAD))
        cut_short = interrupt.gathered(told, results)
    elif as_json or not sys.stderr.isatty():
        cut_short = interrupt.gathered(run, results)
    else:
        with progress.bar(run, total, _("scenarios")) as shown:
            cut_short = interrupt.gathered(shown, results)
    done = _("{count} of {total} scenarios were run 个场景已运行").format(count=len(results), total=total)
    words += _("; interrupted: {done}").format(done=done) if cut_short else ""
    context = _context(words, profiles, known, product, environment)
    context = replace(context, asked=Asked(cut_short=cut_short))
    table = report.as_table(results, matrix.rows(chosen), context, show_secrets=show_secrets)
    if to is not None:
        report.write(to, table)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _print(results, known, show_secrets=show_secrets)
    baselines.settle(results, known, new_baseline, cut_short=cut_short)
    if cut_short:
        interrupt.tell(outputs.cut_short(done, folder))
        ctx.exit(interrupt.INTERRUPTED)
    ctx.exit(_code(results, known))


def _against(url: str, adapter: str, chosen: list[Scenario], profiles: tuple[str, ...]) -> tuple[Iterator[Result], str]:
    """The results of another maker's office, and what reports call it."""
    from harness.scenarios.against import adapter as adapters
    from harness.scenarios.against import client, runner

    known = adapters.load(adapters.path_of(adapter))
    with usage.of("--against", client.AgainstError):
        place = client.address(url)
    words = _("{office} over HTTP, {url}").format(office=known.office, url=place)
    return runner.run(place, known, chosen, profiles), words


def _context(
    target: str, profiles: tuple[str, ...], known: frozenset[str], product: str, environment: Environment
) -> Context:
    from harness.scenarios import matrix

    date = environments.now()
    return Context(
        target, ", ".join(profiles) or _("each scenario's own"), date, product, known, matrix.NOTE, matrix.BASIS,
        environment=environment,
    )  # fmt: skip


def _code(results: list[Result], known: frozenset[str]) -> int:
    return conclusion.of_results(results, known).exit_code


def _print(results: list[Result], known: frozenset[str], *, show_secrets: bool) -> None:
    for one in results:
        if one.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE):
            continue
        mark = _(" (known 已知)") if one.subject.id in known else ""
        said = f"{one.subject.id} [{one.profile}]: {in_words(one.verdict)}{mark}: {one.reason}"
        say(said, tone=TONES.get(one.verdict))
        for text in told(one.subject.title, one.subject.title_zh):
            say(f"  {text}")
        say(f"  {one.subject.source}")
        for line in report.trace_lines(one.trace[-4:], show_secrets=show_secrets):
            say(f"  → {line['command']}  {line['words']}", f"  ← {line['answer']}  {line['meaning']}")
    say_counts(one.verdict for one in results)


@scenarios.command("list")
@PATHS
@targets.json_option
def list_scenarios(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """List scenarios: id, articles, title; with --json also the steps that other software can be given."""
    found = _found(paths)
    if not as_json:
        for one in found:
            say(f"{one.id}  {cited(*one.articles)}  {chinese_first(one.title, one.title_zh)}")
        return
    rows = [
        {
            "id": one.id,
            "articles": [f"{each.article}.{each.paragraph}" for each in one.articles],
            "title": one.title,
            "title_zh": one.title_zh,
            "grade": one.grade,
            "source": one.source,
            "cards": one.cards,
            "steps": [
                {"number": at, "name": step.name, "do": step.operation}
                for at, step in enumerate(one.steps, 1)
                if step.for_software
            ],
        }
        for one in found
    ]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=1))


@scenarios.command("matrix")
@click.option("--markdown", is_flag=True, help="As docs/reference/articles.md.")
@targets.json_option
def show_matrix(*, markdown: bool, as_json: bool) -> None:
    """Show which scenarios show which article; gaps, and what binds people alone, are shown too."""
    from harness.scenarios import matrix

    found = _found(())
    if as_json:
        click.echo(json.dumps({row.id: row.cells for row in matrix.rows(found)}, indent=1))
    elif markdown:
        click.echo(matrix.markdown(found), nl=False)
    else:
        for row, paragraph in zip(matrix.rows(found), matrix.paragraphs(), strict=True):
            ids = sorted({each for cell in row.cells.values() for each in cell})
            gap = chinese_first(paragraph.text.reason or "", paragraph.text.reason_zh or "", "；") or _("none 缺")
            click.echo(f"{row.id:5} {cited(paragraph)}  {_(row.title)}  {' '.join(ids) or '– ' + gap}")


SCENARIO = click.argument("name", metavar="SCENARIO")
PATH_OPTION = click.option(
    "--path", "paths", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="Files or folders of scenarios. [the program's own]",
)  # fmt: skip
PROFILE = click.option("--profile", default="", metavar="VERSION-ALGORITHM", help="[3.00-3des, if it is for that]")


def _one(name: str, paths: tuple[Path, ...]) -> Scenario:
    found = _found(paths, (name,))
    if len(found) > 1:
        raise click.BadParameter(
            _("{count} scenarios are meant by {name}").format(count=len(found), name=name), param_hint="SCENARIO"
        )
    return found[0]


@scenarios.command("card")
@SCENARIO
@click.option("--before", "step", required=True, metavar="STEP", help="The step that other software is to do.")
@click.option("--image", required=True, type=FILE, help="Write the card here; an existing file is never overwritten.")
@PROFILE
@PATH_OPTION
@targets.show_secrets_option
def card(name: str, step: str, image: Path, profile: str, paths: tuple[Path, ...], *, show_secrets: bool) -> None:
    """Write the card as a scenario has it just before a step, and say what is to be done with it."""
    from pydantic import SecretStr

    from harness.office.operations import ALL
    from harness.scenarios import judge as judging

    with (
        usage.of("--before", NotFound),
        judging.before(_one(name, paths), step, profile) as (play, asked, number),
    ):
        with writing.named(image), image.open("x", encoding="utf-8") as file:
            file.write(judging.card_of(play, number).to_text())
        operation, request = ALL[asked.operation], play.request(asked)
    click.echo(_("{image}: card {number} 卡{number}").format(image=image, number=number))
    click.echo(_("to be done 待办业务: {zh} {en}").format(zh=operation.zh, en=operation.en))
    for field, value in request.model_dump(mode="json", exclude_defaults=True).items():
        secret = getattr(request, field)
        if show_secrets and isinstance(secret, SecretStr):
            value = secret.get_secret_value()
        say(f"  {field}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    click.echo(
        _("expected 预期: {outcome}").format(outcome=asked.expected)
        + (f" ({asked.around.rule})" if asked.around.rule else "")
    )


@scenarios.command("judge")
@SCENARIO
@click.option("--step", required=True, metavar="STEP", help="The step that the software did, by name or number.")
@click.option("--trace", required=True, type=FILE, help="What it sent, as `sscard run --trace` recorded it.")
@click.option("--slot", type=click.IntRange(0), default=0, show_default=True, help="The slot of the card.")
@PROFILE
@PATH_OPTION
@click.option("--report", "folder", type=FOLDER, help="Write report.json, junit.xml and report.html here.")
@click.option("--sign", type=FILE, help="With --report: sign with this Ed25519 key (PEM).")
@outputs.pdf_option
@click.option("--product", default="", help="What was tested, and its version.")
@outputs.tester_option
@targets.show_secrets_option
@targets.json_option
@click.pass_context
def judge(
    ctx: click.Context,
    name: str,
    step: str,
    trace: Path,
    slot: int,
    profile: str,
    paths: tuple[Path, ...],
    folder: Path | None,
    sign: Path | None,
    product: str,
    tester: str,
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Judge counter software by what it did to a step's card, from its recording.

    Exit code 0: passed, or a warning; 1: failed; 4: it could not be judged.
    """
    from harness.scenarios import judge as judging

    to = outputs.report_goal(folder, sign)
    environment = outputs.environment(tester, recorded=True)
    scenario = _one(name, paths)
    with usage.of("--step", NotFound):
        result = judging.judge(scenario, step, trace, slot=slot, profile=profile)
    words = _("{product}: {name}, step {step}").format(
        product=product or _("counter software 柜面软件"), name=trace.name, step=step
    )
    context = _context(words, (result.profile,), frozenset(), product, environment)
    context = replace(context, session=outputs.session_of(trace))
    table = report.as_table([result], [], context, show_secrets=show_secrets)
    if to is not None:
        outputs.write(to, table, trace)
    if as_json:
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _print([result], frozenset(), show_secrets=show_secrets)
    ctx.exit(1 if result.verdict is Verdict.FAILED else UNCERTAIN if result.verdict in UNJUDGED else 0)


@scenarios.group("adapter")
def adapter_() -> None:
    """How another maker's office is asked over HTTP, for `scenarios run --against`: begun, checked."""


@adapter_.command("new")
@click.argument("file", type=FILE, required=False)
def new_adapter(file: Path | None) -> None:
    """Write a commented adapter to begin with, to FILE or standard output; a file that is there stays."""
    from harness.scenarios.against import adapter as adapters

    if file is None:
        click.echo(adapters.template(), nl=False)
        return
    with writing.named(file), file.open("x", encoding="utf-8") as to:
        to.write(adapters.template())


@adapter_.command("check")
@click.argument("file", metavar="FILE|sscard")
@targets.json_option
@click.pass_context
def check_adapter(ctx: click.Context, file: str, *, as_json: bool) -> None:
    """Check an adapter: its form, its expressions, its words; and what scenarios do that it does not have.

    Nothing is sent. Exit code 0: it can be used; 1: it cannot.
    """
    from harness.scenarios.against import adapter as adapters

    path = adapters.path_of(file)
    checked = adapters.check(path)
    gaps = adapters.gaps(checked.adapter, _found(())) if checked.adapter is not None else []
    if as_json:
        faults = [{"line": one.line, "text": one.what} for one in checked.faults]
        click.echo(json.dumps({"faults": faults, "missing": gaps}, ensure_ascii=False, indent=1))
    else:
        for one in checked.faults:
            say(f"{path}:{one.line}: {one.what}" if one.line else f"{path}: {one.what}")
        for gap in gaps:
            say(_("not there: {gap}; scenarios that need it are not judged").format(gap=gap))
        if not checked.faults:
            say(_("{path}: the adapter can be used").format(path=path))
    ctx.exit(1 if checked.faults else 0)


@scenarios.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8646, show_default=True, help="0 takes a free one.")
def serve_office(port: int) -> None:
    """Serve our own office with what scenarios need besides (/bench), on this machine alone, until Ctrl-C.

    A register that is thrown away, virtual cards, a clock that stands still: for makers who build an adapter, and to
    see what theirs should offer. Nobody need sign in to /bench.
    """
    from harness.scenarios.against import bench
    from harness.web import app as web

    with bench.served() as app:
        web.serve(app, web.LOOPBACK, port)


UNJUDGED = (Verdict.MISSING, Verdict.UNDEFINED, Verdict.NOT_APPLICABLE)
COMMANDS = (scenarios,)
