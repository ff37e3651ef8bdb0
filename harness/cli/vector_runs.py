"""What `vectors run` says and asks while it runs: the plan, how far it has come, one step at a time, the next card."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import click

from emulator.messages import _, chinese_first
from harness.cli import progress
from harness.cli.lines import say
from harness.conformance.models import Step
from harness.conformance.plan import Plan, Planned
from harness.conformance.targets.reader import CardInReader
from harness.conformance.vector import Vector
from harness.messages.visible import visible_line
from harness.readers import pcsc
from harness.verdicts import report
from harness.verdicts.causes import REMEDIES, not_judged
from harness.verdicts.log import Log
from harness.verdicts.verdict import Result, Verdict, in_words

EVERY = 15.0
"""Seconds between two lines that say how far a run has come, where nobody watches a bar."""
T = TypeVar("T")


# --- the plan ------------------------------------------------------------------------------------------------------


def plan_in_short(plan: Plan) -> Iterator[str]:
    """A few lines, before a run."""
    yield _("plan 计划: {target} ({profile})").format(target=plan.target, profile=plan.profile)
    yield _("{count} vectors are run; {costly} of them lower a counter or change the card, and come last").format(
        count=len(plan.run), costly=len(plan.costly)
    )
    if plan.tried:
        yield _("tried once before they are used, a try each if wrong: {names}").format(names=", ".join(plan.tried))
    if plan.pin_tries is not None:
        yield _("the PIN has {left} tries left").format(left=plan.pin_tries)
    for cause, planned in plan.not_judged().items():
        remedy = REMEDIES[cause]
        yield _("{count} will not be judged 不会判定: {cause} {cause_zh}; it takes {remedy} {remedy_zh}").format(
            count=len(planned), cause=cause, cause_zh=remedy.cause_zh, remedy=remedy.en, remedy_zh=remedy.zh
        )


def plan_in_full(plan: Plan) -> Iterator[str]:
    """All that is planned: what costs nothing by number, what costs something one by one and in order."""
    yield from plan_in_short(plan)
    for one in plan.costly:
        yield _costs(one)
    for planned in plan.not_judged().values():
        for one in planned:
            reason = one.refusal.reason if one.refusal else ""
            yield _("not judged {id}: {reason}").format(id=one.vector.id, reason=reason)


def _costs(one: Planned) -> str:
    lowers = ", ".join(_("{name} to {left}").format(name=name, left=left) for name, left in one.spends.items())
    told = [*([_("lowers {lowers}").format(lowers=lowers)] if lowers else []), *one.leaves]
    return _("run {id}: {costs}").format(id=one.vector.id, costs="; ".join(told))


# --- how far it is -------------------------------------------------------------------------------------------------


def progressing(results: Iterable[T], total: int, label: str, tell: Callable[[str], None] | None = None) -> Iterator[T]:
    """What comes, with a bar on a terminal, and elsewhere with a line on stderr every so often."""
    if sys.stderr.isatty():
        with progress.bar(results, total, label) as shown:
            yield from shown
        return
    tell = tell or (lambda text: say(text, err=True))
    told = began = time.monotonic()
    for count, one in enumerate(results, 1):
        yield one
        now = time.monotonic()
        if now - told >= EVERY:
            told = now
            tell(
                _("{label}: {count} of {total} after {seconds:.0f} s").format(
                    label=label, count=count, total=total, seconds=now - began
                )
            )


# --- one step at a time --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class StepByStep:
    """Shows what went over, says which step comes next, and waits. ``wait``: returns when the user wants it done."""

    wait: Callable[[], object]
    show_secrets: bool = False
    _shown: int = 0
    _vector: str = ""
    _log: Log = field(default_factory=Log)

    def begins(self, vector: Vector, number: int, step: Step, log: Log) -> None:
        """See ``runner.Stepper``."""
        if vector.id != self._vector:
            self._vector, self._shown, self._log = vector.id, 0, log
            say(f"{vector.id}  {chinese_first(vector.title, vector.title_zh)}", err=True)
        self._show()
        click.echo(visible_line(f"[{number}] {step.name}: {step.raw}"), err=True, nl=False)
        self.wait()

    def ended(self, result: Result) -> None:
        """A vector has its verdict."""
        if result.subject.id == self._vector:
            self._show()
        say(f"{result.subject.id}: {in_words(result.verdict)} {result.reason}".rstrip(), err=True)

    def _show(self) -> None:
        lines = report.trace_lines(self._log.lines, show_secrets=self.show_secrets)
        for line in lines[self._shown :]:
            say(*exchange_in_words(line), err=True)
        self._shown = len(lines)


def exchange_in_words(line: dict[str, str]) -> tuple[str, str]:
    """Two lines of a trace, with the step that they belong to."""
    step = f"[{line['step']}] " if "step" in line else ""
    return f"  {step}→ {line['command']}  {line['words']}", f"  ← {line['answer']}  {line['meaning']}"


# --- the next card -------------------------------------------------------------------------------------------------


class NextCard:
    """Has the card changed where one is used up: by a command of the user's, or by asking for it.

    ``opened``: the card in the reader, as a context; ``names``: the cards that the user named, of which each must be
    one where there are several; ``virtual``: a card may come again, as it is made afresh.
    """

    def __init__(
        self, stack: ExitStack, reader: str, opened: Callable[[], AbstractContextManager[CardInReader]],
        names: tuple[str, ...], command: str, *, virtual: bool,
    ) -> None:  # fmt: skip
        self._held = stack.enter_context(ExitStack())
        self._reader, self._opened, self._names, self._command = reader, opened, names, command
        self._virtual = virtual
        self._codes: set[str] = set()
        self.targets: list[str] = []

    def first(self) -> CardInReader:
        """The card that is there."""
        card = self._held.enter_context(self._opened())
        card.demand_named(self._names)
        self._take(card)
        return card

    def __call__(self, card: CardInReader, wanting: int) -> CardInReader | None:
        """See ``runner.NextCard``."""
        say(
            _("{count} vectors want another card 需要另一张卡: {profile}").format(
                count=wanting, profile=card.profile.name
            ),
            err=True,
        )
        self._held.close()
        while self._changed():
            if not pcsc.wait_card(self._reader):
                say(_("no card came into {reader}").format(reader=self._reader), err=True)
            else:
                another = self._held.enter_context(self._opened())
                wrong = self._wrong(another, card)
                if not wrong:
                    self._take(another)
                    return another
                say(f"{another.target}: {wrong}", err=True)
                self._held.close()
            if self._command:
                return None
        return None

    def _changed(self) -> bool:
        """True once the user says that another card is there."""
        if self._command:
            done = subprocess.run(
                shlex.split(self._command), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
            click.echo(done.stdout, err=True, nl=False)
            if done.returncode:
                click.echo(_("--swap-command ended with {code}").format(code=done.returncode), err=True)
            return not done.returncode
        try:
            click.prompt(
                _("put it in and press Enter, Ctrl-D to end 放入后按回车"), default="", show_default=False, err=True
            )
        except click.Abort:
            return False
        return True

    def _wrong(self, another: CardInReader, before: CardInReader) -> str:
        """Why a card is not the next one; empty if it is."""
        if another.identification in self._codes and not self._virtual:
            return _("this card was used up already")
        if another.profile.name != before.profile.name:
            return _("a card {wanted} is wanted, this one is {found}").format(
                wanted=before.profile.name, found=another.profile.name
            )
        if len(self._names) > 1 and not any(map(another.is_named, self._names)):
            return _("no --card names it")
        return ""

    def _take(self, card: CardInReader) -> None:
        self._codes.add(card.identification)
        self.targets.append(card.target)


# --- what came of it -----------------------------------------------------------------------------------------------


def open_questions(results: Iterable[Result]) -> Iterator[str]:
    """What was not judged, by cause, and what would mend it."""
    for one in not_judged(results):
        yield _("{count} not judged 未判定: {cause} {cause_zh}; it takes {remedy} {remedy_zh}").format(
            count=len(one.ids),
            cause=one.cause,
            cause_zh=one.remedy.cause_zh,
            remedy=one.remedy.en,
            remedy_zh=one.remedy.zh,
        )


def slowest(results: Iterable[Result], number: int) -> Iterator[str]:
    """The longest in time, the longest first."""
    run = [one for one in results if one.verdict is not Verdict.NOT_APPLICABLE]
    for one in sorted(run, key=lambda one: -one.seconds)[:number]:
        yield f"{one.seconds:8.3f} s  {one.subject.id} [{one.profile}]"


def stopping_at_first_failure(results: Iterable[Result], known: frozenset[str]) -> Iterator[Result]:
    """What comes, up to the first that failed and is in no baseline."""
    for one in results:
        yield one
        if one.verdict in (Verdict.FAILED, Verdict.UNDEFINED) and one.subject.id not in known:
            with contextlib.suppress(AttributeError):
                results.close()  # type: ignore[attr-defined]
            return
