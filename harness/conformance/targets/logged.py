"""A connection that writes down what goes over it, for a report."""

from __future__ import annotations

from dataclasses import dataclass

from harness.readers.connection import Connection
from harness.verdicts.log import CardLog


@dataclass(slots=True)
class Logged:
    """A connection that writes down what goes over it."""

    inner: Connection
    log: CardLog

    @property
    def atr(self) -> bytes:
        """The last answer to reset."""
        return self.inner.atr

    def reset(self) -> bytes:
        """Resets the card."""
        atr = self.inner.reset()
        self.log.powered("reset", atr)
        return atr

    def send(self, command: bytes) -> bytes:
        """One command."""
        answer = self.inner.send(command)
        self.log.sent(command, answer)
        return answer

    def close(self) -> None:
        """Lets the card go."""
        self.inner.close()
