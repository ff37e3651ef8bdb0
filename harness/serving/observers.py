"""Several observers of one chip, each told for itself: one that fails is told no more, and the others go on."""

from __future__ import annotations

from collections.abc import Callable

from emulator.chip import Exchange, Observer, failed, told
from harness.faults.chip import FaultObserver
from harness.readers.observed import ReaderObserver


class Observers:
    """An observer that hands on what it is told. Others come and leave at any time, from any thread."""

    def __init__(self, *members: Observer) -> None:
        self._members = members

    @property
    def shortest(self) -> Observer | None:
        """What a chip is to tell so that all are told: nobody, the only one, or this."""
        if len(self._members) > 1:
            return self
        return self._members[0] if self._members else None

    def add(self, one: Observer) -> None:
        """Another that is told from now on, once, however often it is added."""
        if one not in self._members:
            self._members = (*self._members, one)

    def remove(self, one: Observer) -> None:
        """It is told no more."""
        self._members = tuple(other for other in self._members if other is not one)

    def exchanged(self, exchange: Exchange) -> None:
        """One command was answered."""
        for one in self._members:  # as ``_tell``, with less between: this is for every command
            try:
                one.exchanged(exchange)
            except Exception as error:  # the others are told all the same
                failed(one, error)
                self.remove(one)

    def powered(self, event: str, atr: bytes) -> None:
        """``reset`` (with the ATR) or ``off``."""
        self._tell(lambda one: one.powered(event, atr))

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """A fault came: told to those that care."""

        def act(one: Observer) -> None:
            if isinstance(one, FaultObserver):
                one.injected(fault, kind, exchange)

        self._tell(act)

    def reader_answered(self, exchange: Exchange) -> None:
        """A contactless reader answered by itself: told to those that care."""

        def act(one: Observer) -> None:
            if isinstance(one, ReaderObserver):
                one.reader_answered(exchange)

        self._tell(act)

    def _tell(self, act: Callable[[Observer], object]) -> None:
        for one in self._members:
            if told(one, act) is None:
                self.remove(one)
