"""Holds what came of a step at another maker's office, and the state that it tells, against what a scenario expects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.messages import _
from harness.conformance.steps import StepFailed
from harness.office.case.shared_rules import BASE
from harness.office.electronic.credential import Why
from harness.office.operations import ALL
from harness.scenarios import outcome, values
from harness.scenarios.against.lacking import Lacking
from harness.scenarios.against.models import AdapterDocument
from harness.scenarios.against.remote import Remote
from harness.scenarios.models import Ending, Holder, OnChip, Register, Step, Then
from harness.scenarios.play import Ended

CHIPS = "chips"
Digests = Mapping[str, Any]
RAISED = frozenset((
    "BANK-CHECK", "CREDENTIAL-UNKNOWN", "CREDENTIAL-USED", *(f"CREDENTIAL-{why.upper()}" for why in Why),
    "ELECTRONIC-PIN-LOCKED", "ELECTRONIC-PIN-WRONG",
))  # fmt: skip
"""What operations find out while they are at work, in no table of rules."""
RULES = RAISED | {rule.id for operation in ALL.values() for rule in (*BASE, *operation.rules)}
"""What a refusal may be by: a code of theirs that is one of these means it."""


def rules(adapter: AdapterDocument, code: str) -> tuple[str, ...]:
    """Our rules that a code or a text of theirs stands for. Lacking where the adapter does not say."""
    known = adapter.codes or {}
    found: Any = known.get(code)
    if found is None:
        found = next(
            (
                one
                for name, one in known.items()
                if len(name) > 1 and name[0] == name[-1] == "/" and re.search(name[1:-1], code)
            ),
            None,
        )
    if found is None and code in RULES:
        return (code,)
    if found is None:
        raise Lacking(
            f"code.{code}", _("refused with {code!r}, which the adapter's codes do not have").format(code=code)
        )
    return (found,) if isinstance(found, str) else tuple(found)


def check(play: Remote, step: Step, ended: Ended, before: Digests | None) -> list[Lacking]:
    """StepFailed for what is not as it has to be; returns what could not be judged. ``before``: what every card held,
    None where the office does not tell.
    """
    if ended.ending is not step.expected:
        raise StepFailed(
            _("expected {expected}, got {ending}").format(expected=step.expected, ending=ended.ending)
            + (f": {ended.why or ended.rule}" if ended.why or ended.rule else "")
        )
    lacking: list[Lacking] = []
    checks: list[Callable[[], None]] = [lambda: _rule(play, step, ended), lambda: _notices(play, step, ended)]
    checks += [lambda: _told(play, step, ended), lambda: _hidden(play, step)]
    if step.expected is Ending.REFUSED:
        checks.append(lambda: _untouched(play, step, before))
    for look in step.looks:
        checks += list(_looks(play, step, ended, look, before))
    for one in checks:
        try:
            one()
        except Lacking as missing:
            lacking.append(missing)
    return lacking


def _rule(play: Remote, step: Step, ended: Ended) -> None:
    wanted = step.around.rule
    if wanted is None:
        return
    if not ended.rule:
        raise Lacking("code", _("the office does not say why it refuses"))
    found = rules(play.adapter, ended.rule)
    if wanted not in found:
        raise StepFailed(
            _("expected rule {rule} to refuse, {other} did: {why}").format(
                rule=wanted, other=" / ".join(found), why=ended.why or ended.rule
            )
        )


def _notices(play: Remote, step: Step, ended: Ended) -> None:
    expected = step.around.notices
    if expected is None:
        return
    if play.adapter.answers.notices is None:
        raise Lacking("notices", _("the adapter does not say where notices are told"))
    wanted = sorted(int(one.number) for one in expected)
    found = sorted(one.article for one in ended.notices)
    if wanted != found:
        raise StepFailed(_("expected notices of {wanted}, got {told}").format(wanted=wanted, told=found))


def _told(play: Remote, step: Step, ended: Ended) -> None:
    for name, expected in values.resolve(step.around.told or {}, play.names).items():
        if name not in ended.answer and not _gives(play, step, name):
            raise Lacking(f"told.{name}", _("the adapter does not say where {name} is told").format(name=name))
        outcome.told(name, expected, ended)


def _gives(play: Remote, step: Step, name: str) -> bool:
    ask = play.adapter.operations.get(step.operation or step.action.replace("_", "-"))
    gives = (ask.gives or {}) if ask is not None else {}
    return name in gives or "*" in gives


def _hidden(play: Remote, step: Step) -> None:
    for text in values.resolve(step.around.hidden or (), play.names):
        assert play.answer is not None
        # As it came, and as it reads: JSON may write a letter as \\uXXXX, XML as &#…;.
        read = json.dumps(play.answer.told["body"], ensure_ascii=False, default=str)
        if text in play.answer.raw or text in read:
            raise StepFailed(_("{text!r} is told, and should not be").format(text=text))


def _untouched(play: Remote, step: Step, before: Digests | None) -> None:
    """A refusal leaves every card as it was. Without a card in the reader nothing can have been written on one."""
    if before is None:
        if step.around.card is not None:
            raise Lacking(CHIPS, _("the office does not tell whether a card was changed"))
        return
    _unchanged(play, before, "")


def _unchanged(play: Remote, before: Digests, only: str) -> None:
    after = play.query(CHIPS, {}).get("cards", {})
    for number, digest in before.items():
        if number in after and after[number] != digest and (not only or number == only):
            raise StepFailed(_("card {number} was changed").format(number=number))


# --- the state ------------------------------------------------------------------------------------------------------


def _looks(play: Remote, step: Step, ended: Ended, look: Then, before: Digests | None) -> Iterator[Callable[[], None]]:
    number = str(values.referred(look.card, play.names)) if look.card is not None else ended.card
    person = play.people[step.around.for_] if step.around.for_ is not None else None
    names = {
        "card": number or None, "person": person, "document": person["document"] if person is not None else None
    }  # fmt: skip
    if look.register is not None:
        yield from _state(play, "register", _("the register says of the card"), look.register, names)
    if look.person is not None:
        yield from _state(play, "person", _("the register says of the person"), look.person, names)
    if look.trail is not None:
        lines = values.plain(values.resolve(look.trail, play.names))
        yield lambda: _trail(play, lines, names)
    if look.outlets is not None:
        outlets = values.plain(values.resolve(look.outlets, play.names))
        yield lambda: _outlets(play, outlets)
    for text in values.resolve(look.unwritten or (), play.names):
        yield lambda text=text: _unwritten(play, text)  # type: ignore[misc]
    if look.chip is not None:
        names = {**names, "items": list(look.chip.items or ())}
        if look.chip.unchanged:
            yield lambda: _chip_unchanged(play, number, before)
        yield from _state(play, "chip", _("the chip has"), look.chip, names)


def _state(
    play: Remote, query: str, who: str, wanted: Register | Holder | OnChip, names: Mapping[str, Any]
) -> Iterator[Callable[[], None]]:
    """Each field that is expected, by itself: one that the office does not tell leaves the others judged."""
    expected = values.plain(values.resolve(wanted, play.names))
    expected.pop("unchanged", None)
    held: dict[str, Any] = {}

    def found() -> dict[str, Any]:
        if not held:
            held.update(play.query(query, names))
            if not held:
                raise StepFailed(_("{who} nothing: it is not known there").format(who=who))
        return held

    ask = getattr(play.adapter.queries, query, None)
    gives = (ask.gives or {}) if ask is not None else {}

    def one(name: str, value: Any) -> None:
        if ask is not None and name not in gives and "*" not in gives:
            raise Lacking(
                f"{query}.{name}", _("the adapter's query {query} gives no {name}").format(query=query, name=name)
            )
        there = found().get(name)
        if isinstance(value, Mapping):
            for key, each in value.items():
                outcome.held(key, each, f"{who} {name}", (there or {}).get(key))
        else:
            outcome.held(name, value, who, there)

    for name, value in expected.items():
        yield lambda name=name, value=value: one(name, value)  # type: ignore[misc]


def _trail(play: Remote, expected: list[Any], names: Mapping[str, Any]) -> None:
    lines = play.query("trail", names).get("lines", [])
    left = iter(lines)
    for one in expected:
        if not any(values.matches(one, line) for line in left):
            raise StepFailed(
                _("the trail has no line {line} in its place; it has {lines}").format(line=one, lines=lines)
            )


def _outlets(play: Remote, expected: list[Any]) -> None:
    there = play.query("outlets", {}).get("outlets", [])
    for one in expected:
        helps = set(one.get("helps", ()))
        rest = {name: value for name, value in one.items() if name != "helps"}
        if not any(values.matches(rest, outlet) and helps <= set(outlet.get("helps", ())) for outlet in there):
            raise StepFailed(_("there is no outlet {outlet}; there are {outlets}").format(outlet=one, outlets=there))


def _unwritten(play: Remote, text: str) -> None:
    found = play.query("unwritten", {"text": text}).get("found")
    if found is None:
        raise Lacking("unwritten", _("the office does not say whether a text stands in its register"))
    if found:
        raise StepFailed(_("{text!r} stands in the register").format(text=text))


def _chip_unchanged(play: Remote, number: str, before: Digests | None) -> None:
    if before is None:
        raise Lacking(CHIPS, _("the office does not tell whether a card was changed"))
    _unchanged(play, before, number)
