"""A recorded session played on another card: a vector of it, run once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.cli import pins
from harness.cli.lines import say
from harness.conformance import recorded, runner
from harness.conformance import vector as vectors
from harness.conformance.recorded import Recorded
from harness.conformance.targets.reader import in_reader
from harness.conformance.targets.target import Target
from harness.conformance.targets.virtual import Virtual
from harness.conformance.vector import Vector
from harness.keys import roots
from harness.readers import pcsc
from harness.verdicts import report
from harness.verdicts.verdict import UNCERTAIN, Result, Verdict, in_words


@dataclass(frozen=True, slots=True)
class Receiver:
    """The card that a session is played on: the one ``named`` in a ``reader``, else a fresh virtual one of a persona.
    ``layout`` None: of a card in a reader, as it says; else the recorded card's.
    """

    reader: str | None
    named: str | None
    keys: str | None
    layout: str | None
    algorithm: str
    persona: str | None


def played(
    told: Recorded, file: Path, plan: Layout, on: Receiver, *, allow_destructive: bool, show_secrets: bool
) -> int:
    """Plays the steps and tells what came of them; the exit code."""
    with tempfile.TemporaryDirectory(prefix="sscard-sent-") as folder:
        vector = _vector(told, file, Path(folder, "sent.yaml"), on)
    with _target(on, plan) as target:
        result = runner.run_one(
            vector, target, allow_destructive=allow_destructive, strict=True, show_secrets=show_secrets
        )
    _tell(result, target, show_secrets=show_secrets)
    if result.verdict is Verdict.PASSED:
        return 0
    return 1 if result.verdict is Verdict.FAILED else UNCERTAIN


def _vector(told: Recorded, file: Path, path: Path, on: Receiver) -> Vector:
    """The steps as a vector for whatever card."""
    table = recorded.document(told, "RECORDED", _("recorded session {file}").format(file=file.name))
    if on.persona and not on.reader:
        table["persona"] = str(Path(on.persona).absolute()) if on.persona.endswith(".toml") else on.persona
    path.write_text(recorded.text(table, ""), encoding="utf-8")
    (vector,) = vectors.load(path)
    return replace(vector, path=str(file))


@contextlib.contextmanager
def _target(on: Receiver, plan: Layout) -> Iterator[Target]:
    if on.reader is None:
        yield Virtual(on.layout or plan.name, on.algorithm or "3des")
        return
    if on.named is None:
        raise click.UsageError(_("--reader needs --card: the ATR or identification code of the card that you mean"))
    known = catalogue.layout(on.layout) if on.layout else None
    with in_reader(pcsc.find_reader(on.reader), roots.load(on.keys), os.environ.get(pins.PIN, ""), known) as card:
        card.demand_named((on.named,))
        yield card


def _tell(result: Result, target: Target, *, show_secrets: bool) -> None:
    """The last exchanges, and the verdict."""
    for line in report.trace_lines(result.trace, show_secrets=show_secrets):
        say(f"→ {line['command']}  {line['words']}", f"← {line['answer']}  {line['meaning']}")
    why = f": {result.reason}" if result.reason else ""
    words = (
        _("passed answers as recorded 通过：应答与录制一致")
        if result.verdict is Verdict.PASSED
        else in_words(result.verdict)
    )
    say(f"{target.target}: {words}{why}")
