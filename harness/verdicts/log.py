"""What went between terminal and card, kept for a report."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.chip import Exchange


@dataclass(slots=True)
class Line:
    """One exchange as a report shows it: bytes (secrets masked by the writer) and the chip's reason, if it told one.

    ``number``: its line in the trace that it was read from, 0 where there is none; ``time``: when, as that trace says.
    """

    command: bytes
    answer: bytes
    reason: str = ""
    number: int = 0
    time: str = ""


@dataclass(slots=True)
class Log:
    """Keeps what went over a connection, for reports. An observer of chips."""

    lines: list[Line] = field(default_factory=list)

    def exchanged(self, exchange: Exchange) -> None:
        """One command of a virtual card."""
        self.lines.append(Line(exchange.command, exchange.answer, exchange.reason))

    def powered(self, event: str, atr: bytes) -> None:
        """A reset is an empty command."""
        if event == "reset":
            self.lines.append(Line(b"", atr))
