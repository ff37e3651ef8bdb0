"""Whose turn it is at a set of readers that several clients share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

HOLD = 30.0
"""Seconds that a client between two steps keeps the readers from others. [D]"""


class Client(Protocol):
    """One that may be between two steps, with a card open."""

    def let_go(self) -> None:
        """Closes the card: another client has the readers now."""


class Turns:
    """One call at a time. A client between two steps keeps the readers for ``hold`` seconds; from then on whoever comes
    takes them.
    """

    def __init__(self, hold: float = HOLD) -> None:
        self._hold = hold
        self._changed = threading.Condition()
        self._busy = False
        self._keeper: Client | None = None
        self._until = 0.0

    @contextmanager
    def turn(self, client: Client) -> Iterator[None]:
        """The readers for one call, as soon as they are to be had."""
        with self._changed:
            while self._busy or (wait := self._kept_from(client)) > 0:
                self._changed.wait(None if self._busy else wait)
            self._busy = True
            keeper, self._keeper = self._keeper, None
        try:
            if keeper is not None and keeper is not client:
                keeper.let_go()
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _kept_from(self, client: Client) -> float:
        """Seconds for which another client keeps the readers."""
        return 0.0 if self._keeper in (None, client) else self._until - time.monotonic()

    def keep(self, client: Client) -> None:
        """Within its turn a client says that another step of its own follows."""
        self._keeper, self._until = client, time.monotonic() + self._hold
