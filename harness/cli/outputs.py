"""Where a report goes and what it is of, for every command that writes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness import extras
from harness.cli import usage
from harness.trace import read
from harness.trace.copy import masked_copy
from harness.verdicts import environment as environments
from harness.verdicts import report
from harness.verdicts.environment import Environment
from harness.verdicts.manifest import Goal

F = TypeVar("F", bound=Callable[..., Any])
GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
"""What of a command is told in a report: what the command line said, and the user's file of defaults."""
HARMLESS = frozenset(
    (
        "only", "items", "profiles", "required", "reader", "psam_reader", "names", "cells", "product", "tester",
        "profile", "step",
    )
)  # fmt: skip
"""Parameters of free text that hold nothing of a person or a card, by their names in the code."""
PLACES = frozenset(("layout", "persona", "keys"))
"""Parameters that are a name or the path of a file."""
MASKED = "***"
PDF, PDF_VARIABLE = "sscard.pdf", "SSCARD_PDF"
OPTION = re.compile(r"-[A-Za-z]|--[a-z][a-z-]*")
"""An option's name, with no value behind it."""
PLACEHOLDER = re.compile(r"\{(pin|situation)\}")


def report_goal(folder: Path | None, sign: Path | None) -> Goal | None:
    """Where --report and --sign put a report, before anything is run; a usage error for --sign alone. ReportError."""
    with usage.of_command(report.SignedNothing):
        wanted = bool(click.get_current_context().meta.get(PDF, True))
        return report.goal(folder, sign, pdf=wanted, note=_note)


def _note(text: str) -> None:
    click.echo(f"sscard: {text}", err=True)


def pdf_option(function: F) -> F:
    """Adds ``--pdf/--no-pdf``, which ``report_goal`` looks up."""

    def keep(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        del parameter
        context.meta[PDF] = value

    return click.option(
        "--pdf/--no-pdf", default=True, expose_value=False, callback=keep, envvar=PDF_VARIABLE,
        help=f"Write report.pdf too, where WeasyPrint is; or ${PDF_VARIABLE}. [--pdf]",
    )(function)  # fmt: skip


def tester_option(function: F) -> F:
    """Adds ``--tester``."""
    return click.option("--tester", default="", metavar="NAME", help="Who tested, for the report.")(function)


def environment(
    tester: str = "", *, reader: str = "", seed: int | None = None, recorded: bool = False, readers: bool = False,
    program: Sequence[str] = (),
) -> Environment:  # fmt: skip
    """What a run that begins now is made with. ``readers``: it uses PC/SC; ``program``: what stands after ``--``."""
    context = click.get_current_context()
    options = (*options_of(context), *(("--", *program_of(program)) if program else ()))
    return Environment(tester, reader, options, seed, recorded, environments.versions(readers=readers or bool(reader)))


def options_of(context: click.Context) -> Iterator[str]:
    """The command line as it may stand in a report: paths as the names of their files, and asterisks for every value
    that is not known to be harmless.
    """
    yield from context.command_path.split(" ")[1:]
    for one in context.command.params:
        if one.name is None or context.get_parameter_source(one.name) not in GIVEN:
            continue
        given = context.params.get(one.name, context.meta.get(f"sscard.{one.name}"))  # kept apart, as --pdf is
        name = one.opts[-1] if isinstance(one, click.Option) else ""
        if isinstance(one, click.Option) and (one.is_flag or one.count):
            name = one.secondary_opts[-1] if given is False and one.secondary_opts else name
            yield from [name] * (int(given) if one.count and given is not None else 1)
            continue
        for value in given if isinstance(given, tuple | list) else (given,):
            if name:
                yield name
            yield _harmless(one, value)


def _harmless(parameter: click.Parameter, value: object) -> str:
    kind = parameter.type
    if isinstance(kind, click.Path) or parameter.name in PLACES:
        return Path(str(value)).name
    if isinstance(kind, click.DateTime) and isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    told = isinstance(kind, click.Choice | click.types.IntParamType | click.types.FloatParamType)
    return str(value) if told or parameter.name in HARMLESS else MASKED


def program_of(program: Sequence[str]) -> Iterator[str]:
    """A program and its arguments as they may stand in a report: names of options, and what stands for the card's PIN
    and the situation; the rest is masked.
    """
    yield Path(program[0]).name
    for argument in program[1:]:
        name, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
        if name and not OPTION.fullmatch(name):
            name, equals, value = "", "", argument
        yield name + equals + (value if not value or PLACEHOLDER.fullmatch(value) else MASKED)


def session_of(trace: Path) -> dict[str, Any]:
    """What names the session of a trace in a report."""
    date = datetime.fromtimestamp(trace.stat().st_mtime).astimezone().isoformat(timespec="seconds")
    return report.session_of(trace.read_bytes(), list(read.events(trace)), date)


def trace_copy(trace: Path, layout: Layout | None) -> str:
    """The trace, masked, for a report."""
    return "".join(masked_copy(read.events(trace), layout or read.layout_of(trace)))


def write(
    to: Goal, table: dict[str, Any], trace: Path | None = None, layout: Layout | None = None,
    psam: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """A report; of a recording that was judged also its masked copy, and that as a page. OSError."""
    copy = trace_copy(trace, layout) if trace is not None else ""
    report.write(to, table, copy, _trace_page(copy, layout, psam) if copy else "")


def _trace_page(copy: str, layout: Layout | None, psam: tuple[int, ...]) -> str:
    """The page of a masked trace; empty where what makes it is not installed, which is told."""
    try:
        from harness.studio.session import page
        from harness.studio.session.sessions import recorded
    except ModuleNotFoundError as error:
        lacking = extras.missing(error, report.TRACE_PAGE)
        if lacking is None:
            raise
        _note(_("there is no {name}: {lack}").format(name=report.TRACE_PAGE, lack=lacking))
        return ""
    session = recorded(report.TRACE, copy.encode(), layout, psam=psam)
    return page.page(session.rows(), session.summary())


def cut_short(done: str, folder: Path | None) -> str:
    """What is said of a run that Ctrl-C ended, and of its report where it wrote one."""
    if folder is None:
        return _("{done}; what stands here is of those").format(done=done)
    return _("{done}; what stands here is of those, and so is {folder}").format(done=done, folder=folder)
