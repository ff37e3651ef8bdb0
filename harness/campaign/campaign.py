"""A campaign: shards of all its parts, for so long or so many, here or on many machines; and what it comes to."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from emulator.messages import _
from harness.campaign import shard as shards
from harness.campaign.finding import Finding
from harness.campaign.session import Kind, Planted
from harness.campaign.shard import CASES, FINITE, Outcome, Part, Shard, by_id, flows, scenarios_by_id, sound
from harness.proving.executor import Done, Runs
from harness.verdicts.causes import Cause
from harness.verdicts.log import Line
from harness.verdicts.subject import Grade, Proof, Subject
from harness.verdicts.verdict import Result, Verdict

MOST_FINDINGS = 20
"""Different findings after which nothing more is begun: somebody should look first."""
TITLES = {
    Part.VECTORS: ("Vectors on every profile", "全部向量"),
    Part.FIELD: ("What public programs send", "公开程序的流程"),
    Part.SCENARIOS: ("Scenarios of the Measures", "办法的场景"),
    Part.COMMANDS: ("Commands by chance against the model", "随机命令对照模型"),
    Part.FLOWS: ("The field's flows, harmed", "改动后的公开程序流程"),
    Part.TEARS: ("Power cut at every write", "每次写入时断电"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """``minutes``: nothing is begun after them, None: no end but ``rounds``'s; ``rounds``: so many shards of each kind
    of work by chance, None: as many as there is time for. One of both is given.
    """

    kinds: tuple[Kind, ...]
    parts: tuple[Part, ...] = tuple(Part)
    seed: int = 0
    minutes: float | None = None
    rounds: int | None = None
    planted: Planted = sound


@dataclass(slots=True)
class Campaign:
    """What came of a plan. ``commands``: how many were sent by chance, by part and profile; ``findings``: one for each
    signature; ``troubles``: shards that gave nothing; ``done``: how many gave something or nothing.
    """

    plan: Plan
    results: list[Result] = field(default_factory=list)
    findings: dict[tuple[object, ...], Finding] = field(default_factory=dict)
    commands: Counter[tuple[Part, str]] = field(default_factory=Counter)
    troubles: list[Result] = field(default_factory=list)
    done: int = 0
    interrupted: bool = False
    _finite: dict[Part, int] = field(default_factory=dict)
    _failed: dict[tuple[Part, str], set[tuple[object, ...]]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def run(self, runs: Runs, told: Callable[[Campaign], object] = lambda _one: None) -> None:
        """Does it all; ``told`` after each shard. CannotRun, ClusterLost: then what stands here is of what was done."""
        self._began = time.monotonic()
        completed = runs.completed(partial(shards.play, planted=self.plan.planted), self.asked())
        try:
            for one in completed:
                self._take(one)
                told(self)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            completed.close()

    def prepare(self) -> None:
        """Loads what all shards work with, for the processes that are forked from this one."""
        by_id()
        for kind in self.plan.kinds if Part.FLOWS in self.plan.parts else ():
            flows(kind)
        if Part.SCENARIOS in self.plan.parts:
            scenarios_by_id()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    @property
    def share(self) -> float | None:
        """How much of its time is over, from 0 to 1; None where it has no end in time."""
        return min(1.0, self.seconds / (60 * self.plan.minutes)) if self.plan.minutes is not None else None

    def _over(self) -> bool:
        if len(self.findings) >= MOST_FINDINGS:
            return True
        return self.plan.minutes is not None and self.seconds >= 60 * self.plan.minutes

    def asked(self) -> Iterator[Shard]:
        """Every shard in its turn, for as long as the plan has it."""
        finite = list(self._cases())
        self._finite = dict(Counter(one.part for one in finite))
        endless = self._by_chance()
        for one in _mixed(finite, endless, {part for part in self.plan.parts if part not in FINITE}):
            if self._over():
                return
            yield one

    def _cases(self) -> Iterator[Shard]:
        """Vectors and scenarios, some of each in turn."""
        rows: list[Iterator[Shard]] = []
        for part in (one for one in FINITE if one in self.plan.parts):
            for kind in self.plan.kinds:
                ids = _ids(part, kind)
                pieces = [ids[at : at + CASES] for at in range(0, len(ids), CASES)]
                rows.append(iter([Shard(part, at, kind, ids=tuple(piece)) for at, piece in enumerate(pieces)]))
        for row in itertools.zip_longest(*rows):
            yield from (one for one in row if one is not None)

    def _by_chance(self) -> Iterator[Shard]:
        parts = [one for one in self.plan.parts if one not in FINITE]
        cases = [(part, kind) for part in parts for kind in self.plan.kinds if _serves(part, kind)]
        numbers = itertools.count() if self.plan.rounds is None else range(self.plan.rounds)
        if not cases:
            return
        for number in numbers:
            for part, kind in cases:
                yield Shard(part, number, kind, self.plan.seed)

    def _take(self, done: Done[Shard, Outcome]) -> None:
        self.done += 1
        shard, found = done.asked, done.found
        if found is None:
            subject = _subject(shard.part)
            reason = _("shard {number}: {trouble}").format(number=shard.number, trouble=done.trouble)
            self.troubles.append(
                Result(subject, shard.kind.name, Verdict.UNDEFINED, reason, 0.0, cause=Cause.OUR_FAULT)
            )
            return
        if shard.part in FINITE:
            self._finite[shard.part] -= 1
        self.results += found.results
        self.commands[shard.part, shard.kind.name] += found.commands
        if found.finding is not None:
            self._keep(found.finding)
            self._failed.setdefault((shard.part, shard.kind.name), set()).add(found.finding.wrong.signature)

    def _keep(self, finding: Finding) -> None:
        """The shortest of those with one signature, on any kind of card; of two as short, the one whose id is less."""
        signature = finding.wrong.signature
        known = self.findings.get(signature)
        if known is None or (len(finding.deeds), finding.id) < (len(known.deeds), known.id):
            self.findings[signature] = finding

    def verdicts(self) -> list[Result]:
        """All results, in an order that does not depend on who did what when: of vectors and scenarios each its own, of
        work by chance one for each part and kind of card, and one for each finding.
        """
        made = sorted(self.results, key=lambda one: (one.subject.id, one.profile))
        for finding in sorted(self.findings.values(), key=lambda one: one.id):
            lines = tuple(_lines(finding))
            made.append(Result(finding.subject, finding.kind.name, Verdict.FAILED, finding.words, 0.0, lines))
        for part in self.plan.parts:
            if part in FINITE:
                made += self._unfinished(part)
                continue
            for kind in self.plan.kinds:
                made.append(self._of_chance(part, kind))
        return made + sorted(self.troubles, key=lambda one: (one.subject.id, one.profile, one.reason))

    def _unfinished(self, part: Part) -> list[Result]:
        left = self._finite.get(part, 0)
        if left > 0:
            reason = _("{count} shards were not reached: give it more --minutes").format(count=left)
        elif part not in self._finite:
            reason = _("there is none for these kinds of card")
        else:
            return []
        profile = ", ".join(one.name for one in self.plan.kinds)
        verdict = Verdict.MISSING if left > 0 else Verdict.NOT_APPLICABLE
        return [Result(_subject(part), profile, verdict, reason, 0.0, cause=Cause.OTHER if left > 0 else "")]

    def _of_chance(self, part: Part, kind: Kind) -> Result:
        subject, sent = _subject(part), self.commands[part, kind.name]
        if not _serves(part, kind):
            reason = _("the model tells of no such card")
            return Result(subject, kind.name, Verdict.NOT_APPLICABLE, reason, 0.0)
        if not sent:
            return Result(
                subject, kind.name, Verdict.MISSING, _("no command was sent: give it more --minutes or --rounds"), 0.0,
                cause=Cause.OTHER,
            )  # fmt: skip
        reason = _("{count} commands").format(count=sent)
        failed = sorted(self.findings[one].id for one in self._failed.get((part, kind.name), ()))
        if failed:
            reason = _("{count} commands, and what failed is {ids}").format(count=sent, ids=", ".join(failed))
        return Result(subject, kind.name, Verdict.FAILED if failed else Verdict.PASSED, reason, 0.0)


def _mixed(finite: Sequence[Shard], endless: Iterator[Shard], by_chance: set[Part]) -> Iterator[Shard]:
    """Cases and work by chance in turn, so that whatever the time, there is some of each."""
    turn = max(1, len(by_chance))
    for one in finite:
        yield one
        yield from itertools.islice(endless, turn)
    yield from endless


def _serves(part: Part, kind: Kind) -> bool:
    if part in (Part.COMMANDS, Part.TEARS):
        return kind.told_of
    return True


def _ids(part: Part, kind: Kind) -> list[str]:
    if part is Part.SCENARIOS:
        return sorted(name for name, one in scenarios_by_id().items() if kind.name in one.cards)
    return sorted(
        name
        for name, one in by_id().items()
        if (one.proof is Proof.FIELD) == (part is Part.FIELD) and one.applies(kind.version, kind.algorithm)
    )


def _subject(part: Part) -> Subject:
    title, title_zh = TITLES[part]
    return Subject(f"CAMPAIGN-{part.upper()}", title, title_zh, "", Grade.OWN, "[D]", proof=Proof.OWN)


def _lines(finding: Finding) -> Iterator[Line]:
    from emulator import catalogue

    layout = catalogue.layout(finding.kind.layout)
    for number, (command, answer) in enumerate(finding.sent, 1):
        reason = finding.wrong.words if number == len(finding.sent) else ""
        yield Line(command, answer, reason, layout=layout, step=number)
