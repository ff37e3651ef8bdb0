"""How a function of the library runs: a card opened, the work done, the card let go; in one call or in steps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass

from emulator.filesystem.layouts.specs import Layout
from harness.driver.codes import Code, DriverError
from harness.driver.elements import NAMED
from harness.driver.failures import failure
from harness.driver.lock import Turns
from harness.driver.open_card import OpenCard
from harness.driver.pad import Pad
from harness.driver.readers import Readers
from harness.terminal.values import ItemValue

DEVICE = "SSCARD000001"
"""The device number that a virtual reader has. [D]"""
TERMINAL = "510100000001"
"""The terminal number where no PSAM tells one: in a place that does not exist. [D]"""
Answer = tuple[int, str]
Arguments = tuple[str, ...]
Flow = Generator[str, Arguments, str]
"""A function in steps: yields each step's pOutInfo, is sent the next step's arguments, returns the last pOutInfo."""


@dataclass(slots=True)
class Pending:
    """A flow between two steps, and the number of the one that comes next."""

    function: str
    step: int
    card: OpenCard
    flow: Flow


class Calls:
    """One client of the library, over any readers. Every call opens the card and lets it go; between the steps of a
    function the card stays open, until another call, an error, or another client of the same ``turns`` that has waited
    for long enough.
    """

    def __init__(
        self,
        readers: Readers,
        pad: Pad | None = None,
        *,
        turns: Turns | None = None,
        device: str = DEVICE,
        terminal: str = TERMINAL,
        layout: Layout | None = None,
        elements: str = NAMED,
    ) -> None:
        """``turns``: shared by all clients of the same readers. ``terminal``: its number, 12 digits. ``layout``: the
        cards', with its files, keys and their ids; None: the one that each card's version tells. ``elements``: how
        those of items and the fields of records stand in strings, ``named`` or ``^``.
        """
        self.pad = pad or Pad()
        self._readers = readers
        self._turns = turns or Turns()
        self._device = device
        self._terminal = terminal
        self._layout = layout
        self._elements = elements
        self._pending: Pending | None = None
        self.told: list[ItemValue] = []
        """The items that the last reading gave, each in the meaning that the card has it in."""

    @property
    def pending(self) -> str:
        """The operation between two of whose steps this client is, without ``_HSM_Step``; empty where it is in none."""
        pending = self._pending
        return pending.function if pending is not None else ""

    def close(self) -> None:
        """The client goes: what it left open is closed."""
        if self._pending is not None:
            with self._turns.turn(self):
                self.let_go()

    def let_go(self) -> None:
        """Closes the card between two steps: the next one answers -12."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.flow.close()
            pending.card.close()

    def _open(self, kind: int) -> OpenCard:
        return OpenCard.open(self._readers, kind, self._layout, self._elements)

    def _call(self, kind: int, work: Callable[[OpenCard], str]) -> Answer:
        with self._turns.turn(self):
            try:
                self.let_go()
                with contextlib.closing(self._open(kind)) as card:
                    self.told = card.told
                    return int(Code.DONE), work(card)
            except Exception as error:
                return _answer(error)

    def _first(self, function: str, kind: int, start: Callable[[OpenCard], Flow]) -> Answer:
        """Carries out step 1 of a function: opens the card and runs its flow up to the machine's part."""
        with self._turns.turn(self):
            try:
                self.let_go()
                card = self._open(kind)
                self.told = card.told
            except Exception as error:
                return _answer(error)
            self._pending = Pending(function, 1, card, start(card))
            return self._advance(self._pending, None)

    def _step(self, function: str, step: int, *given: str, again: bool = False) -> Answer:
        """A later step; -12 where none comes before it. ``again``: the last step may come several times."""
        if self._pending is None:  # whoever has no card waits for none
            return _answer(DriverError(Code.NOT_CONNECTED))
        with self._turns.turn(self):
            pending = self._pending
            if pending is None or pending.function != function or not (
                pending.step == step or (again and pending.step > step)
            ):  # fmt: skip
                self.let_go()
                return _answer(DriverError(Code.NOT_CONNECTED))
            return self._advance(pending, given)

    def _advance(self, pending: Pending, given: Arguments | None) -> Answer:
        try:
            out = next(pending.flow) if given is None else pending.flow.send(given)
        except StopIteration as done:
            self.let_go()
            return int(Code.DONE), str(done.value)
        except Exception as error:
            self.let_go()
            return _answer(error)
        pending.step += 1
        self._turns.keep(self)
        return int(Code.DONE), out


def _answer(error: Exception) -> Answer:
    told = failure(error)
    return told.code, told.text
