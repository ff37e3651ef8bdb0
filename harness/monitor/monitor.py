"""The monitor: hears the events of a session, holds every rule against them, and says what each came to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator import catalogue
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from harness.monitor.other_programs import anybodys, foreign
from harness.monitor.rule import ERROR, Across, Rule, Situation
from harness.monitor.rules import RULES
from harness.monitor.view import CardView
from harness.trace.read import PSAM, Event, EventKind, slot_layout
from harness.trace.words import time_of_day
from harness.verdicts.log import Line
from harness.verdicts.steps import StepResult
from harness.verdicts.subject import Grade, Subject
from harness.verdicts.verdict import Result, Verdict

AROUND = 12
"""Exchanges that are kept of what led to a finding, its own last."""
MOST = 20
"""Findings of one rule that a report tells; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule was broken: where in the trace, and how."""

    rule: type[Rule]
    slot: int
    line: int
    t: float
    at: str
    """The time of day, empty where the trace has none."""
    text: str
    trace: tuple[Line, ...] = ()


@dataclass(slots=True)
class _Slot:
    view: CardView
    rules: list[Rule]
    stepping: list[Rule] = field(init=False)
    """Those that look at each command, which is what a stream of them spends its time on."""
    card: tuple[str, ...] = ()
    atr: bytes = b""
    powered: bool = False
    begun: bool = False
    """A reset was heard: what is known of the card since then is known."""
    used: bool = False
    """A terminal of this field has shown itself: what programs of any field send may be its own from here on."""
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=AROUND))
    last: Event | None = None

    def __post_init__(self) -> None:
        self.stepping = [one for one in self.rules if type(one).step is not Rule.step]


class Monitor:
    """``layout`` is the user cards'; a slot whose reset names another layout of this package's has that one.

    ``psam``: slots of terminals' own cards, where the trace does not tell.
    """

    def __init__(self, layout: Layout, situation: Situation, *, psam: Iterable[int] = ()) -> None:
        self.findings: list[Finding] = []
        self._layout, self._situation = layout, situation
        self._psam = frozenset(psam)
        self._slots: dict[int, _Slot] = {}
        self._across = [rule(layout, situation) for rule in RULES if issubclass(rule, Across)]
        self._rules: list[Rule] = list(self._across)
        self._at = 0.0
        self.heard = 0
        """Events of any kind."""
        self.judged = 0
        """Commands that the rules were held against."""
        self.unbegun: dict[int, int] = {}
        """By slot, commands before its first reset: what the card was left with then nobody knows."""

    def hear(self, event: Event) -> list[Finding]:
        """Takes in one event; what it brought to light, kept in ``findings`` too."""
        before = len(self.findings)
        if event.kind is EventKind.CALL:  # what a terminal's library was asked; its commands are judged
            return []
        slot, self._at = self._slots.get(event.slot), event.t
        self.heard += 1
        if event.kind is EventKind.RESET:
            slot = self._reset(event, slot)
        if slot is None:
            slot = self._slots[event.slot] = self._new(event)
        if event.kind is EventKind.OFF:
            self._off(slot, event)
        elif event.kind is EventKind.APDU:
            self._exchange(slot, event)
        slot.last = event
        return self.findings[before:]

    def end(self) -> list[Finding]:
        """No more events come: what is left behind."""
        before = len(self.findings)
        for slot in self._slots.values():
            self._end(slot)
        return self.findings[before:]

    def _end(self, slot: _Slot) -> None:
        if slot.last is not None:
            for rule in slot.rules:
                self._tell(rule, slot, slot.last, rule.end(slot.view, powered=slot.powered, at=self._at))
        slot.last, slot.powered = None, False

    def _new(self, event: Event) -> _Slot:
        layout = catalogue.layout(PSAM) if event.slot in self._psam else slot_layout(event, self._layout)
        rules = [
            rule(layout, self._situation)
            for rule in RULES
            if not issubclass(rule, Across) and rule.cards == layout.card
        ]
        self._rules += rules
        return _Slot(CardView(layout), rules)

    def _reset(self, event: Event, slot: _Slot | None) -> _Slot:
        # Where serial numbers are masked, cards of one kind have one ATR: their marks tell them apart.
        card = (event.told("card") or event.told("atr"), event.told("layout"))
        if slot is None:
            slot = self._slots[event.slot] = self._new(event)
        elif slot.card and card != slot.card:
            self._off(slot, event)
            self._end(slot)
            slot = self._slots[event.slot] = self._new(event)  # another card: nothing is known of it
        for rule in slot.rules:
            self._tell(rule, slot, event, rule.reset())
        slot.view.reset(bytes.fromhex(event.told("atr")))
        slot.view.named = bool(event.told("algorithm"))  # which only a virtual card tells
        slot.card, slot.atr, slot.powered, slot.begun = card, bytes.fromhex(event.told("atr")), True, True
        slot.lines.append(_line(event, b"", slot.atr, slot))
        return slot

    def _off(self, slot: _Slot, event: Event) -> None:
        if slot.powered:
            for rule in slot.rules:
                self._tell(rule, slot, event, rule.reset())
        slot.view.reset()
        slot.powered = False

    def _exchange(self, slot: _Slot, event: Event) -> None:
        if not slot.begun:
            self.unbegun[event.slot] = self.unbegun.get(event.slot, 0) + 1
            return
        slot.powered = True
        slot.lines.append(_line(event, event.command, event.answer, slot))
        context = slot.view.context
        visitors = foreign(event.command, context) or (not slot.used and anybodys(event.command, context))
        steps = slot.view.take(event)
        if visitors:
            deque(steps, maxlen=0)  # what it did to the card is so, but nobody is to blame
            return
        slot.used = True
        self.judged += 1
        for step in steps:
            for rule in slot.stepping:
                if text := rule.step(step):
                    self._tell(rule, slot, event, text)
            for across in self._across:
                if text := across.across(event.slot, slot.atr, step):
                    self._tell(across, slot, event, text)

    def _tell(self, rule: Rule, slot: _Slot, event: Event, text: str | None) -> None:
        if text:
            at, lines = time_of_day(event), tuple(slot.lines)
            self.findings.append(Finding(type(rule), event.slot, event.line, event.t, at, text, lines))

    def results(self) -> list[Result]:
        """Every rule's verdict, in the rules' order: broken, kept, never came up, or could not be judged."""
        return [self._result(rule) for rule in RULES]

    def _result(self, rule: type[Rule]) -> Result:
        found = [one for one in self.findings if one.rule is rule]
        mine = [one for one in self._rules if type(one) is rule]
        blind = next((one.blind for one in mine if one.blind), "")
        if found:
            told = [_("line {line}: {text}").format(line=one.line, text=one.text) for one in found[:MOST]]
            more = [_("and {count} more").format(count=len(found) - MOST)] if len(found) > MOST else []
            verdict = Verdict.FAILED if rule.severity == ERROR else Verdict.WARNING
            steps = tuple(_step(number, one) for number, one in enumerate(found[:MOST], 1))
            return self._made(rule, verdict, "; ".join(told + more), found[0].trace, steps)
        if blind:
            return self._made(rule, Verdict.MISSING, blind)
        if not any(one.seen for one in mine):
            return self._made(rule, Verdict.NOT_APPLICABLE, _("the terminal did nothing of the kind"))
        return self._made(rule, Verdict.PASSED, "")

    def _made(
        self,
        rule: type[Rule],
        verdict: Verdict,
        reason: str,
        trace: tuple[Line, ...] = (),
        steps: tuple[StepResult, ...] = (),
    ) -> Result:
        return Result(as_subject(rule), self._layout.version, verdict, reason, 0.0, trace, steps=steps)


def _step(number: int, one: Finding) -> StepResult:
    """A finding as one step of what the rule came to: where it was, and what was wrong."""
    at_en, at_zh = (f", {one.at}", f"，{one.at}") if one.at else ("", "")
    en, zh = f"Slot {one.slot}, line {one.line}{at_en}", f"卡槽 {one.slot}，第 {one.line} 行{at_zh}"
    return StepResult(number, en, zh, ok=False, why=one.text, line=one.line)


def _line(event: Event, command: bytes, answer: bytes, slot: _Slot) -> Line:
    number, time, layout = event.line, event.told("time"), slot.view.layout
    return Line(command, answer, event.reason, number, time, event.slot, layout)


def as_subject(rule: type[Rule]) -> Subject:
    """A rule as reports tell it."""
    return Subject(
        id=rule.id,
        title=rule.title,
        title_zh=rule.title_zh,
        standard=rule.id.partition("-")[0],
        grade=Grade.OWN if rule.grade() == "D" else Grade.INFERRED,
        source=rule.source,
    )
