"""One way to play a vector: the cards, their shape, who follows, and whose cards they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.reader.shape import ReaderShape
from harness.conformance.models import Follows
from harness.conformance.person import Person
from harness.readers.connection import Connection
from harness.terminal.terminal import Terminal
from harness.verdicts.causes import Cause


class Unsuitable(SscardError):
    """This vector is not for this target; the text says why."""

    kind = ErrorKind.REFUSED


class Missing(SscardError):
    """The vector is for this target, but something is not at hand: a key, the PIN, a PSAM, a recording of it.
    ``cause``: which of these.
    """

    kind = ErrorKind.MISSING

    def __init__(self, text: str, cause: Cause = Cause.OTHER) -> None:
        super().__init__(text)
        self.cause = cause


@dataclass(slots=True)
class Play:
    """``pin``: the card's, empty where it is not known. ``person`` and ``psam_person``: whose the cards are; None where
    nobody knows, and then nothing is said about what a program takes out of answers. ``follows``: who follows 61xx and
    6Cxx, as a vector says it. ``shape``: the reader's, where the vector is played in several. ``pin_tries``: how many
    tries the PIN has; 0: as many as the layout says. ``stopped``: why nothing more was sent to a card that is guarded,
    None where all was; ``finished``: every step was done, and none failed.
    """

    terminal: Terminal
    pin: str
    psam: Connection | None = None
    person: Person | None = None
    psam_person: Person | None = None
    follows: Follows = Follows.READER
    shape: ReaderShape | None = None
    pin_tries: int = 0
    stopped: Callable[[], Missing | None] = lambda: None
    finished: bool = False

    @property
    def words(self) -> str:
        """Which of several ways it is, for a report."""
        told = [_("in the {shape} shape").format(shape=self.shape)] if self.shape else []
        return "".join(
            f", {one}" for one in [*told, *([_("nobody following")] if self.follows is Follows.NONE else [])]
        )
