"""What is wrong with a persona, and where."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, chinese_first


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the file and its line from 1, the key or the item, what was expected and what is there.

    ``name`` and ``name_en`` are the item's, empty for an unknown key.
    """

    source: str
    line: int
    key: str
    problem: str
    name: str = ""
    name_en: str = ""

    def __str__(self) -> str:
        named = " ".join(part for part in (self.key, chinese_first(self.name_en, self.name)) if part)
        return ": ".join(part for part in (self.place, named, self.problem) if part)

    @property
    def place(self) -> str:
        """File and line, as compilers write them."""
        return f"{self.source}:{self.line}" if self.line else self.source


class PersonaError(SscardError, ValueError):
    """A persona that cannot be used. ``finding`` says where and what was expected."""

    kind = ErrorKind.INPUT

    def __init__(self, finding: Finding, more: int = 0) -> None:
        rest = (
            _(" (and {more} more: sscard persona check {source})").format(more=more, source=finding.source)
            if more
            else ""
        )
        super().__init__(f"{finding}{rest}")
        self.finding = finding


class UnknownPersonaError(PersonaError, LookupError):
    """A name that is not a persona's."""

    kind = ErrorKind.MISSING
