"""Holds how a step ended, and what is the case afterwards, against what the scenario expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from emulator.filesystem.memory.cells import Cell, CellKey
from emulator.messages import _
from harness.conformance.steps import StepFailed
from harness.images import compare
from harness.office.register import queries
from harness.office.register.tables import Card, Person
from harness.scenarios import facts, values
from harness.scenarios.models import ArticleText, Ending, Holder, Line, OnChip, Outlet, Register, Step, Then
from harness.scenarios.play import Ended, Play
from harness.verdicts import models

Snapshots = Mapping[str, Mapping[CellKey, Cell]]


def check(play: Play, step: Step, ended: Ended, before: Snapshots) -> None:
    """StepFailed, in a sentence: what was expected, what was found. ``before``: what every card held."""
    around = step.around
    if ended.ending is not step.expected:
        raise StepFailed(
            _("expected {expected}, got {ending}").format(expected=step.expected, ending=ended.ending)
            + (f": {ended.why}" if ended.why else "")
        )
    if around.rule is not None and around.rule not in (ended.rule, ended.formerly):
        raise StepFailed(
            _("expected rule {rule} to refuse, {other} did: {why}").format(
                rule=around.rule, other=ended.rule, why=ended.why
            )
        )
    if around.article is not None and ended.citation != around.article.citation:
        raise StepFailed(
            _("expected article {article} to refuse, got {why}").format(article=around.article.text, why=ended.why)
        )
    _notices(around.notices, ended)
    for name, value in values.resolve(around.told or {}, play.names).items():
        told(name, value, ended)
    _hidden(play, step, ended)
    if step.expected is Ending.REFUSED:
        _untouched(play, before)
    for look in step.looks:
        _look(play, step, ended, look, before)


def told(name: str, value: object, ended: Ended) -> None:
    """Holds what a step told against what it had to tell. StepFailed."""
    if name not in ended.answer or not values.matches(value, ended.answer[name]):
        raise StepFailed(
            _("expected {name} {value!r} to be told, got {told!r}").format(
                name=name, value=value, told=ended.answer.get(name)
            )
        )


def _notices(expected: tuple[ArticleText, ...] | None, ended: Ended) -> None:
    """The articles that the holder was told of; None: nothing is said of them."""
    if expected is not None and sorted(ended.notices) != sorted(one.citation for one in expected):
        wanted = [one.text for one in expected]
        raise StepFailed(
            _("expected notices of {wanted}, got {told}").format(wanted=wanted, told=list(map(str, ended.notices)))
        )


def _hidden(play: Play, step: Step, ended: Ended) -> None:
    said = json.dumps(ended.answer, ensure_ascii=False, default=str)
    for text in values.resolve(step.around.hidden or (), play.names):
        if text in said:
            raise StepFailed(_("{text!r} is told, and should not be").format(text=text))


def _untouched(play: Play, before: Snapshots, only: str = "") -> None:
    """A refusal leaves every card as it was."""
    for number, cells in before.items():
        chip = play.stage.pocket.chips.get(number)
        if chip is None or (only and number != only):
            continue
        changes = compare.cells(chip.image.layout, cells, chip.image.memory.snapshot())
        if changes:
            raise StepFailed(
                _("card {number} was changed: {changes}").format(number=number, changes="; ".join(changes))
            )


def _look(play: Play, step: Step, ended: Ended, look: Then, before: Snapshots) -> None:
    named = str(values.referred(look.card, play.names)) if look.card is not None else ended.card
    with play.stage.register.transaction() as session:
        person = _person(play, session, step)
        card = _card(session, named, person)
        person = person or (card.person if card else None)
        if look.register is not None:
            found = facts.of_card(session, _there(card), play.stage.services, play.stage.clock.now())
            _compare(_("the register says of the card"), values.resolve(look.register, play.names), found)
        if look.person is not None:
            expected = values.resolve(look.person, play.names)
            _compare(_("the register says of the person"), expected, facts.of_person(session, person))
        if look.trail is not None:
            _trail(session, values.resolve(look.trail, play.names), person, card)
        if look.outlets is not None:
            _outlets(session, values.resolve(look.outlets, play.names))
        if look.unwritten is not None:
            _unwritten(session, values.resolve(look.unwritten, play.names))
        number = card.number if card else ""
    if look.chip is not None:
        check_chip(play, number, look.chip, before)


def check_chip(play: Play, number: str, wanted: OnChip, before: Snapshots) -> None:
    """What a card holds. StepFailed; LookupError for a reference to what no step told."""
    expected = values.resolve(wanted, play.names)
    if number not in play.stage.pocket.chips:
        raise StepFailed(_("there is no card {number!r} to look into").format(number=number))
    if expected.unchanged:
        _untouched(play, before, number)
    found = facts.of_chip(play.stage.pocket.chips[number].image, expected.items or ())
    _compare(_("the chip has"), replace(expected, unchanged=None), found)


Looked = TypeVar("Looked", Register, Holder, OnChip)


def _compare(who: str, expected: Looked, found: Looked) -> None:
    """What is expected of a model's fields, each by itself; of those that are tables each place by itself."""
    there = models.said(found)
    for name, value in models.said(expected).items():
        if isinstance(value, Mapping):
            found_there = there.get(name) or {}
            for key, one in value.items():
                held(key, one, f"{who} {name}", found_there.get(key))
        else:
            held(name, value, who, there.get(name))


def held(name: str, expected: object, who: str, found: object) -> None:
    """Holds one value that was found against the one that is expected. StepFailed. ``who``: what says it."""
    if not values.matches(expected, found):
        raise StepFailed(
            _("expected {name} {expected!r}, {who} {found!r}").format(
                name=name, expected=values.plain(expected), who=who, found=values.plain(found)
            )
        )


def _person(play: Play, session: Session, step: Step) -> Person | None:
    if step.around.for_ is None:
        return None
    document = play.holder(step.around.for_).document
    return queries.person(session, document.type, document.number)


def _card(session: Session, number: str, person: Person | None) -> Card | None:
    if number:
        return queries.card(session, number)
    return queries.card_of(session, person) if person is not None else None


def _there(card: Card | None) -> Card:
    if card is None:
        raise StepFailed(_("the register knows no card that could be looked at"))
    return card


def _trail(session: Session, expected: tuple[Line, ...], person: Person | None, card: Card | None) -> None:
    lines = list(map(facts.of_line, queries.trail_about(session, person, card)))
    left = iter(lines)
    for one in expected:
        if not any(_fits(one, line) for line in left):
            raise StepFailed(
                _("the trail has no line {line} in its place; it has {lines}").format(
                    line=values.plain(one), lines=values.plain(lines)
                )
            )


def _outlets(session: Session, expected: tuple[Outlet, ...]) -> None:
    there = facts.of_outlets(session)
    for one in expected:
        helps, rest = set(one.helps or ()), replace(one, helps=None)
        if not any(_fits(rest, outlet) and helps <= set(outlet.helps or ()) for outlet in there):
            raise StepFailed(
                _("there is no outlet {outlet}; there are {outlets}").format(
                    outlet=values.plain(one), outlets=values.plain(there)
                )
            )


def _fits(expected: Line | Outlet, found: Line | Outlet) -> bool:
    return values.matches(models.said(expected), models.said(found))


def _unwritten(session: Session, texts: tuple[str, ...]) -> None:
    """Nowhere in the register, in whatever table."""
    for text, line in written(session, texts):
        raise StepFailed(_("{text!r} stands in the register: {line}").format(text=text, line=line))


def written(session: Session, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Which of these texts stand in the register, in whatever table, and in which row of it."""
    for table, row in queries.every_row(session):
        line = f"{table}: {', '.join(map(str, row))}"
        yield from ((text, line) for text in texts if text in line)
