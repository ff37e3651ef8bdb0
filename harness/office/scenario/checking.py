"""What the schema cannot say of a scenario: that articles, operations and names exist, and requests have their form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from harness.office.measures import Citation
from harness.office.operations import ALL
from harness.office.requests import Personal
from harness.office.scenario import asking, people, values

PROFILES = ("1.00-3des", "2.00-3des", "3.00-3des", "3.00-sm4")
USUAL = "3.00-3des"
ACTIONS = (
    "do", "instant", "clock", "at", "bank", "enter_pin", "write", "resume", "abandon", "letter", "look",
)  # fmt: skip
ON_CARD = ("enter_pin", "write", "resume", "abandon")
"""What cannot be done without a card in the reader."""
ASKING = ("do", "instant")
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


Wrong = tuple[list[str | int], str]


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
        yield from _form(["people", name], lambda person=person: Personal.model_validate(person))
    names = set(told)
    for at, step in enumerate(table["steps"]):
        place: list[str | int] = ["steps", at]
        yield from _wrong_step(place, step, written, names)
        if "step" in step:
            if step["step"] in names:
                yield [*place, "step"], f"{step['step']} is the name of a person or step already"
            names.add(step["step"])


def _wrong_step(
    place: list[str | int], step: dict[str, Any], written: dict[str, Any], names: set[str]
) -> Iterator[Wrong]:
    named = [name for name in ACTIONS if name in step]
    if len(named) != 1:
        yield place, f"a step does one thing of {', '.join(ACTIONS)}, found {', '.join(named) or 'none'}"
        return
    (what,) = named
    later = {"told": step.get("told"), "then": step.get("then")}
    known = names | ({step["step"]} if "step" in step else set())
    for part, value in {**step, **later}.items():
        allowed = known if part in later else names
        for name in values.references(value):
            if name not in allowed:
                yield [*place, part], f"${name}: no person and no earlier step has this name"
    for part in ("for", "letter"):
        used = [step[part]] if part == "for" and part in step else []
        used += [step[part][one] for one in ("principal", "agent")] if part == "letter" and part in step else []
        for name in used:
            if name not in written:
                yield [*place, part], f"{name} is none of the scenario's people"
                return
    if what in ON_CARD and "card" not in step:
        yield place, f"{what} needs a card"
    if "tear" in step and "card" not in step:
        yield [*place, "tear"], "no card is in the reader that could be torn out"
    expected = step.get("expect")
    if expected is not None and expected not in OUTCOMES.get(what, ()):
        yield [*place, "expect"], f"{what} ends {' or '.join(OUTCOMES.get(what, ('as it says',)))}, never {expected}"
    if (expected == "refused" and what in ASKING) != ("rule" in step):
        yield place, "a refused request names its rule, and nothing else does"
    if "article" in step:
        yield from _cited([*place, "article"], step["article"])
    for at, text in enumerate(step.get("notices", ())):
        yield from _cited([*place, "notices", at], text)
    if what not in ASKING:
        for part in ("by", "tear", "notices", "hidden"):
            if part in step:
                yield [*place, part], f"{part} goes with do or instant only"
        return
    if what == "do" and step["do"] not in ALL:
        yield [*place, "do"], f"no operation {step['do']!r}: choose one of {', '.join(ALL)}"
        return
    filled = lambda value: values.stand_in(value, written)  # noqa: E731
    yield from _form(place, lambda: asking.request(step, written, ("3.00", "3des"), filled))


def _cited(place: list[str | int], text: str) -> Iterator[Wrong]:
    try:
        citation(text)
    except LookupError as error:
        yield place, str(error)


def _form(place: list[str | int], make: Any) -> Iterator[Wrong]:
    try:
        make()
    except ValidationError as error:
        # A field's name that is mistyped is an unknown one and a missing one: the first says more.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        inner = place if place[0] == "people" else [*place, "with"]
        yield [*inner, *first["loc"]], str(first["msg"])
    except LookupError as error:
        yield [*place, "with"], str(error.args[0])
