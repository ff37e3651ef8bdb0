"""What stands in a scenario for something that is only known when it runs: ``$made.card``, ``$a.document.number``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

MARK = "$"


@dataclass(frozen=True, slots=True)
class Reference:
    """A person or an earlier step by its ``name``, and the way from there on: fields of tables, places in lists."""

    name: str
    way: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns what ``$a.document.number`` refers to."""
        name, *way = text.removeprefix(MARK).split(".")
        return cls(name, tuple(way))

    @property
    def path(self) -> tuple[str, ...]:
        """Returns the name, and the way from there."""
        return (self.name, *self.way)


def is_reference(value: object) -> bool:
    """True for a text that refers to something."""
    return isinstance(value, str) and value.startswith(MARK)
