"""The cells of a card's memory: what each is called, what it holds, and the life cycles that some of them count."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

Cell: TypeAlias = "int | str | bytes | tuple[bytes, ...]"
"""A counter, the PIN's digits, a key or a data object, or a file: its records, or for a transparent file its bytes."""


class CellKind(StrEnum):
    """What a cell is; the word stands in image files."""

    FILE = "file"
    KEY = "key"
    PIN = "pin"
    PURSE = "purse"
    STATE = "state"
    TRIES = "tries"
    DATA = "data"

    @property
    def holds(self) -> type:
        """The type of every cell of this kind."""
        return _HOLDS[self]

    @property
    def counts(self) -> bool:
        """True for what is one byte, written at once."""
        return _HOLDS[self] is int


_HOLDS: dict[CellKind, type] = {
    CellKind.FILE: tuple,
    CellKind.KEY: bytes,
    CellKind.PIN: str,
    CellKind.PURSE: tuple,
    CellKind.STATE: int,
    CellKind.TRIES: int,
    CellKind.DATA: bytes,
}


class CellKey(NamedTuple):
    """The name of a cell: its kind, then of which file, key, application, PIN or data object, then a key's version."""

    kind: CellKind
    name: str = ""
    version: int = 0

    def __str__(self) -> str:
        """As image files and messages write it: ``file/SSSE/EF05``, ``key/IRK/1``, ``pin``."""
        return "/".join(filter(None, (self.kind, self.name, str(self.version or ""))))


class CardLife(IntEnum):
    """The card's life cycle: in use, blank and being personalised, or blocked for ever."""

    IN_USE = 0
    BLANK = 1
    BLOCKED = 2


class ApplicationLife(IntEnum):
    """An application's life cycle: in use, blocked for a time, or blocked for ever."""

    IN_USE = 0
    TEMPORARY = 1
    PERMANENT = 2


class Activation(IntEnum):
    """The social security function's."""

    ACTIVE = 0
    DORMANT = 1


PIN_CELL = CellKey(CellKind.PIN)
PURSE_CELL = CellKey(CellKind.PURSE)
CARD_STATE = CellKey(CellKind.STATE, "card")
ACTIVATION = CellKey(CellKind.STATE, "activation")
UNBLOCKING = "unblocking the PIN"
UNBLOCKINGS_CELL = CellKey(CellKind.TRIES, UNBLOCKING)
"""The counter of failed unblockings in a row, apart from the unblock key's own of wrong proofs."""
PURSE_SIZE = 64
KEY_SIZE = 16
VERSIONS = (1, 2, 3)
"""A key may be loaded in up to three versions. [S: ldt6001:part 3, reference:card §5]"""


# Every command asks for some of these names: making one anew takes longer than finding it again.
_named = lru_cache(maxsize=4096)


@_named
def file_cell(path: str) -> CellKey:
    """The cell of a file (``SSSE/EF05``)."""
    return CellKey(CellKind.FILE, path)


@_named
def key_cell(name: str, version: int = 1) -> CellKey:
    """The cell of a key's version."""
    return CellKey(CellKind.KEY, name, version)


@_named
def state_cell(application: str) -> CellKey:
    """The cell of an application's life cycle."""
    return CellKey(CellKind.STATE, application)


@_named
def tries_cell(name: str) -> CellKey:
    """The cell of a PIN's or key's try counter."""
    return CellKey(CellKind.TRIES, name)


@_named
def data_cell(application: str, tag: int) -> CellKey:
    """The cell of an application's data object, which GET DATA reads: ``data/BANK/9F36``."""
    return CellKey(CellKind.DATA, f"{application}/{tag:04X}")
