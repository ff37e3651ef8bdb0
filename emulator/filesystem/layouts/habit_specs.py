"""A card's habits: where it answers otherwise than ours although it stores the same. Values only.

``habits`` reads them from a layout; whatever it leaves out is as this project's chip does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emulator.filesystem.layouts.terms import Addressing, Asked, Check, Selection, Waiting

ANY = "x"
"""Stands for any hex digit in a pattern."""
HEADER_DIGITS = 10
"""CLA INS P1 P2 P3 in hex."""
CHALLENGES = (4, 8, 16)
"""Lengths of GET CHALLENGE. [S: part5:6.5, reference:card §7]"""
USUAL_CHALLENGE = 8


def fits(pattern: str, digits: str) -> bool:
    """True if hex digits are a pattern's, any where it has x; what a command is too short for fits x alone."""
    return all(one in (ANY, other) for one, other in zip(pattern, digits.ljust(len(pattern), "-"), strict=False))


@dataclass(frozen=True, slots=True)
class StatusHabit:
    """Another status word than ours: in ``place`` (an application or a file, empty for any), to commands whose first
    bytes are of ``header`` (10 digits of hex or x), ``answer`` where ours is of ``found`` (4 digits; x in ``answer`` is
    our own digit).
    """

    place: str
    header: str
    found: str
    answer: str

    @property
    def weight(self) -> tuple[bool, int]:
        """How exactly it says where it holds: of several the heaviest does."""
        return bool(self.place), sum(digit != ANY for digit in self.header + self.found)

    def of(self, sw: int) -> int:
        """What is answered instead of our status word."""
        return int(
            "".join(own if digit == ANY else digit for digit, own in zip(self.answer, f"{sw:04X}", strict=True)), 16
        )

    def holds(self, command: bytes, sw: int, places: Iterable[str]) -> bool:
        """True for this command, answered so, in these places."""
        return (
            (not self.place or self.place in places)
            and fits(self.found, f"{sw:04X}")
            and fits(self.header, command[:5].hex().upper())
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way to name something that this card does not take, in ``place`` (empty for everywhere): the status word."""

    place: str
    way: Addressing | Selection
    sw: int


@dataclass(frozen=True, slots=True)
class Moved:
    """``check`` comes just before ``ahead_of``; for one instruction, or for all (None)."""

    ins: int | None
    check: Check
    ahead_of: Check


@dataclass(frozen=True, slots=True)
class HabitsSpec:
    """``[habits]``. Instructions by their INS byte. ``le``: per instruction what is answered to each Le: ``6Cxx``,
    ``whole``, ``part`` (so many bytes), ``61xx``, or a status word, which comes with the data if it is 62xx.

    ``commands``: our class and instruction (16 bits), and those under which this card has it, None where it has not.
    ``classes``: further ones, taken as those that they stand for. ``challenge``: lengths that GET CHALLENGE gives, and
    ``unasked`` the one where Le is 00 or absent and ``le`` lets it answer. ``fci``: what SELECT answers, by application
    or file.
    """

    status: tuple[StatusHabit, ...] = ()
    moved: tuple[Moved, ...] = ()
    le: Mapping[int, Mapping[Asked, str]] = field(default_factory=dict)
    challenge: tuple[int, ...] = CHALLENGES
    unasked: int = USUAL_CHALLENGE
    waiting: Mapping[int, Waiting] = field(default_factory=dict)
    commands: Mapping[int, int | None] = field(default_factory=dict)
    classes: Mapping[int, int] = field(default_factory=dict)
    addressing: tuple[Refusal, ...] = ()
    selection: tuple[Refusal, ...] = ()
    fci: Mapping[str, bytes] = field(default_factory=dict)
    grade: str = "D"
    sources: tuple[str, ...] = ()

    def order(self, ins: int) -> tuple[Check, ...]:
        """The checks of an instruction in this card's order."""
        order = list(Check)
        for moved in self.moved:
            if moved.ins in (None, ins):
                order.remove(moved.check)
                order.insert(order.index(moved.ahead_of), moved.check)
        return tuple(order)

    def status_word(self, command: bytes, sw: int, places: Iterable[str]) -> int:
        """What this card says where ours says ``sw``."""
        for habit in self.status:
            if habit.holds(command, sw, places):
                return habit.of(sw)
        return sw

    def refuses(self, way: Addressing | Selection, places: Iterable[str]) -> int | None:
        """The status word to a way that this card does not take in one of these places, None if it does."""
        refusals = self.addressing if isinstance(way, Addressing) else self.selection
        fitting = [one for one in refusals if one.way is way and (not one.place or one.place in places)]
        return max(fitting, key=lambda one: bool(one.place)).sw if fitting else None


__all__ = ["ANY", "CHALLENGES", "HEADER_DIGITS", "HabitsSpec", "Moved", "Refusal", "StatusHabit", "fits"]
