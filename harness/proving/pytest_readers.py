"""What the pytest plugin's fixture ``private_reader`` gives: readers for one test's programs alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.filesystem.memory.cells import PIN_CELL
from harness.conformance import pytest_cards
from harness.faults.chip import FaultyChip, Injection
from harness.proving import card_state, stage
from harness.proving.card_state import CardChange, CardState
from harness.verdicts.log import Line, Log


@dataclass(frozen=True, slots=True)
class PrivateReader:
    """A reader with the test's card, and a second one with a PSAM, in a PC/SC of their own.

    ``environment``: this process's, with what programs need to find them, and SSCardDriver over them; ``name`` and
    ``psam_name``: of the readers; ``chip``: the card itself.
    """

    environment: dict[str, str]
    name: str
    psam_name: str
    chip: Chip
    _before: CardState = field(repr=False)
    _log: Log = field(repr=False)

    @property
    def pin(self) -> str:
        """The card's PIN."""
        return self.chip.image.memory.text(PIN_CELL)

    @property
    def lines(self) -> Sequence[Line]:
        """What went between programs and the card so far: commands and answers, a reset as an empty command."""
        return tuple(self._log.lines)

    @property
    def commands(self) -> int:
        """How many commands the card got."""
        return self._log.heard.commands

    @property
    def injections(self) -> Sequence[Injection]:
        """The faults of the marker that have come so far."""
        return self.chip.injections if isinstance(self.chip, FaultyChip) else ()

    def changes(self) -> tuple[CardChange, ...]:
        """What of the card is otherwise than it was at first, by name: ``tries/PIN changed (-1)``."""
        return card_state.changes(self._before, card_state.state(self.chip.image, b""))


@contextlib.contextmanager
def private_reader(
    folder: Path, asked: Mapping[str, Any], profile: tuple[str, str], log: Log
) -> Iterator[PrivateReader]:  # fmt: skip
    """Readers with the card that a marker asks for, its files in ``folder``. PcscError where there can be none."""
    chip, card = pytest_cards.made(folder, asked, profile, log)
    before = card_state.state(chip.image, b"")
    own = Chip(catalogue.card(personas.PSAM, personas.PSAM))
    with stage.in_readers([card, own], chip.interface) as place:
        first, second = (name for name, __ in stage.arranged(chip.interface, 2).used)
        yield PrivateReader({**os.environ, **place.environment}, first, second, chip, before, log)
