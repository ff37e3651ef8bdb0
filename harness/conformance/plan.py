"""What a run on a card in a reader would do, before it sends anything that could cost the card a try: which vectors, in
which order, what each costs, and what keeps others from being judged.

Harmless ones come first, then those that lower what is set back, then those that leave other content, and at last those
that lock or replace something, each after all that still need that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.messages import _
from emulator.security import PIN
from harness.conformance.applicability import Refusal, applicable
from harness.conformance.guard.costs import Cost, Costs
from harness.conformance.guard.ledger import changed, locked
from harness.conformance.play import Missing, Unsuitable
from harness.conformance.targets.reader import CardInReader
from harness.conformance.vector import Vector
from harness.verdicts.causes import Cause


@dataclass(frozen=True, slots=True)
class Planned:
    """One vector: what it costs, and why it will not be run, None if it will."""

    vector: Vector
    costs: Costs
    refusal: Refusal | None = None

    @property
    def spends(self) -> dict[str, int]:
        """Of each counter that it lowers, the fewest tries that it leaves on the way."""
        return {**self.costs.card.least, **{f"PSAM {name}": left for name, left in self.costs.psam.least.items()}}

    @property
    def leaves(self) -> list[str]:
        """What is otherwise for ever after it, in words."""
        cost = self.costs.card
        content = sorted(str(one) for one in cost.changed if one.name not in cost.replaced and str(one) != "pin")
        return [
            *(_("locks {name}").format(name=name) for name in sorted(cost.locks)),
            *(_("replaces {name}").format(name=name) for name in sorted(cost.replaced)),
            *([_("changes the PIN, which is changed back")] if cost.pin is not None else []),
            *(_("changes {name}").format(name=one) for one in content),
            *(_("locks the PSAM's {name}").format(name=name) for name in sorted(self.costs.psam.locks)),
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """``planned``: all vectors that were asked for, in the order of the run; ``tried``: the PIN and keys that are
    proved once before they are used, each a try if it is wrong; ``pin_tries``: the PIN's tries as the card told them,
    None where it did not.
    """

    target: str
    profile: str
    planned: tuple[Planned, ...]
    tried: tuple[str, ...]
    pin_tries: int | None = None

    @property
    def run(self) -> list[Planned]:
        """Returns those that will be run."""
        return [one for one in self.planned if one.refusal is None]

    @property
    def costly(self) -> list[Planned]:
        """Those of them that lower a counter or leave something otherwise."""
        return [one for one in self.run if one.costs.spends or one.costs.lasting]

    def not_judged(self) -> dict[Cause, list[Planned]]:
        """Those that are for this card and will not be judged, by cause."""
        found: dict[Cause, list[Planned]] = {}
        for one in self.planned:
            if one.refusal is not None and one.refusal.cause is not None:
                found.setdefault(one.refusal.cause, []).append(one)
        return found

    def as_table(self) -> dict[str, Any]:
        """Returns the plan as JSON takes it."""
        return {
            "target": self.target,
            "profile": self.profile,
            "pin_tries": self.pin_tries,
            "tried_once": list(self.tried),
            "run": [
                {"id": one.vector.id, "spends": one.spends, "leaves": one.leaves} for one in self.run
            ],
            "not_run": [
                {
                    "id": one.vector.id,
                    "verdict": str(one.refusal.verdict),
                    "cause": one.refusal.cause or "",
                    "reason": one.refusal.reason,
                }
                for one in self.planned
                if one.refusal is not None
            ],
        }  # fmt: skip


def ordered(vectors: Iterable[Vector], card: CardInReader) -> list[Vector]:
    """The order in which none spoils another, as far as there is one."""
    found = [(vector, card.costs(vector).card) for vector in vectors]
    early = [(vector, cost) for vector, cost in found if not cost.spoils]
    late = [(vector, cost) for vector, cost in found if cost.spoils]
    first = [vector for vector, __ in sorted(early, key=lambda one: _rank(one[1]))]
    last: list[Vector] = []
    while late:
        least = min(late, key=lambda one: _hinders(one, late))
        late.remove(least)
        last.append(least[0])
    return [*first, *last]


def _rank(cost: Cost) -> int:
    """Nothing, what is set back, what lasts."""
    return 2 if cost.lasting else 1 if cost.least else 0


def _hinders(one: tuple[Vector, Cost], left: Sequence[tuple[Vector, Cost]]) -> int:
    """How many of those left could not be run after this one."""
    spoils = one[1].spoils
    return sum(bool(spoils & cost.needs) for vector, cost in left if vector is not one[0])


def made(vectors: Sequence[Vector], card: CardInReader, *, allow_destructive: bool) -> Plan:
    """The plan of a run. Sends nothing but what asks for the PIN's tries. PcscError."""
    pin_tries = card.pin_tries() if any(vector.needs_pin for vector in vectors) else None
    planned, tried, gone = [], dict[str, None](), dict[str, str]()
    for vector in ordered(vectors, card):
        costs = card.costs(vector)
        refusal = _refusal(vector, card, gone, allow_destructive=allow_destructive)
        planned.append(Planned(vector, costs, refusal))
        if refusal is None:
            tried |= dict.fromkeys(name for name, __ in card.wanted(vector) if name == PIN or card.is_tried(name))
            gone |= {name: vector.id for name in sorted(costs.card.spoils) if name not in gone}
    return Plan(card.target, card.profile.name, tuple(planned), tuple(tried), pin_tries)


def _refusal(vector: Vector, card: CardInReader, gone: dict[str, str], *, allow_destructive: bool) -> Refusal | None:
    """Why a vector will not be run. ``gone``: what earlier ones leave of use to nobody, and which."""
    refusal = applicable(vector, card, allow_destructive=allow_destructive)
    if refusal is not None:
        return refusal
    try:
        lacking = card.lacking(vector)
        if lacking:
            return Refusal(lacking)
        card.check(vector)
    except Unsuitable as error:
        return Refusal(str(error))
    except Missing as error:
        return Refusal(str(error), error.cause)
    cost = card.costs(vector).card
    spoilt = sorted(cost.needs & set(gone))
    if spoilt:
        name = spoilt[0]
        words = locked if name in cost.counters else changed
        return Refusal(words(name, gone[name]), Cause.SPOILED)
    return None
