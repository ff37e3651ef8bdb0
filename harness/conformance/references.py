"""What texts in a vector refer to, read in one place: bytes of a value, tries of a layout, values by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

PLACE = re.compile(r"\$\{([a-z0-9_]+)(?::(lv|\d*:\d*))?\}")
"""A value by its name in a text of hex: ``${name}``, ``${name:2:4}`` some of its bytes, ``${name:lv}`` with length."""
REPETITION = "n"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a value: from ``start`` on, up to ``end`` and without it; None: to the end of the value."""

    start: int = 0
    end: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns what ``2:10``, ``:4`` or ``2:`` means. ValueError where a side is no number."""
        start, __, end = text.partition(":")
        return cls(int(start or 0), int(end) if end else None)

    @property
    def part(self) -> slice:
        """What it takes out of bytes or digits."""
        return slice(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Tries:
    """A number of tries by whose they are in the layout: ``key`` is PIN or a key's name. ``less``: so many fewer;
    ``repetition``: fewer by as often as the step was done.
    """

    key: str
    less: int = 0
    repetition: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns what ``PIN``, ``PIN-1`` or ``UKSSSE-n`` means. ValueError where what is less is no number."""
        key, __, less = text.partition("-")
        return cls(key, repetition=True) if less == REPETITION else cls(key, int(less or 0))

    def left(self, tries: int, count: int) -> int:
        """How many are left of the layout's ``tries`` when the step is done for the ``count``-th time."""
        return tries - (count if self.repetition else self.less)


def names_in(text: str) -> Iterator[str]:
    """The names of values that a text of hex holds."""
    for place in PLACE.finditer(text):
        yield place[1]
