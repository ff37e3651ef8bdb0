"""How files, items and a PSAM's keys are named, read in one place: ``SSSE/EF06``, ``SSSE/EF06/09``, ``48/12``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from emulator.messages import _

TAG = re.compile("[0-9A-F]{2}")
PSAM_KEY = re.compile("([0-9A-F]{2})/([0-9A-F]{2})")
LEVELS = 5
"""The usage byte's high three bits count levels of diversification. [S: part9:6.1, reference:card §5]"""


class FilePath(NamedTuple):
    """An EF by its application's name and its own: ``SSSE`` and ``EF06``."""

    application: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns the parts of ``SSSE/EF06``; without a slash everything is the application, and ``name`` is empty."""
        application, __, name = text.partition("/")
        return cls(application, name)

    def __str__(self) -> str:
        return f"{self.application}/{self.name}" if self.name else self.application


class ItemPath(NamedTuple):
    """An item by its file's path and its label there, the tag in two hex digits: ``SSSE/EF06`` and ``09``."""

    file: str
    label: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns the parts of ``SSSE/EF06/09``; without a slash ``file`` is empty. Whether a card has such an item is
        asked of its layout.
        """
        file, __, label = text.rpartition("/")
        return cls(file, label)

    @property
    def tag(self) -> int | None:
        """The tag that the label is; None for a label that is no tag of one byte."""
        return int(self.label, 16) if TAG.fullmatch(self.label) else None

    def __str__(self) -> str:
        return f"{self.file}/{self.label}" if self.file else self.label


@dataclass(frozen=True, slots=True)
class PsamKey:
    """Where a PSAM holds the root of a card's key: usage, one byte, of which ``levels`` are the high three bits, and
    id. [S: part9:6.1, reference:card §5]
    """

    usage: int
    id: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns what ``48/12`` names: usage 48, id 12, both hex. ValueError for a text of another form."""
        found = PSAM_KEY.fullmatch(text)
        if found is None:
            raise ValueError(_("expected usage and id like 48/12, found {text!r}").format(text=text))
        return cls(*(int(part, 16) for part in found.groups()))

    @property
    def levels(self) -> int:
        """How many levels the PSAM has still to diversify."""
        return self.usage >> LEVELS

    def with_levels(self, levels: int) -> PsamKey:
        """The same kind of key with so many levels left: what a PSAM further down the chain holds."""
        return PsamKey(self.usage & 0x1F | levels << LEVELS, self.id)

    def __str__(self) -> str:
        return f"{self.usage:02X}/{self.id:02X}"


def path(text: str) -> FilePath | ItemPath:
    """Returns the item that ``SSSE/EF06/09`` names, the file that ``MF/EF16`` names."""
    return ItemPath.parse(text) if text.count("/") > 1 else FilePath.parse(text)
