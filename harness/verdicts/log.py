"""What went between terminal and cards, kept for a report; and what names it all, kept or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from emulator import interface
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import Layout
from harness.trace.mask import PersonalData


@dataclass(slots=True)
class Line:
    """One exchange as a report shows it: bytes (secrets masked by the writer) and the chip's reason, if it told one.

    ``number``: its line in the trace that it was read from, 0 where there is none; ``time``: when, as that trace says.
    ``card`` tells the cards of one log apart; ``layout`` is that card's, None where it is not known. No command: a
    reset, and its ATR. ``step``: the step of a vector that it belongs to, from 1, 0 where it is of none.
    """

    command: bytes
    answer: bytes
    reason: str = ""
    number: int = 0
    time: str = ""
    card: int = 0
    layout: Layout | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What names a session: the SHA-256 over all that went between terminal and cards, the cards by ATR less the
    chip's serial number, how many commands.
    """

    sha256: str
    cards: frozenset[str]
    commands: int


class Log:
    """Keeps what went over some connections. ``lines`` may be cut at any time; ``heard`` covers all that ever came.

    ``private``: the cards may be persons': what may not stand in a report is zero in the hash too, as neither a PIN
    nor a name is to be found out by trying.
    """

    def __init__(self, *, private: bool = False) -> None:
        self.lines: list[Line] = []
        self.step = 0
        """The step that what comes next belongs to."""
        self._private = private
        self._digest = sha256()
        self._atrs: set[str] = set()
        self._cards = self._commands = 0

    def card(self, layout: Layout | None = None) -> CardLog:
        """What writes down one more card's exchanges: an observer of chips."""
        self._cards += 1
        return CardLog(self, self._cards - 1, layout, PersonalData(layout) if self._private else None)

    @property
    def heard(self) -> Heard:
        """What names all that has come so far."""
        return Heard(self._digest.hexdigest(), frozenset(self._atrs), self._commands)

    def add(self, line: Line, people: PersonalData | None) -> None:
        """One more line; ``people`` hides what its card says of somebody."""
        line.step = self.step
        self.lines.append(line)
        command, answer = line.command, line.answer
        if not command:
            self._atrs.add(interface.masked(answer).hex().upper())
            answer = interface.masked(answer) if people else answer
            if people:
                people.reset()
        else:
            self._commands += 1
            if people:
                command, answer = (one.zeroed for one in people.seen(command, answer))
        self._digest.update(f"{line.card} {command.hex()} {answer.hex()}\n".encode())


@dataclass(slots=True)
class CardLog:
    """Writes down one card's exchanges."""

    log: Log
    number: int = 0
    layout: Layout | None = None
    people: PersonalData | None = field(default=None, repr=False)

    def exchanged(self, exchange: Exchange) -> None:
        """One command of a virtual card."""
        self.sent(exchange.command, exchange.answer, exchange.reason)

    def powered(self, event: str, atr: bytes) -> None:
        """A reset is an empty command."""
        if event == "reset":
            self.sent(b"", atr)

    def sent(self, command: bytes, answer: bytes, reason: str = "") -> None:
        """Notes one command and its answer."""
        self.log.add(Line(command, answer, reason, card=self.number, layout=self.layout), self.people)
