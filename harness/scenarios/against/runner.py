"""Runs scenarios at an office over HTTP, one after the other: six verdicts, and nothing green that was not judged."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from emulator.errors import SscardError
from emulator.messages import _
from harness.clock import CHINA
from harness.conformance.steps import StepFailed
from harness.scenarios import words
from harness.scenarios.against import judging
from harness.scenarios.against.client import Client, Secrets, environment
from harness.scenarios.against.lacking import Lacking, OfficeFault
from harness.scenarios.against.models import AdapterDocument
from harness.scenarios.against.remote import Remote
from harness.scenarios.model import Scenario, as_subject
from harness.scenarios.models import Ending, Step
from harness.verdicts.log import Log
from harness.verdicts.steps import StepResult
from harness.verdicts.verdict import Result, Verdict

NAMED = 3
"""Things that are missing which a reason names; the rest is counted."""


@dataclass(slots=True)
class _Run:
    """What the steps of one scenario came to."""

    steps: list[StepResult] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)


def run(url: str, adapter: AdapterDocument, scenarios: Sequence[Scenario], profiles: Sequence[str]) -> Iterator[Result]:
    """All of them in order, each on these kinds of card, or its own. AgainstError, before anything is sent.

    One after the other: an office has one register, which each scenario begins anew.
    """
    secrets = Secrets()
    link = Client(url, adapter, secrets, environment(adapter, secrets))
    return _each(scenarios, profiles, adapter, link, secrets)


def _each(
    scenarios: Sequence[Scenario], profiles: Sequence[str], adapter: AdapterDocument, link: Client, secrets: Secrets
) -> Iterator[Result]:
    with closing(link):
        for scenario in scenarios:
            for profile in profiles or scenario.cards:
                link.close()  # no cookie of another scenario
                yield run_one(scenario, profile, adapter, link, secrets)


def run_one(scenario: Scenario, profile: str, adapter: AdapterDocument, link: Client, secrets: Secrets) -> Result:
    """One scenario: its verdict, never an exception of its own."""
    began = time.perf_counter()
    done = _Run()
    verdict, reason = _judged(scenario, profile, adapter, link, done)
    said = secrets.masked
    rest = scenario.steps[len(done.steps) :]
    unjudged = (
        StepResult(number, *words.of(step), None, _("not reached: an earlier step failed"))
        for number, step in enumerate(rest, len(done.steps) + 1)
    )
    steps = [replace(one, why=said(one.why)) for one in done.steps]
    return Result(
        as_subject(scenario), profile, verdict, said(reason), time.perf_counter() - began, heard=Log().heard,
        steps=(*steps, *unjudged),
    )  # fmt: skip


def _judged(
    scenario: Scenario, profile: str, adapter: AdapterDocument, link: Client, done: _Run
) -> tuple[Verdict, str]:
    if profile not in scenario.cards:
        reason = _("it is for {cards}, not for {profile}").format(cards=", ".join(scenario.cards), profile=profile)
        return Verdict.NOT_APPLICABLE, reason
    left_out = _reason(adapter, scenario.id)
    if left_out:
        return Verdict.NOT_APPLICABLE, left_out
    try:
        play = Remote(scenario, profile, adapter, link)
        play.begin()
        _play(scenario, play, done)
        _seal(play)
    except StepFailed as failure:
        return (Verdict.WARNING if scenario.grade == "D" else Verdict.FAILED), str(failure)
    except Lacking as missing:
        done.lacking.append(missing)
    except OfficeFault as fault:
        return Verdict.UNDEFINED, str(fault)
    except Exception as error:  # a run goes on, whatever one scenario does
        text = _("a fault of this program's own: {name}: {error}")
        return Verdict.UNDEFINED, text.format(name=type(error).__name__, error=error)
    return _lacks(adapter, done.lacking) if done.lacking else (Verdict.PASSED, "")


def _play(scenario: Scenario, play: Remote, done: _Run) -> None:
    for number, step in enumerate(scenario.steps, 1):
        name = ", ".join(filter(None, (": ".join(filter(None, (step.action, step.operation))), step.name)))
        began = _moment(play)

        def ended(ok: bool | None, why: str = "", number: int = number, step: Step = step, began: str = began) -> None:
            clock = (began, _moment(play))
            done.steps.append(
                StepResult(number, *words.of(step), ok, ": ".join(filter(None, (play.route, why))), clock)
            )

        try:
            lacking = _one(play, step)
        except StepFailed as failure:
            why = str(failure)
            if play.omitted:
                fields = ", ".join(dict.fromkeys(one.partition(".")[0] for one in play.omitted))
                why = _("{failure} (the adapter omits {fields})").format(failure=failure, fields=fields)
            ended(False, why)
            raise StepFailed(_told(number, name, why)) from None
        except Lacking as missing:
            ended(None, str(missing))
            raise Lacking(missing.what, _told(number, name, str(missing))) from None
        except OfficeFault as fault:
            ended(None, str(fault))
            raise OfficeFault(_told(number, name, str(fault))) from None
        except SscardError as error:  # what an earlier step should have told, and the office did not
            ended(None, str(error))
            raise OfficeFault(_told(number, name, str(error))) from None
        done.lacking += [Lacking(one.what, _told(number, name, str(one))) for one in lacking]
        ended(None if lacking else True, "; ".join(map(str, lacking)))


def _moment(play: Remote) -> str:
    """When it is there, as reports on our own office tell it."""
    return play.now.replace(tzinfo=CHINA).isoformat(timespec="seconds")


def _told(number: int, name: str, why: str) -> str:
    return _("step {number} ({name}): {failure}").format(number=number, name=name, failure=why)


def _one(play: Remote, step: Step) -> list[Lacking]:
    knows = getattr(play.adapter.queries, judging.CHIPS, None) is not None
    unchanged = any(look.chip is not None and look.chip.unchanged for look in step.looks)
    before = None
    if knows and (step.expected is Ending.REFUSED or unchanged):
        before = play.query(judging.CHIPS, {}).get("cards", {})
    return judging.check(play, step, play.step(step), before)


def _seal(play: Remote) -> None:
    """That the trail holds, where the office says so: scenarios need not."""
    if getattr(play.adapter.queries, "seal", None) is None:
        return
    broken = play.query("seal", {}).get("broken")
    if broken is not None:
        raise StepFailed(_("the audit trail's seal is broken at line {broken}").format(broken=broken))


def _reason(adapter: AdapterDocument, what: str) -> str:
    """Why the adapter says that this is not applicable; empty where it does not."""
    known = adapter.not_applicable or ()
    return next((one.reason for one in known if fnmatch.fnmatchcase(what, one.what)), "")


def _lacks(adapter: AdapterDocument, lacking: Sequence[Lacking]) -> tuple[Verdict, str]:
    open_ = [one for one in lacking if not _reason(adapter, one.what)]
    if open_:
        named = "; ".join(f"{one} [{one.what}]" for one in open_[:NAMED])
        more = _("; and {count} more").format(count=len(open_) - NAMED) if len(open_) > NAMED else ""
        return Verdict.MISSING, f"{named}{more}"
    reasons = dict.fromkeys(f"{one.what}: {_reason(adapter, one.what)}" for one in lacking)
    return Verdict.NOT_APPLICABLE, _("as the adapter says: {reasons}").format(reasons="; ".join(reasons))
