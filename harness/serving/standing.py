"""How a card in a slot stands: life cycle, tries, rights won, what is selected; in words and numbers, for programs.

Neither PINs nor keys nor what files hold is ever in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.chip import Chip
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import IssuedState
from emulator.filesystem.memory.cells import (
    ACTIVATION,
    CARD_STATE,
    UNBLOCKINGS_CELL,
    VERSIONS,
    Activation,
    ApplicationLife,
    CardLife,
    Cell,
    CellKey,
    key_cell,
    state_cell,
    tries_cell,
)
from emulator.security import PIN
from emulator.session import Session

LIVES = {CardLife.IN_USE: IssuedState.IN_USE, CardLife.BLANK: IssuedState.BLANK, CardLife.BLOCKED: IssuedState.BLOCKED}
Cells = Mapping[CellKey, Cell]


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """What a reset would forget, without its secrets: names, and whether something is there."""

    directory: str
    file: str = ""
    """The current EF by its path, ``SSSE/EF05``; empty for none."""
    record: int = 0
    rights: frozenset[str] = frozenset()
    challenge: bool = False
    transaction: bool = False
    session_key: bool = False
    waiting: int = 0
    """Bytes of an answer that wait for GET RESPONSE."""

    @classmethod
    def of(cls, session: Session) -> SessionSeen:
        """What is seen of a session. Of one that a command is at work on, each part is whole by itself."""
        file = session.file
        return cls(
            session.directory.spec.id,
            file.path if file else "",
            session.record,
            frozenset(session.rights),
            session.challenge is not None,
            session.transaction is not None,
            session.session_key is not None,
            len(session.pending),
        )

    def as_table(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "directory": self.directory,
            "file": self.file,
            "record": self.record,
            "rights": sorted(self.rights),
            "challenge": self.challenge,
            "transaction": self.transaction,
            "session_key": self.session_key,
            "waiting": self.waiting,
        }


def of_memory(layout: Layout, cells: Cells) -> dict[str, Any]:
    """Life cycle, tries of the PIN and of each key. ``of`` 0 and ``left`` None: as often as one likes."""
    pin = layout.pin
    keys = [
        {
            "name": name,
            "application": key.application,
            "left": cells.get(tries_cell(name)) if key.tries else None,
            "of": key.tries,
            "versions": [version for version in VERSIONS if key_cell(name, version) in cells],
        }
        for name, key in layout.keys.items()
    ]
    lives = {name: cells.get(state_cell(name), 0) for name, app in layout.applications.items() if app.parent}
    return {
        "life": str(LIVES[CardLife(_number(cells, CARD_STATE))]),
        "activated": None if layout.activation is None else Activation(_number(cells, ACTIVATION)) is Activation.ACTIVE,
        "blocked": {
            name: ApplicationLife(int(life)).name.lower()
            for name, life in lives.items()
            if isinstance(life, int) and life
        },
        "pin": {"left": cells.get(tries_cell(PIN)), "of": pin.tries} if pin.application else None,
        "unblockings": {"left": cells.get(UNBLOCKINGS_CELL), "of": layout.unblockings} if pin.unblock_key else None,
        "keys": keys,
    }


def of_chip(chip: Chip) -> dict[str, Any]:
    """All that is told of a card in a slot. Waits for no command: during one, it may be as before or after it."""
    image = chip.image
    return {
        "card": str(image.layout.card),
        "layout": image.layout.name,
        "fingerprint": image.layout.fingerprint,
        "algorithm": image.algorithm,
        "atr": chip.atr.hex().upper(),
        "powered": chip.powered,
        **SessionSeen.of(chip.session).as_table(),
        **of_memory(image.layout, image.memory.snapshot()),
    }


def _number(cells: Cells, name: CellKey) -> int:
    value = cells.get(name, 0)
    assert isinstance(value, int)
    return value
