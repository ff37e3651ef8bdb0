"""The baseline of known failures, for every command that judges: what of it fails no more, and writing one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.messages import _
from emulator.textfiles import text as textfile
from emulator.textfiles import writing
from harness.cli import usage
from harness.cli.lines import say
from harness.verdicts import baseline
from harness.verdicts.verdict import Result, Verdict

F = TypeVar("F", bound=Callable[..., Any])
OPEN = (Verdict.UNDEFINED, Verdict.MISSING)


def write_option(function: F) -> F:
    """Adds ``--write-baseline``, handed on as ``new_baseline``; a file that is no baseline is wrong usage."""
    return click.option(
        "--write-baseline", "new_baseline", type=click.Path(dir_okay=False, path_type=Path), callback=_checked,
        help="Write what fails to this baseline; of one that is there, lines of what fails no more go.",
    )(function)  # fmt: skip


def _checked(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Before anything is run."""
    del ctx, parameter
    if value is not None:
        with usage.of():
            baseline.check(_text(value), value)
        if not value.parent.is_dir():
            raise click.BadParameter(_("{folder}: there is no such folder").format(folder=value.parent))
    return value


def _text(path: Path) -> str:
    """Of a file that may be empty, or not there yet."""
    return textfile.read(path) if path.exists() and path.stat().st_size else ""


def settle(results: Sequence[Result], known: Collection[str], to: Path | None, *, cut_short: bool = False) -> None:
    """At the end of a run: says on stderr which known failures are none any more, and writes ``to``. OSError.

    Nothing is written, and that is said, where not all was run or nothing was judged.
    """
    verdicts = [(one.subject.id, str(one.verdict)) for one in results]
    if names := baseline.stale(known, verdicts):
        say(_("stale baseline 基线中已不再失败: {names}").format(names=", ".join(names)), err=True)
    if to is None:
        return
    before = _text(to)
    try:
        if cut_short:
            raise baseline.NoBaseline(_("not all was run"))
        text = baseline.updated(before, results)
    except baseline.NoBaseline as why:
        say(_("{path} was not written 未写基线: {why}").format(path=to, why=why), err=True)
        return
    with writing.named(to):
        to.write_text(text, encoding="utf-8", newline="")
    old, new = baseline.ids(before), baseline.ids(text)
    say(
        _("{path}: {count} known failures 已知未通过, {more} new 新增, {less} gone 删去").format(
            path=to, count=len(new), more=len(new - old), less=len(old - new)
        ),
        err=True,
    )
    if count := len({name for name, verdict in verdicts if verdict in OPEN}):
        click.echo(_("{count} could not be judged, and are not in it 未判定者不写入").format(count=count), err=True)
