"""A card's habits, found by trying: of all that a layout can say of them, what makes the twin answer as the card did.

What differs between the card's answers and the twin's suggests habits; the one that explains most is kept, and the rest
looked at again, until nothing explains any more. Of two that explain the same the one that claims less is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from typing import Any, TypeAlias

from emulator.apdu.instructions.authentication import GetChallenge
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW
from emulator.filesystem.layouts import habits as habits_table
from emulator.filesystem.layouts.habit_specs import CHALLENGES, USUAL_CHALLENGE
from emulator.filesystem.layouts.node import Node
from emulator.filesystem.layouts.specs import Layout, LayoutError, Table
from emulator.filesystem.layouts.terms import Addressing, Check, Selection, Waiting
from emulator.filesystem.layouts.terms import Asked as Le
from emulator.filesystem.memory.image import Image
from harness.learning.observation import Asked
from harness.learning.prober import Step
from harness.learning.twin import Twin, alike, replay

READ_RECORD, READ_BINARY, SELECT = f"{ReadRecord.ins:02X}", f"{ReadBinary.ins:02X}", f"{Select.ins:02X}"
RESPONSE, CHALLENGE = f"{GetResponse.ins:02X}", f"{GetChallenge.ins:02X}"
ASKED_WITH_LE = {"record": READ_RECORD, "binary": READ_BINARY, "response": RESPONSE}
RANK = 100
"""Between one rank of habits and the next; of checks that come earlier the one that moves least goes first."""
FINALISTS = 16
MOST_KINDS = 12
MOST_STEPS = 80_000
"""Of twins, for one card: one that answers at random could be tried for ever."""
MANY = 100
FEW = 6
"""Commands of one kind, of which each may be a habit of its own."""
MOST = 24
"""Habits of one card: more are a card whose answers follow no rule of ours."""
FOLLOWS_CLASS = "get_response_class"
OF_EVERY_COMMAND = (Check.CLASS, Check.INSTRUCTION)
"""What a card looks at before it knows which instruction it is."""

Mismatch: TypeAlias = "tuple[Asked, Asked]"
"""The card's answer, and the twin's."""


@dataclass(frozen=True, slots=True)
class Habit:
    """One entry of ``[habits]``: its keys and value. ``rank``: of equally good ones the lowest is kept."""

    keys: tuple[str, ...]
    value: Any
    rank: int

    def into(self, table: Table) -> Table:
        """A table with this entry in it."""
        return _with(table, self.keys, self.value)


def _with(table: Table, keys: Sequence[str], value: Any) -> Table:
    first, *rest = keys
    return {**table, first: _with(table.get(first, {}), rest, value) if rest else value}


def _without(table: Table, keys: Sequence[str]) -> Table:
    first, *rest = keys
    inner = _without(table.get(first, {}), rest) if rest else None
    return {key: value for key, value in table.items() if key != first} | ({first: inner} if inner else {})


@dataclass(frozen=True, slots=True)
class Explained:
    """Habits as a layout's table, whether GET RESPONSE follows any class, and what neither explains."""

    table: Table
    follows_class: bool
    left: tuple[Mismatch, ...]


class Search:
    """Tries habits on the twin of a layout. ``card``: the card's answers by probe."""

    def __init__(self, twin: Twin, layout: Layout, card: Sequence[Asked], scripts: Sequence[list[Step]]) -> None:
        self.layout = layout
        self.card = {one.probe: one for one in card}
        self.scripts = [one for one in scripts if any(step.probe for step in one)]
        self.image = twin.image(layout)
        self.twin = twin
        self.steps = 0
        self.places = {*layout.applications, *layout.files}

    def explain(self) -> Explained:
        """The habits that explain most, and what is left."""
        table: Table = {}
        left = self._wrong(table, self.scripts)
        tried: set[tuple[tuple[str, ...], str]] = set()
        for __ in range(MOST):
            if not left or self.steps > MOST_STEPS:
                break
            better = self._better(table, left, tried)
            if better is None:
                break
            table, left = better
        table, left = self._shorter(table, left)
        follows = bool(table.pop(FOLLOWS_CLASS, False))
        return Explained(table, follows, tuple(left))

    def _better(
        self, table: Table, left: Sequence[Mismatch], tried: set[tuple[tuple[str, ...], str]]
    ) -> tuple[Table, list[Mismatch]] | None:
        """The habit that leaves least, with what it leaves; None where none leaves less.

        All are tried on a few scripts of each kind of difference, the best of them on all.
        """
        sample = self._sample(left)
        before = self._count(table, sample) or 0
        scored = []
        for habit in self._suggested(left):
            name = habit.keys, str(habit.value)
            if name in tried:
                continue
            if self.steps > MOST_STEPS:
                break
            count = self._count(habit.into(table), sample, before)
            if count is None:
                tried.add(name)
            elif count < before:
                scored.append((count, habit.rank, habit))
        best: tuple[int, int, Table, list[Mismatch]] | None = None
        for __, rank, habit in sorted(scored, key=lambda one: one[:2])[:FINALISTS]:
            with_it = habit.into(table)
            if self.steps > MOST_STEPS:
                break
            most = best[0] if best else len(left) - 1
            rest = self._wrong(with_it, self.scripts, most + 1)
            if len(rest) <= most and (best is None or (len(rest), rank) < best[:2]):
                best = len(rest), rank, with_it, rest
            elif best is None:
                tried.add((habit.keys, str(habit.value)))
            if best is not None and not best[0]:
                break
        return best[2:] if best else None

    def _sample(self, left: Sequence[Mismatch]) -> list[list[Step]]:
        """Of each kind of difference, by command and status words, the shortest ways to two that show it."""
        kinds: dict[str, set[str]] = {}
        for card, twin in left:
            kinds.setdefault(f"{card.command[2:4]} {twin.sw[:2]} {card.sw}", set()).add(card.probe)
        chosen: list[list[Step]] = []
        for probes in sorted(kinds.values(), key=len, reverse=True)[:MOST_KINDS]:
            ways = sorted((way for one in self.scripts if (way := _until(one, probes))), key=len)
            chosen += [way for way in ways[:2] if way not in chosen]
        return chosen

    def _shorter(self, table: Table, left: Sequence[Mismatch]) -> tuple[Table, list[Mismatch]]:
        """Less those entries without which nothing more is wrong."""
        for keys in list(_leaves(table)) if len(left) < MANY else ():
            without = _without(table, keys)
            rest = self._wrong(without, self.scripts)
            if len(rest) <= len(left):
                table, left = without, rest
        return table, list(left)

    # --- trying --------------------------------------------------------------------------------------------------

    def variant(self, table: Table) -> Layout:
        """The layout with habits. LayoutError for what cannot be."""
        own = {key: value for key, value in table.items() if key != FOLLOWS_CLASS}
        spec = habits_table.habits(Node("habits", "", {"habits": own}), self.places) if own else None
        mark = sha256(f"{self.layout.fingerprint}{sorted(map(str, _entries(table)))}".encode()).hexdigest()
        return replace(
            self.layout, habits=spec, follows_class=bool(table.get(FOLLOWS_CLASS, self.layout.follows_class)),
            fingerprint=mark,
        )  # fmt: skip

    def _wrong(self, table: Table, scripts: Sequence[list[Step]], most: int | None = None) -> list[Mismatch]:
        """What the twin with these habits answers otherwise than the card; no more than ``most``."""
        self.steps += sum(map(len, scripts))
        image = Image(self.variant(table), self.image.algorithm, self.image.atr, self.image.memory.snapshot())
        chip = self.twin.of(image)
        pairs = ((self.card[one.probe], one) for one in replay(chip, scripts) if one.probe in self.card)
        return list(islice(((card, twin) for card, twin in pairs if not alike(card, twin)), most))

    def _count(self, table: Table, scripts: Sequence[list[Step]], most: int | None = None) -> int | None:
        """How many answers are wrong; None for habits that cannot be."""
        try:
            return len(self._wrong(table, scripts, most))
        except LayoutError:
            return None

    # --- suggesting ----------------------------------------------------------------------------------------------

    def _suggested(self, left: Sequence[Mismatch]) -> list[Habit]:
        """What may explain differences, each once."""
        found: dict[tuple[tuple[str, ...], str], Habit] = {}
        headers: dict[tuple[str, str, str], set[str]] = {}
        for card, twin in left:
            headers.setdefault((card.command[2:4], twin.sw, card.sw), set()).add(card.command[:8])
        for card, twin in left:
            few = len(headers[card.command[2:4], twin.sw, card.sw]) <= FEW
            by_status = self._by_status(card, twin, few=few)
            for habit in (*self._by_probe(card, twin), *by_status, *self._by_order(card, twin)):
                found.setdefault((habit.keys, str(habit.value)), habit)
        for habit in self._by_challenges(left):
            found.setdefault((habit.keys, str(habit.value)), habit)
        return list(found.values())

    def _by_probe(self, card: Asked, twin: Asked) -> Iterator[Habit]:
        """By what was asked: Le, 61xx, ways, classes, an FCI."""
        parts = card.probe.split("/")
        ins = card.command[2:4]
        if parts[0] in ("le", "length") or ins in (READ_RECORD, READ_BINARY, RESPONSE):
            yield from self._by_le(card, ins)
        for waiting in Waiting:
            if ins in (SELECT, READ_RECORD, READ_BINARY, CHALLENGE):
                yield Habit(("waiting", ins), str(waiting), 1 * RANK)
        refused = card.sw[:1] == "6" and card.sw[:2] not in ("61", "6C")
        if parts[0] == "address" and refused and parts[-1] in set(Addressing):
            yield Habit(("addressing", parts[-1]), card.sw, 1 * RANK)
            place = "/".join(parts[-3:-1])
            yield Habit(("addressing", f"{place} {parts[-1]}"), card.sw, 4 * RANK)
            yield Habit(("addressing", f"{parts[-3]} {parts[-1]}"), card.sw, 5 * RANK)
        if ins in (READ_RECORD, READ_BINARY) and refused:
            for way in ("number-sfi", "binary-sfi", "tag-sfi", "number-current", "tag-current", "binary-current"):
                yield Habit(("addressing", way), card.sw, 2 * RANK)
        if ins == SELECT and refused:
            for selection in Selection:
                yield Habit(("selection", str(selection)), card.sw, 1 * RANK)
                if len(parts) > 2 and parts[1] in self.places:
                    yield Habit(("selection", f"{parts[1]} {selection}"), card.sw, 4 * RANK)
        if parts[0] == "unknown" and parts[1].startswith("class-"):
            yield Habit(("classes", card.command[:2]), "00", 3 * RANK)
        if parts[0] == "response" and parts[1].startswith("class-"):
            yield Habit((FOLLOWS_CLASS,), True, 0)
            yield Habit(("classes", card.command[:2]), "00", 4 * RANK)
        if card.sw == twin.sw == f"{SW.OK:04X}" and ins == SELECT:
            yield from self._by_fci(card, parts)
        if card.sw == f"{SW.INS_NOT_SUPPORTED:04X}":
            yield Habit(("commands", card.command[:4]), "absent", 2 * RANK)

    @staticmethod
    def _by_le(card: Asked, ins: str) -> Iterator[Habit]:
        sw = card.sw
        words = ["6Cxx", "whole", "61xx"]
        if sw[:1] == "6" and sw[:2] not in ("61", "6C"):
            words.append(sw)
        for le in Le:
            for word in (*words, *(("part",) if le is Le.SHORT else ())):
                yield Habit(("le", ins, str(le)), word, 1 * RANK)

    def _by_fci(self, card: Asked, parts: Sequence[str]) -> Iterator[Habit]:
        """The FCI byte by byte, hidden bytes as zeros."""
        digits = "".join(one if one[:1] != "*" else "00" * int(one[1:]) for one in card.shape.split())
        if len(parts) > 1 and parts[1] in self.layout.applications:
            yield Habit(("fci", parts[1]), digits, 3 * RANK)
        if parts[0] == "fid":
            home, fid = parts[1], int(parts[2], 16)
            for path, spec in self.layout.files.items():
                if spec.application == home and spec.fid == fid:
                    yield Habit(("fci", path), digits, 3 * RANK)

    def _by_status(self, card: Asked, twin: Asked, *, few: bool) -> Iterator[Habit]:
        """Another status word where ours is one, too."""
        if not card.sw or not twin.sw or card.sw == twin.sw or card.sw[0] not in "69":
            return
        if card.length or twin.length:
            return
        found, answer = twin.sw, card.sw
        if found[:2] in ("6C", "61"):
            found = f"{found[:2]}xx"
        elif found[:3] == answer[:3] == "63C":
            return
        elif found[:3] == "63C":
            found = "63Cx"
        ins = card.command[2:4]
        of_none = found in ("6E00", "6D00")
        yield Habit(("status", f"{ins}:{found}"), answer, (9 if of_none else 3) * RANK)
        yield Habit(("status", f"*:{found}"), answer, (3 if of_none else 6) * RANK)
        if few:
            yield Habit(("status", f"{card.command[:8]}:{found}"), answer, 8 * RANK)
            yield Habit(("status", f"{card.command[:6]}xx:{found}"), answer, 7 * RANK)
            yield Habit(("status", f"{card.command[:4]}xx{card.command[6:8]}:{found}"), answer, 7 * RANK)
        for place in self._places(card.probe):
            yield Habit(("status", f"{place} {ins}:{found}"), answer, (4 if "/" in place else 5) * RANK)
            if few:
                yield Habit(("status", f"{place} {card.command[:6]}xx:{found}"), answer, 7 * RANK)

    def _places(self, probe: str) -> Iterator[str]:
        """Applications and files that a probe's name has in it."""
        parts = probe.split("/")
        for one, two in zip(parts, (*parts[1:], ""), strict=True):
            if f"{one}/{two}" in self.places:
                yield f"{one}/{two}"
            if one in self.places:
                yield one

    @staticmethod
    def _by_order(card: Asked, twin: Asked) -> Iterator[Habit]:
        """A check that comes earlier, where two faults were asked for at once."""
        if card.sw == twin.sw or not card.probe.startswith(("order/", "wrong/", "unknown/", "sfi/", "challenge/")):
            return
        checks = list(Check)
        for at, ahead in enumerate(checks):
            for far, check in enumerate(checks[at + 1 :]):
                if check not in OF_EVERY_COMMAND:
                    yield Habit(("before", f"{card.command[2:4]} {check}"), str(ahead), 2 * RANK + far)
                yield Habit(("before", str(check)), str(ahead), 2 * RANK + RANK // 2 + far)

    def _by_challenges(self, left: Sequence[Mismatch]) -> Iterator[Habit]:
        """Lengths of challenges, where any was given that ours does not give, or refused that ours gives."""
        asked = [one for one in self.card.values() if one.probe.startswith("challenge/")]
        if not any(card.probe.startswith("challenge/") for card, __ in left):
            return
        given = {
            int(one.command[8:10], 16)
            for one in asked
            if one.sw == f"{SW.OK:04X}" and len(one.command) == 10 and int(one.command[8:10], 16) == one.length
        }
        if given and tuple(sorted(given)) != CHALLENGES:
            yield Habit(("challenge",), sorted(given), 0)
        for name, le in (("absent", Le.ABSENT), ("00", Le.ZERO)):
            one = self.card.get(f"challenge/{name}")
            if one is not None and one.sw[:2] == "6C":
                yield Habit(("le", CHALLENGE, str(le)), "6Cxx", 0)
            if one is None or not one.length:
                continue
            yield Habit(("le", CHALLENGE, str(le)), "whole", 0)
            if one.length != USUAL_CHALLENGE:
                yield Habit(("challenge_unasked",), one.length, 0)


def _until(script: list[Step], probes: set[str]) -> list[Step]:
    """A script up to the first of these questions; nothing of one that has none."""
    at = next((at for at, step in enumerate(script) if step.probe in probes), -1)
    return script[: at + 1]


def _leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


def _entries(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _entries(value, (*above, key))
        else:
            yield (*above, key), str(value)
