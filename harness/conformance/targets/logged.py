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
        """Returns the answer to the last reset."""
        return self.inner.atr

    def reset(self) -> bytes:
        """Resets the card and notes it; returns the ATR."""
        atr = self.inner.reset()
        self.log.powered("reset", atr)
        return atr

    def send(self, command: bytes) -> bytes:
        """Sends one command and notes it with its answer."""
        answer = self.inner.send(command)
        self.log.sent(command, answer)
        return answer

    def close(self) -> None:
        """Lets the card go."""
        self.inner.close()
