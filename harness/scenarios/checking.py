"""What the schema cannot say of a scenario: that articles, operations and names exist, and requests have their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from emulator.errors import NotFound
from emulator.messages import _
from harness.messages import forms
from harness.office.operations import ALL
from harness.office.requests.models import Personal
from harness.scenarios import asking, people, values
from harness.scenarios.models import (
    ACTIONS,
    Abandon,
    ArticleText,
    At,
    Do,
    Ending,
    EnterPin,
    Instant,
    Letter,
    Person,
    Resume,
    ScenarioDocument,
    Step,
    Write,
)
from harness.verdicts import models

PROFILES = ("1.00-3des", "2.00-3des", "3.00-3des", "3.00-sm4")
USUAL = "3.00-3des"
ON_CARD = (EnterPin, Write, Resume, Abandon)
"""What cannot be done without a card in the reader."""
OF_ASKING = ("by", "tear", "notices", "hidden")
"""What a step says of a request alone."""
AFTERWARDS = ("told", "then")
"""Where a step may refer to what it told itself."""
OUTCOMES: dict[type, tuple[Ending, ...]] = {
    Do: (Ending.DONE, Ending.REFUSED, Ending.FAILED, Ending.HALF_WAY, Ending.UNKNOWN),
    Instant: (Ending.DONE, Ending.REFUSED, Ending.FAILED, Ending.HALF_WAY),
    Resume: (Ending.DONE, Ending.FAILED, Ending.HALF_WAY, Ending.UNKNOWN),
    Abandon: (Ending.DONE, Ending.FAILED, Ending.UNKNOWN),
    Letter: (Ending.DONE, Ending.REFUSED),
    EnterPin: (Ending.RIGHT, Ending.WRONG, Ending.LOCKED, Ending.REFUSED),
}
"""How each may end; the others always do what they say."""
Place = list[str | int]
Wrong = tuple[Place, str]


def ambiguous(steps: Sequence[Mapping[str, Any]]) -> Iterator[Wrong]:
    """Steps that do nothing, or several things: none can be built."""
    for at, table in enumerate(steps):
        named = [name for name in ACTIONS if name in table]
        if len(named) != 1:
            yield (
                ["steps", at],
                _("a step does one thing of {actions}, found {named}").format(
                    actions=", ".join(ACTIONS), named=", ".join(named) or _("none")
                ),
            )


def wrong(document: ScenarioDocument, short: Mapping[str, Person], steps: Sequence[Step]) -> Iterator[Wrong]:
    """What the schema cannot say: where, and what was expected."""
    for at, article in enumerate(document.articles):
        yield from _cited(["articles", at], article)
    if document.id.split("-")[1] not in [one.number for one in document.articles]:
        yield (
            ["id"],
            _("expected OFFICE-, then an article of {articles}").format(
                articles=", ".join(one.text for one in document.articles)
            ),
        )
    yield from _timed(["start"], lambda: document.starts)
    try:
        written_out = people.tables(short, USUAL.partition("-")[0])
    except ValueError as error:
        yield ["people"], str(error)
        return
    for name, person in written_out.items():
        yield from _form(["people", name], partial(Personal.model_validate, person))
    names = set(short)
    for at, step in enumerate(steps):
        place: Place = ["steps", at]
        yield from _wrong_step(place, step, written_out, names)
        if step.name:
            if step.name in names:
                yield [*place, "step"], _("{name} is the name of a person or step already").format(name=step.name)
            names.add(step.name)


def _wrong_step(place: Place, step: Step, written_out: Mapping[str, Any], names: set[str]) -> Iterator[Wrong]:
    around = step.around
    yield from _misnamed(place, step, written_out, names)
    yield from _ended(place, step)
    if isinstance(step.does, ON_CARD) and around.card is None:
        yield place, _("{action} needs a card").format(action=step.action)
    if isinstance(step.does, At):
        yield from _timed([*place, "at"], partial(getattr, step.does, "moment"))
    if around.tear is not None and around.card is None:
        yield [*place, "tear"], _("no card is in the reader that could be torn out")
    if not step.asks:
        for part in OF_ASKING:
            if part in models.said(around):
                yield [*place, part], _("{part} goes with do or instant only").format(part=part)
    elif isinstance(step.does, Do) and step.operation not in ALL:
        yield (
            [*place, "do"],
            _("no operation {operation!r}: choose one of {operations}").format(
                operation=step.operation, operations=", ".join(ALL)
            ),
        )
    else:
        filled = partial(values.stand_in, people=written_out)
        yield from _form(place, lambda: asking.request(step, written_out, ("3.00", "3des"), filled))


def _misnamed(place: Place, step: Step, written_out: Mapping[str, Any], names: set[str]) -> Iterator[Wrong]:
    """People and earlier steps that there are none of; what a step tells may be looked at by itself."""
    around = step.around
    itself = {step.name} - {""}
    for part, value in {step.action: step.does, **models.said(around)}.items():
        for name in values.references(value):
            if name not in (names | itself if part in AFTERWARDS else names):
                yield [*place, part], _("${name}: no person and no earlier step has this name").format(name=name)
    meant = [("for", around.for_)]
    if isinstance(step.does, Letter):
        meant += [("letter", step.does.principal), ("letter", step.does.agent)]
    for part, person in meant:
        if person is not None and person not in written_out:
            yield [*place, part], _("{person} is none of the scenario's people").format(person=person)


def _ended(place: Place, step: Step) -> Iterator[Wrong]:
    around, endings = step.around, OUTCOMES.get(type(step.does), ())
    if around.expect is not None and around.expect not in endings:
        yield (
            [*place, "expect"],
            _("{action} ends {endings}, never {expect}").format(
                action=step.action, endings=_(" or ").join(endings) or _("as it says"), expect=around.expect
            ),
        )
    if (around.expect is Ending.REFUSED and step.asks) != (around.rule is not None):
        yield place, _("a refused request names its rule, and nothing else does")
    if around.article is not None:
        yield from _cited([*place, "article"], around.article)
    for at, article in enumerate(around.notices or ()):
        yield from _cited([*place, "notices", at], article)


def _cited(place: Place, article: ArticleText) -> Iterator[Wrong]:
    try:
        article.citation  # noqa: B018
    except NotFound as error:
        yield place, str(error)


def _timed(place: Place, moment: Callable[[], datetime]) -> Iterator[Wrong]:
    try:
        moment()
    except ValueError as error:
        yield place, _("expected a moment that there is: {error}").format(error=error)


def _form(place: Place, make: Callable[[], object]) -> Iterator[Wrong]:
    try:
        make()
    except ValidationError as error:
        # A field's name that is mistyped is an unknown one and a missing one: the first says more.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        inner = place if place[0] == "people" else [*place, "with"]
        yield [*inner, *first["loc"]], forms.said(first)
    except NotFound as error:
        yield [*place, "with"], str(error)
