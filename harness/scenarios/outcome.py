"""Holds how a step ended, and what is the case afterwards, against what the scenario expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from emulator.filesystem.memory.cells import Cell, CellKey
from harness.conformance.steps import StepFailed
from harness.images import compare
from harness.office.register import queries
from harness.office.register.tables import Audit, Card, Person
from harness.scenarios import facts, values
from harness.scenarios.checking import action, citation
from harness.scenarios.play import OTHERWISE, Ended, Play

Snapshots = Mapping[str, Mapping[CellKey, Cell]]


def check(play: Play, step: Mapping[str, Any], ended: Ended, before: Snapshots) -> None:
    """StepFailed, in a sentence: what was expected, what was found. ``before``: what every card held."""
    wanted = step.get("expect", OTHERWISE.get(action(step), "done"))
    if ended.outcome != wanted:
        raise StepFailed(f"expected {wanted}, got {ended.outcome}" + (f": {ended.why}" if ended.why else ""))
    if "rule" in step and step["rule"] not in (ended.rule, ended.formerly):
        raise StepFailed(f"expected rule {step['rule']} to refuse, {ended.rule} did: {ended.why}")
    if "article" in step and ended.citation != citation(step["article"]):
        raise StepFailed(f"expected article {step['article']} to refuse, got {ended.why}")
    if "notices" in step and sorted(ended.notices) != sorted(map(citation, step["notices"])):
        raise StepFailed(f"expected notices of {step['notices']}, got {list(map(str, ended.notices))}")
    told = values.resolve(step.get("told", {}), play.names)
    for name, value in told.items():
        if name not in ended.told or not values.matches(value, ended.told[name]):
            raise StepFailed(f"expected {name} {value!r} to be told, got {ended.told.get(name)!r}")
    _hidden(play, step, ended)
    if wanted == "refused":
        _untouched(play, before)
    looks = step.get("then", [])
    for look in [looks] if isinstance(looks, Mapping) else looks:
        _look(play, step, ended, values.resolve(look, play.names), before)


def _hidden(play: Play, step: Mapping[str, Any], ended: Ended) -> None:
    said = json.dumps(ended.told, ensure_ascii=False, default=str)
    for text in values.resolve(step.get("hidden", []), play.names):
        if text in said:
            raise StepFailed(f"{text!r} is told, and should not be")


def _untouched(play: Play, before: Snapshots, only: str = "") -> None:
    """A refusal leaves every card as it was."""
    for number, cells in before.items():
        chip = play.stage.pocket.chips.get(number)
        if chip is None or (only and number != only):
            continue
        changes = compare.cells(chip.image.layout, cells, chip.image.memory.snapshot())
        if changes:
            raise StepFailed(f"card {number} was changed: {'; '.join(changes)}")


def _look(play: Play, step: Mapping[str, Any], ended: Ended, look: Mapping[str, Any], before: Snapshots) -> None:
    with play.stage.register.transaction() as session:
        person = _person(play, session, step)
        card = _card(session, str(look.get("card", "")) or ended.card, person)
        person = person or (card.person if card else None)
        if "register" in look:
            found = facts.of_card(session, _there(card), play.stage.services, play.stage.clock.now())
            _compare("the register says of the card", look["register"], found)
        if "person" in look:
            _compare("the register says of the person", look["person"], facts.of_person(session, person))
        if "trail" in look:
            _trail(session, look["trail"], person, card)
        if "outlets" in look:
            _outlets(session, look["outlets"])
        if "unwritten" in look:
            _unwritten(session, look["unwritten"])
        number = card.number if card else ""
    if "chip" in look:
        check_chip(play, number, look["chip"], before)


def check_chip(play: Play, number: str, expected: Mapping[str, Any], before: Snapshots) -> None:
    """What a card holds. StepFailed."""
    if number not in play.stage.pocket.chips:
        raise StepFailed(f"there is no card {number!r} to look into")
    if "unchanged" in expected:
        _untouched(play, before, number)
    rest = {name: value for name, value in expected.items() if name != "unchanged"}
    found = facts.of_chip(play.stage.pocket.chips[number].image, expected.get("items", ()))
    _compare("the chip has", rest, found)


def _compare(who: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        if isinstance(value, Mapping):
            _compare(f"{who} {name}", value, found[name])
        elif not values.matches(value, found[name]):
            raise StepFailed(f"expected {name} {value!r}, {who} {found[name]!r}")


def _person(play: Play, session: Session, step: Mapping[str, Any]) -> Person | None:
    if "for" not in step:
        return None
    document = play.people[step["for"]]["document"]
    return queries.person(session, document["type"], document["number"])


def _card(session: Session, number: str, person: Person | None) -> Card | None:
    if number:
        return queries.card(session, number)
    return queries.card_of(session, person) if person is not None else None


def _there(card: Card | None) -> Card:
    if card is None:
        raise StepFailed("the register knows no card that could be looked at")
    return card


def _trail(session: Session, expected: list[Any], person: Person | None, card: Card | None) -> None:
    lines = list(map(_line, queries.trail_about(session, person, card)))
    left: Iterator[dict[str, Any]] = iter(lines)
    for one in expected:
        if not any(values.matches(one, line) for line in left):
            raise StepFailed(f"the trail has no line {one} in its place; it has {lines}")


def _line(line: Audit) -> dict[str, Any]:
    return {
        "operation": line.operation,
        "outcome": str(line.outcome),
        "clerk": line.clerk,
        "article": line.article,
        "detail": json.loads(line.detail),
    }


def _outlets(session: Session, expected: list[Any]) -> None:
    there = facts.of_outlets(session)
    for one in expected:
        helps = set(one.get("helps", ()))
        rest = {name: value for name, value in one.items() if name != "helps"}
        if not any(values.matches(rest, outlet) and helps <= set(outlet["helps"]) for outlet in there):
            raise StepFailed(f"there is no outlet {one}; there are {there}")


def _unwritten(session: Session, texts: list[str]) -> None:
    """Nowhere in the register, in whatever table."""
    connection: Any = session.connection().connection.driver_connection
    for line in connection.iterdump():
        for text in texts:
            if text in line:
                raise StepFailed(f"{text!r} stands in the register: {line}")
