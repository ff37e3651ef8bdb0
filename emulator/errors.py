"""The root of every error of ours: what is wrong, in one sentence, and what kind of wrong it is.

The command line, the services over HTTP and the driver each turn an error into their own answer in one place, by its
``kind`` and ``word``; nobody keeps lists of classes, and nobody reads an error's text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar


class ErrorKind(StrEnum):
    """What is to be mended, and by whom."""

    USAGE = "usage"
    """It was asked for in a way that means nothing: the one who asks."""
    INPUT = "input"
    """A value, text or file is not what it should be: whoever wrote it."""
    REFUSED = "refused"
    """A rule, a card or an office does not allow it: nothing is broken."""
    MISSING = "missing"
    """Something that is named or needed is not there."""
    BROKEN = "broken"
    """Something on the way failed: a reader, a connection, a store, a card."""


class SscardError(Exception):
    """What was wrong, where, what was expected, and what mends it."""

    kind: ClassVar[ErrorKind] = ErrorKind.BROKEN
    exit_code: ClassVar[int] = 1
    """Of the command that it ends."""
    word: str = ""
    """For programs, where the kind alone does not say it. An error that has one may be told in its own words to whoever
    asks from elsewhere: they quote nothing of what was sent, and name no place of this machine, or ``afar`` stands for
    them.
    """
    afar: ClassVar[str] = ""
    """What is told elsewhere in place of its own words; empty: they are told as they are."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is told at a terminal, a line each."""
        return (str(self),)

    @property
    def details(self) -> dict[str, Any]:
        """What stands beside kind and text for programs, as JSON takes it."""
        return {}

    def as_table(self) -> dict[str, Any]:
        """For JSON: ``kind`` for programs, ``text`` for people, and the details."""
        return {"kind": self.word or str(self.kind), "text": str(self), **self.details}


class CardFailure(SscardError):
    """Work on a card did not come to its end: the card refused, left, lost power, or has no room for a value."""

    answered: ClassVar[bool] = True
    """False where no answer came, so that nobody can say whether the card has done what it was asked."""


class Misuse(SscardError, ValueError):
    """What was asked for means nothing together: the command line tells it as wrong usage."""

    kind = ErrorKind.USAGE
    exit_code = 2


class NotFound(SscardError, LookupError):
    """Nothing is called so."""

    kind = ErrorKind.MISSING
