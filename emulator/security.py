"""Rights and access conditions. Values: nothing here reads or writes a file."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from emulator.messages import CHINESE, _, asked

PIN = "PIN"
"""The name of the right that a verified PIN gives. Every other right is named like its key."""


class Condition(Protocol):
    """Who may do something to a file."""

    def satisfied(self, rights: Set[str]) -> bool:
        """True if these rights are enough."""


@dataclass(frozen=True, slots=True)
class Always:
    """Free: no right is asked for."""

    def satisfied(self, rights: Set[str]) -> bool:  # noqa: ARG002
        """True, whatever rights are held."""
        return True

    def __str__(self) -> str:
        return "free"


@dataclass(frozen=True, slots=True)
class Never:
    """Nobody, by commands of this kind."""

    def satisfied(self, rights: Set[str]) -> bool:  # noqa: ARG002
        """False, whatever rights are held."""
        return False

    def __str__(self) -> str:
        return "never"


@dataclass(frozen=True, slots=True)
class Right:
    """One right: the PIN verified, or the key of this name authenticated."""

    name: str

    def satisfied(self, rights: Set[str]) -> bool:
        """True if the right was won."""
        return self.name in rights

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of several is enough."""

    parts: tuple[Right, ...]

    def satisfied(self, rights: Set[str]) -> bool:
        """True if any part is satisfied."""
        return any(part.name in rights for part in self.parts)

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of several are needed."""

    parts: tuple[Right, ...]

    def satisfied(self, rights: Set[str]) -> bool:
        """True if every part is satisfied."""
        return all(part.name in rights for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(map(str, self.parts))


def parse_condition(text: str) -> Condition:
    """A condition as layouts write it: ``free``, ``never``, ``PIN``, a key's name, or names joined by or / and.

    ValueError, saying what was expected, for anything else.
    """
    words = text.split()
    names, joints = words[::2], set(words[1::2])
    if len(words) % 2 == 0 or joints - {"or", "and"} or len(joints) > 1:
        raise ValueError(
            _("expected 'free', 'never', or names joined by all 'or' or all 'and', found {text!r}").format(text=text)
        )
    if text in ("free", "never"):
        return Always() if text == "free" else Never()
    if {"free", "never", "or", "and"} & set(names):
        raise ValueError(_("'free' and 'never' stand alone, found {text!r}").format(text=text))
    parts = tuple(map(Right, names))
    if len(parts) == 1:
        return parts[0]
    return AllOf(parts) if joints == {"and"} else AnyOf(parts)


UNCONDITIONAL = {"free": ("free", "自由"), "never": ("never", "不允许")}


def in_words(condition: Condition) -> str:
    """A condition in the user's language; in English as layouts write it."""
    if isinstance(condition, AnyOf | AllOf):
        joint = _(" and ") if isinstance(condition, AllOf) else _(" or ")
        return joint.join(part.name for part in condition.parts)
    if isinstance(condition, Right):
        return condition.name
    english, chinese = UNCONDITIONAL[str(condition)]
    return chinese if asked() == CHINESE else english


def names_in(condition: Condition) -> tuple[str, ...]:
    """The rights that a condition mentions, in its order."""
    if isinstance(condition, Right):
        return (condition.name,)
    if isinstance(condition, AnyOf | AllOf):
        return tuple(part.name for part in condition.parts)
    return ()
