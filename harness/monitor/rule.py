"""What a rule is: what it demands of terminals, on whose word, how grave a breach is, and how it is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from emulator.filesystem.layouts.specs import Layout
from emulator.sources import weakest
from harness.monitor.view import CardView, Step

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Situation:
    """What rules are told besides the session: today, and the cards reported lost (numbers or identification codes)."""

    today: date
    lost: frozenset[str] = frozenset()


class Rule:
    """One demand on terminals. An instance watches one card's sessions; ``Across`` watches all slots.

    The methods give what was wrong, in a sentence, or None. ``seen``: the terminal did what the rule is about.
    ``blind``: what kept the rule from judging, empty if nothing did.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]
    source: ClassVar[str]
    """What it rests on, each with its grade and sources in brackets, as ``emulator.sources`` writes them."""
    severity: ClassVar[str] = ERROR
    cards: ClassVar[str] = "user"

    def __init__(self, layout: Layout, situation: Situation) -> None:
        self.layout, self.situation = layout, situation
        self.seen = False
        self.blind = ""

    @classmethod
    def grade(cls) -> str:
        """How sure the demand is: the weakest grade that its source names."""
        return weakest(cls.source)

    def step(self, step: Step) -> str | None:
        """Takes in one answered command; returns what is wrong with it, None for nothing."""

    def reset(self) -> str | None:
        """The card was reset or powered, or is about to lose its power."""

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        """No more is heard of the card: another one came, or the trace ends, with the card powered still or not.

        ``at``: when, by the trace's clock. A mere loss of power does not end it: drivers open the card anew for each
        call of their library.
        """


class Across(Rule):
    """A rule about the cards in several slots. ``atr`` is the stepping card's."""

    def across(self, slot: int, atr: bytes, step: Step) -> str | None:
        """Takes in one answered command of any slot; returns what is wrong with it, None for nothing."""
