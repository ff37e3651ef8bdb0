"""A plan of proving: read from YAML, strictly; and the requests that it makes of a program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from emulator import personas
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.filesystem.memory.image import Image
from emulator.guess import guess
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.shape import ReaderShape
from harness.monitor.rules import RULES
from harness.proving import card_state
from harness.proving.models import Case, Expected, PlanDocument
from harness.proving.runs import DEADLINE, Expectation, RunRequest
from harness.proving.situation import Situation, SituationError
from harness.verdicts import documents
from harness.verdicts.documents import Document
from harness.verdicts.models import build

DEFAULT = "default.yaml"
PIN, SITUATION = "{pin}", "{situation}"
"""What stands in a program's arguments and environment for the card's PIN, and for the situation's name."""
NO_PSAM, INITIAL = "none", "initial"
"""What stands in a plan for no terminal's own card, and for the PIN that the persona has, mostly the initial one."""


class PlanError(SscardError, ValueError):
    """A plan that cannot be used: file, line, where in it, and what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """A situation with what is expected in it, and what the program gets besides its usual arguments."""

    situation: Situation
    expectation: Expectation
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProvingPlan:
    """``path``: of its file, empty for the one that comes with the program; ``require``: rules that must have come up
    in one of its runs.
    """

    path: str
    title: str
    title_zh: str
    deadline: float
    require: tuple[str, ...]
    cases: tuple[Planned, ...]

    def only(self, names: Sequence[str]) -> ProvingPlan:
        """The plan with these situations alone, all where none is named; what is required of all runs together is not
        required then. PlanError, naming what there is.
        """
        there = [one.situation.name for one in self.cases]
        for name in names:
            if name not in there:
                raise PlanError(
                    _("no situation {name!r}{guess}: `sscard prove --list` names them").format(
                        name=name, guess=guess(name, there)
                    )
                )
        if not names:
            return self
        return replace(self, require=(), cases=tuple(one for one in self.cases if one.situation.name in names))


@lru_cache(maxsize=1)
def _validator() -> Any:
    return documents.validator(__package__, "schema-1.json")


def default() -> ProvingPlan:
    """What a terminal meets at a counter."""
    with resources.as_file(resources.files(__package__) / DEFAULT) as path:
        return replace(load(path), path="")


def load(path: Path) -> ProvingPlan:
    """A plan from its file. PlanError; files of one's own that it names are found from its folder."""
    found = list(documents.judged(path, _validator(), _("the plan")))
    for one in (fault for each in found for fault in each.faults):
        where = f"{path}:{one.line}" if one.line else str(path)
        raise PlanError(f"{where}: {one.what}")
    if len(found) != 1 or found[0].document is None:
        raise PlanError(_("{path}: expected one plan, found {count}").format(path=path, count=len(found)))
    document = found[0].document
    form = build(PlanDocument, document.table)
    cases = tuple(_case(document, form, number, one) for number, one in enumerate(form.situations))
    _check_names(document, cases)
    required = _texts(form.require)
    _check_rules(document, ("require",), required)
    return ProvingPlan(str(path), form.title, form.title_zh, form.timeout or DEADLINE, required, cases)


def _texts(said: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said or ()


def _case(document: Document, form: PlanDocument, number: int, case: Case) -> Planned:
    place = ("situations", number)
    situation = _situation(document, case, form.pin or INITIAL)
    try:
        situation.check()
    except SituationError as error:
        raise PlanError(document.error(place, str(error))) from None
    said = _merged(form.expect, case.expect)
    expectation = Expectation(
        exit=(said.exit,) if isinstance(said.exit, int) else said.exit or (),
        prints=_texts(said.prints),
        prints_not=_texts(said.prints_not),
        changes=None if said.changes is None else _texts(said.changes),
        seconds=said.seconds,
        require=_texts(said.require),
    )
    _check_rules(document, (*place, "expect", "require"), expectation.require)
    for pattern in (*expectation.prints, *expectation.prints_not):
        try:
            re.compile(pattern)
        except re.error as error:
            what = _("{pattern!r} is no regular expression: {error}").format(pattern=pattern, error=error)
            raise PlanError(document.error(place, what)) from None
    if expectation.changes:
        there = names_of(situation.card())
        for pattern in expectation.changes:
            if not any(fnmatchcase(one, pattern) for one in there):
                what = _("changes: no part of this card is {pattern!r}{guess}").format(
                    pattern=pattern, guess=guess(pattern, there)
                )
                raise PlanError(document.error(place, what))
    environment = {**(form.environment or {}), **(case.environment or {})}
    return Planned(situation, expectation, case.arguments, tuple(environment.items()))


def _situation(document: Document, case: Case, usual_pin: str) -> Situation:
    usual = Situation(case.name)
    pin = case.pin or usual_pin
    psam = usual.psam if case.psam is None else "" if case.psam == NO_PSAM else case.psam
    return Situation(
        name=case.name,
        title=case.title,
        title_zh=case.title_zh,
        persona=case.persona or personas.DEFAULT,
        layout=case.layout or "",
        algorithm=case.algorithm or "",
        interface=case.interface or Interface.CONTACT,
        shape=case.shape or ReaderShape.T0,
        system=case.system or usual.system,
        slow=case.slow,
        psam=psam,
        lost=case.lost,
        pin="" if pin == INITIAL else pin,
    ).within(str(document.path.parent.absolute()))


def _merged(of_all: Expected | None, own: Expected | None) -> Expected:
    """What a situation expects, and where it says nothing, what all do."""
    of_all, own = of_all or Expected(), own or Expected()
    said = {one.name: getattr(own, one.name) for one in fields(Expected) if getattr(own, one.name) is not None}
    return replace(of_all, **said)


def _check_names(document: Document, cases: Iterable[Planned]) -> None:
    seen: set[str] = set()
    for number, one in enumerate(cases):
        if one.situation.name in seen:
            what = _("{name!r} stands twice").format(name=one.situation.name)
            raise PlanError(document.error(("situations", number, "name"), what))
        seen.add(one.situation.name)


def _check_rules(document: Document, place: tuple[str | int, ...], names: Iterable[str]) -> None:
    there = [one.id for one in RULES]
    families = sorted({one.partition("-")[0] for one in there})
    for name in names:
        if name not in there and name not in families:
            what = _("no rule {name!r}{guess}: `sscard monitor --rules` names them").format(
                name=name, guess=guess(name, [*there, *families])
            )
            raise PlanError(document.error(place, what))


def names_of(image: Image) -> list[str]:
    """The names of all parts that a card has, or may come to have."""
    names = dict.fromkeys(card_state.state(image, b"").parts)
    for path, spec in image.layout.files.items():
        if spec.structure is Structure.RECORDS:
            names |= dict.fromkeys(f"{path}/{item.label}" for item in spec.items)
    return list(names)


def requests(
    plan: ProvingPlan,
    program: Sequence[str],
    *,
    cwd: str = "",
    deadline: float | None = None,
    driver_only: bool = False,
    seed: int | None = None,
    key: bytes = b"",
    forgiven: frozenset[str] = frozenset(),
    personal_data: bool = False,
) -> Iterator[RunRequest]:
    """The runs of a plan, in its order."""
    for one in plan.cases:
        yield RunRequest(
            argv=filled((*program, *one.arguments), one.situation),
            situation=one.situation,
            cwd=cwd,
            environment=_environment(one),
            deadline=deadline or plan.deadline,
            expectation=one.expectation,
            seed=seed,
            driver_only=driver_only,
            key=key,
            forgiven=forgiven,
            personal_data=personal_data,
        )


def _environment(one: Planned) -> dict[str, str]:
    values = filled([value for __, value in one.environment], one.situation)
    return dict(zip((name for name, __ in one.environment), values, strict=True))


def filled(texts: Sequence[str], situation: Situation) -> tuple[str, ...]:
    """Texts with the situation's name and its card's PIN where those are asked for."""
    pin = pin_of(situation) if any(PIN in one for one in texts) else ""
    return tuple(one.replace(PIN, pin).replace(SITUATION, situation.name) for one in texts)


def pin_of(situation: Situation) -> str:
    """The PIN of the situation's card, empty where none is set."""
    return situation.card().memory.text(PIN_CELL)
