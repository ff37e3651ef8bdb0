"""Where a scenario is played: a fresh register and virtual cards, at a moment that stands still."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from emulator import catalogue
from emulator.chip import Chip
from emulator.errors import NotFound
from emulator.filesystem.memory.cells import Cell, CellKey
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from emulator.messages import _
from emulator.override import override
from harness.clock import Clock
from harness.office.cards.store import CardStore
from harness.office.case.services import Services
from harness.office.desk.office import Office
from harness.office.register import seed
from harness.office.register.store import Register
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess
from harness.verdicts.log import Log

BLANK = "blank"
HASH_COST = 2
"""The least that scrypt takes: the register is thrown away, and its PINs stand in the scenario."""


class Drawn:
    """Challenges that are the same in every run, so that a scenario's exchanges are, too."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = seed, 0

    def __call__(self, size: int) -> bytes:
        """Returns the next so many bytes, the same in every run."""
        self._count += 1
        return sha256(f"{self._seed} {self._count}".encode()).digest()[:size]


class Torn:
    """A card that is pulled out when its power is cut: the reader has none afterwards."""

    def __init__(self, inner: InProcess) -> None:
        self._inner, self._out = inner, False

    @property
    def atr(self) -> bytes:
        """Returns the answer to the last reset."""
        return self._inner.atr

    def _there(self) -> None:
        if self._out:
            raise pcsc.PcscError(_("no card: it was torn out"), pcsc.NO_SMARTCARD)

    def reset(self) -> bytes:
        """Resets the card. PcscError once it is out."""
        self._there()
        return self._inner.reset()

    def send(self, command: bytes) -> bytes:
        """PcscError when it is torn out, and from then on."""
        self._there()
        try:
            return self._inner.send(command)
        except PowerCut as cut:
            self._out = True
            raise pcsc.PcscError(_("the card was torn out"), pcsc.NOT_TRANSACTED) from cut

    def close(self) -> None:
        """Lets the card go."""
        self._inner.close()


class Pocket(CardStore):
    """All cards of a scenario, as chips that live on between steps: one that was torn finishes at its next power-on."""

    def __init__(self, folder: Path, drawn: Drawn, log: Log) -> None:
        super().__init__(folder, durable=False)
        self.chips: dict[str, Chip] = {}
        self._drawn, self._log = drawn, log

    def put(self, number: str, image: Image) -> None:
        """A new card; a blank chip becomes the card of this number."""
        self.chips[number] = Chip(image.fork(), random=self._drawn, observer=self._log.card(image.layout))

    @override
    def has(self, number: str) -> bool:
        return number in self.chips

    @contextlib.contextmanager
    def inserted(self, number: str) -> Iterator[Connection]:
        """The card in the reader. LookupError."""
        with self.torn(number, None) as connection:
            yield connection

    @contextlib.contextmanager
    def torn(self, number: str, after: int | None) -> Iterator[Connection]:
        """The card in the reader, from which it is torn after so many non-volatile writes; None: never."""
        if number not in self.chips:
            raise NotFound(_("no card {number} was made in this scenario").format(number=number))
        chip = self.chips[number]
        memory = chip.image.memory
        memory.nvm.cut_after = after
        connection = InProcess(chip)
        try:
            yield connection if after is None else Torn(connection)
        finally:
            connection.close()
            memory.nvm.cut_after = None
            if after is not None:
                # What the cut interrupted is finished or forgotten only when power comes back.
                chip.power_on()
                chip.power_off()

    def snapshot(self) -> dict[str, dict[CellKey, Cell]]:
        """Returns what every card holds, by the card's number."""
        return {number: chip.image.memory.snapshot() for number, chip in self.chips.items()}


def fresh(folder: Path) -> Register:
    """A register of a scenario's own, in this folder, with the small world of ``seed`` in it."""
    seed.write(folder / "register.db")
    return Register(folder / "register.db", durable=False, hash_cost=HASH_COST)


class Stage:
    """The office, its outlets and its cards. ``profile``: layout and algorithm of cards that are made."""

    def __init__(
        self, folder: Path, start: datetime, profile: str, name: str, pocket: type[Pocket] | None = None
    ) -> None:
        layout, __, algorithm = profile.partition("-")
        self.profile = (layout, algorithm)
        self.log = Log()
        self.clock = Clock(start)
        self.pocket = (pocket or Pocket)(folder / "cards", Drawn(f"{name} {profile}"), self.log)
        self.services = Services(self.pocket)
        self.register = fresh(folder)
        self.office = Office(self.register, self.services, self.clock)

    def blank(self) -> str:
        """An empty chip of this profile, under the name that readers of scenarios know."""
        layout, algorithm = self.profile
        self.pocket.put(BLANK, catalogue.tree(layout, algorithm))
        return BLANK

    def became(self, number: str) -> None:
        """The blank chip is this card from now on."""
        self.pocket.chips[number] = self.pocket.chips.pop(BLANK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.register.close()
