"""What a command is about, as its instruction says: a file or a record in it, a key, or what SELECT is to find.

Decoders, masks and the monitor resolve it in the layout of the card and in what is selected there; the chip does the
same in the card itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, TypeAlias

from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.files import Directory


class Content(Enum):
    """What stands in a command's data or in an answer."""

    BYTES = auto()
    RECORDS = auto()
    """Records of a file: tag, length and value one after the other, or a cyclic file's."""
    FCI = auto()


@dataclass(frozen=True, slots=True)
class FileNamed:
    """A file by its short id, 0 for the current one; and of its records one by its tag or by its number, 0 for neither.

    ``written``: the record that is written there.
    """

    sfi: int
    tag: int = 0
    number: int = 0
    written: bytes = b""


@dataclass(frozen=True, slots=True)
class KeyNamed:
    """A key by its id and use."""

    id: int
    use: KeyUse


class Selection(Protocol):
    """What SELECT names."""

    def meant(self, directories: list[Directory], here: Directory) -> Directory | FileSpec | None:
        """The DF or EF, from the current DF; None if there is none. ``directories``: all there are, the MF first."""


Touched: TypeAlias = FileNamed | KeyNamed | Selection
