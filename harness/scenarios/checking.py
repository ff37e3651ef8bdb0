"""What the schema cannot say of a scenario: that articles, operations and names exist, and requests have their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from emulator.errors import NotFound
from harness.messages import forms
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.requests.models import Personal
from harness.scenarios import asking, people, values

PROFILES = ("1.00-3des", "2.00-3des", "3.00-3des", "3.00-sm4")
USUAL = "3.00-3des"
ACTIONS = (
    "do", "instant", "clock", "at", "bank", "enter_pin", "write", "resume", "abandon", "letter", "look",
)  # fmt: skip
ON_CARD = ("enter_pin", "write", "resume", "abandon")
"""What cannot be done without a card in the reader."""
ASKING = ("do", "instant")
OF_ASKING = ("by", "tear", "notices", "hidden")
OUTCOMES = {
    "do": ("done", "refused", "failed", "half-way", "unknown"),
    "instant": ("done", "refused", "failed", "half-way"),
    "resume": ("done", "failed", "half-way", "unknown"),
    "abandon": ("done", "failed", "unknown"),
    "letter": ("done", "refused"),
    "enter_pin": ("right", "wrong", "locked", "refused"),
}
"""How each may end; the others always do what they say."""


def action(step: Mapping[str, Any]) -> str:
    """What a step does, by its name in the schema."""
    return next(name for name in ACTIONS if name in step)


def citation(text: str) -> Citation:
    """``9.2`` or ``24``; LookupError."""
    article, _, paragraph = text.partition(".")
    return Citation(int(article), int(paragraph or 1))


Place = list[str | int]
Wrong = tuple[Place, str]


def wrong(table: dict[str, Any], told: dict[str, Any]) -> Iterator[Wrong]:
    """What the schema cannot say: where, and what was expected."""
    for at, text in enumerate(table["articles"]):
        yield from _cited(["articles", at], text)
    if table["id"].split("-")[1] not in [one.partition(".")[0] for one in table["articles"]]:
        yield ["id"], f"expected OFFICE-, then an article of {', '.join(table['articles'])}"
    try:
        written = people.tables(told, USUAL.partition("-")[0])
    except ValueError as error:
        yield ["people"], str(error)
        return
    for name, person in written.items():
        yield from _form(["people", name], partial(Personal.model_validate, person))
    names = set(told)
    for at, step in enumerate(table["steps"]):
        place: Place = ["steps", at]
        yield from _wrong_step(place, step, written, names)
        if "step" in step:
            if step["step"] in names:
                yield [*place, "step"], f"{step['step']} is the name of a person or step already"
            names.add(step["step"])


def _wrong_step(place: Place, step: dict[str, Any], written: dict[str, Any], names: set[str]) -> Iterator[Wrong]:
    named = [name for name in ACTIONS if name in step]
    if len(named) != 1:
        yield place, f"a step does one thing of {', '.join(ACTIONS)}, found {', '.join(named) or 'none'}"
        return
    (what,) = named
    yield from _misnamed(place, step, written, names)
    yield from _ended(place, step, what)
    if what in ON_CARD and "card" not in step:
        yield place, f"{what} needs a card"
    if "tear" in step and "card" not in step:
        yield [*place, "tear"], "no card is in the reader that could be torn out"
    if what not in ASKING:
        for part in OF_ASKING:
            if part in step:
                yield [*place, part], f"{part} goes with do or instant only"
    elif what == "do" and step["do"] not in ALL:
        yield [*place, "do"], f"no operation {step['do']!r}: choose one of {', '.join(ALL)}"
    else:
        filled = partial(values.stand_in, people=written)
        yield from _form(place, lambda: asking.request(step, written, ("3.00", "3des"), filled))


def _misnamed(place: Place, step: dict[str, Any], written: dict[str, Any], names: set[str]) -> Iterator[Wrong]:
    """People and earlier steps that there are none of; what a step tells may be looked at by itself."""
    itself = {step["step"]} if "step" in step else set()
    for part, value in step.items():
        for name in values.references(value):
            if name not in (names | itself if part in ("told", "then") else names):
                yield [*place, part], f"${name}: no person and no earlier step has this name"
    letter = step.get("letter", {})
    meant = (("for", step.get("for")), ("letter", letter.get("principal")), ("letter", letter.get("agent")))
    for part, person in meant:
        if person is not None and person not in written:
            yield [*place, part], f"{person} is none of the scenario's people"


def _ended(place: Place, step: dict[str, Any], what: str) -> Iterator[Wrong]:
    expected = step.get("expect")
    if expected is not None and expected not in OUTCOMES.get(what, ()):
        yield [*place, "expect"], f"{what} ends {' or '.join(OUTCOMES.get(what, ('as it says',)))}, never {expected}"
    if (expected == "refused" and what in ASKING) != ("rule" in step):
        yield place, "a refused request names its rule, and nothing else does"
    if "article" in step:
        yield from _cited([*place, "article"], step["article"])
    for at, text in enumerate(step.get("notices", ())):
        yield from _cited([*place, "notices", at], text)


def _cited(place: Place, text: str) -> Iterator[Wrong]:
    try:
        citation(text)
    except NotFound as error:
        yield place, str(error)


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
