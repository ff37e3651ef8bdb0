"""What a proving came to, as the house's reports have it: a result for each run, one for each rule that was broken in
it, and one for each rule that had to come up and did not.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emulator.messages import _, deferred
from harness.monitor.monitor import as_subject
from harness.monitor.rules import RULES
from harness.proving import judging
from harness.proving.executor import Done
from harness.proving.one_run import not_run
from harness.proving.plan import PIN, ProvingPlan, pin_of
from harness.proving.runs import Check, Ending, RunRequest, RunResult
from harness.proving.situation import DEFAULT_LAYOUT, Situation
from harness.verdicts import environment as environments
from harness.verdicts.causes import Cause
from harness.verdicts.report import Context
from harness.verdicts.steps import StepResult
from harness.verdicts.subject import Grade, Proof, Subject
from harness.verdicts.verdict import Result, Verdict

NOTE = deferred(
    "每次运行按监视规则和方案的要求评判 Each run is judged by the monitor's rules and by what the plan expects"
)
BASIS = "sscard prove"
SOURCE = "expected by the plan of this proving [D]"
BROKEN = (Verdict.FAILED, Verdict.WARNING)


def again(plan: ProvingPlan, program: Sequence[str], situation: Situation, options: Sequence[str] = ()) -> str:
    """The command line that plays one situation again, the card's PIN in it as ``{pin}``."""
    pin = pin_of(situation)
    told = [one.replace(pin, PIN) if pin else one for one in program]
    named = [plan.path] if plan.path else []
    return shlex.join(["sscard", "prove", *named, "--situation", situation.name, *options, "--", *told])


def found(done: Done[RunRequest, RunResult]) -> RunResult:
    """What a run of the executor's came to."""
    return done.found if done.found is not None else not_run(done.asked, done.trouble)


def results(plan: ProvingPlan, runs: Mapping[str, RunResult], lines: Mapping[str, str]) -> list[Result]:
    """Every verdict, in the plan's order. ``lines``: by situation, what plays it again."""
    told: list[Result] = []
    for one in plan.cases:
        if (run := runs.get(one.situation.name)) is not None:
            told += _of_run(plan, one.situation, run, lines.get(one.situation.name, ""))
    return [*told, *unmet(plan, runs.values())]


def _of_run(plan: ProvingPlan, situation: Situation, run: RunResult, line: str) -> Iterator[Result]:
    broken = [one for one in run.rules if one.verdict in BROKEN]
    reason = "; ".join(run.reasons)
    if run.verdict not in (Verdict.PASSED, Verdict.NOT_APPLICABLE) and line:
        reason += _("; play it again: {line}").format(line=line)
    yield Result(
        subject=Subject(
            id=situation.name,
            title=situation.title or situation.name,
            title_zh=situation.title_zh or situation.title or situation.name,
            standard=BASIS,
            grade=Grade.OWN,
            source=SOURCE,
            path=plan.path,
            proof=Proof.OWN,
        ),
        profile=_profile(situation),
        verdict=run.verdict,
        reason=reason,
        seconds=run.seconds,
        trace=broken[0].trace if broken else (),
        heard=run.heard,
        cause=_cause(run),
        steps=tuple(_step(number, one) for number, one in enumerate(run.checks, 1)),
    )
    for one in broken:
        yield Result(one.subject, situation.name, one.verdict, one.reason, 0.0, one.trace, steps=one.steps)


CHECKS = {
    "exit": ("Its exit code", "退出码"),
    "card-used": ("It used the card", "使用了卡片"),
    "seconds": ("Its time", "用时"),
    "processes": ("It left no process behind", "未遗留进程"),
    "deadline": ("It ended in time", "按时结束"),
    "prints": ("It printed", "有输出"),
    "prints-not": ("It did not print", "无输出"),
    "output": ("All that it printed", "全部输出"),
    "card": ("What became of the card", "卡片的变化"),
    "card-whole": ("The card is whole", "卡片完整"),
    "run": ("It was run", "已运行"),
}
"""Checks of a run by their names, in words; others are named after a rule or a pattern."""
SAID = {Verdict.PASSED: True, Verdict.FAILED: False}


def _step(number: int, check: Check) -> StepResult:
    kind, __, more = check.what.partition(":")
    en, zh = CHECKS.get(kind, (kind, kind))
    more = f": {more}" if more else ""
    return StepResult(number, f"{en}{more}", f"{zh}{more}", SAID.get(check.verdict), check.reason)


def _profile(situation: Situation) -> str:
    return f"{situation.layout or DEFAULT_LAYOUT}-{situation.algorithm or '3des'}"


def _cause(run: RunResult) -> str:
    if run.ending is Ending.NOT_RUN:
        return Cause.NO_ANSWER
    return Cause.OTHER if run.verdict is Verdict.MISSING else ""


def unmet(plan: ProvingPlan, runs: Iterable[RunResult]) -> Iterator[Result]:
    """What the plan requires of all runs together and none gave cause to judge."""
    for name in judging.unmet(plan.require, (one for run in runs for one in run.rules)):
        rule = next(one for one in RULES if judging.names(name, one.id))
        reason = _(
            "in none of its runs did the program do anything that {rule} could be judged by: what it is for was not "
            "proven. Give it the arguments that make it work, or write a plan whose `require` names what it does"
        ).format(rule=name)
        yield Result(as_subject(rule), _("all runs"), Verdict.MISSING, reason, 0.0, cause=Cause.OTHER)


def context(plan: ProvingPlan, program: Sequence[str], product: str, known: frozenset[str], more: str = "") -> Context:
    """What the report says of itself."""
    target = _("program 程序: {name}").format(name=program[0]) + more
    date = environments.now()
    return Context(target, plan.title or plan.path, date, product, known, NOTE, BASIS)


def as_rows(plan: ProvingPlan, runs: Mapping[str, RunResult], lines: Mapping[str, str]) -> list[dict[str, Any]]:
    """For programs: each run with what was seen of it."""
    return [
        {
            "situation": name,
            "verdict": run.verdict.value,
            "ending": run.ending.value,
            "exit": run.exit_code,
            "signal": run.signal,
            "seconds": round(run.seconds, 3),
            "overhead": round(run.overhead, 3),
            "printed": run.printed,
            "cut": run.cut,
            "left": run.left,
            "commands": len(run.sent),
            "status_words": {f"{sw:04X}" if sw else "": count for sw, count in sorted(run.status_words.items())},
            "changes": [{"name": one.name, "what": one.what, "by": one.by} for one in run.changes],
            "checks": [
                {"check": one.what, "verdict": one.verdict.value, "reason": one.reason} for one in run.checks
            ],
            "again": lines.get(name, ""),
        }
        for name, run in ((one.situation.name, runs.get(one.situation.name)) for one in plan.cases)
        if run is not None
    ]  # fmt: skip
