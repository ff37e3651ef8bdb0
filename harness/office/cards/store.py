"""The card store: virtual cards that the office made, put into its reader by number. In a folder, one image file each;
in the register, ``in_register``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from emulator.chip import Chip
from emulator.errors import NotFound
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.image import Image
from emulator.messages import _, deferred
from harness.readers.connection import Connection, InProcess

WAIT = 10.0
"""Seconds within which a clerk at another desk is done with a card: it is waited for, and what became of it is seen."""


class NoCard(NotFound):
    """The drawer has no such card."""

    word = "unknown"
    afar = deferred("卡柜中无此卡 the drawer has no such card")


class Cards(Protocol):
    """Where the office's virtual cards are, by their numbers."""

    def has(self, number: str) -> bool:
        """Whether there is such a card. NoCard for an invalid number."""

    def ready(self) -> None:
        """Returns where cards can be put in and taken out. NoCard, Unusable where not."""

    def put(self, number: str, image: Image) -> None:
        """A new card. FileExistsError if it is there."""

    def image(self, number: str) -> Image:
        """What the card is now, apart from it. NoCard; ImageError while somebody holds it."""

    def forget(self, number: str) -> None:
        """The card is gone for good, if there was one. ImageError while somebody holds it."""

    def inserted(self, number: str) -> AbstractContextManager[Connection]:
        """The card in the office's reader, alone while it is there. NoCard; ImageError where another program has it for
        longer than ``WAIT``.
        """


def no_card(number: str, where: object) -> NoCard:
    """There is none of this number, at a place that is named."""
    return NoCard(_("the drawer has no card {number}: {path} is not there").format(number=number, path=where))


def checked(number: str) -> str:
    """A card's number. NoCard for an invalid one."""
    if not (number.isalnum() and number.isascii()):
        raise NoCard(_("no card number: {number!r}").format(number=number))
    return number


class CardStore:
    """A folder of cards, which several machines may share where it locks files for all of them. ``durable``: a card's
    changes wait for the disk.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, number: str) -> Path:
        """The card's image file. NoCard for an invalid number."""
        return self._folder / f"{checked(number)}.json"

    def has(self, number: str) -> bool:
        """Whether the folder has the card's file."""
        return self.path(number).exists()

    def ready(self) -> None:
        """Returns where cards can be put in and taken out; NoCard where the folder is gone or not ours to write."""
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise NoCard(_("{folder}: no card can be kept there").format(folder=self._folder))

    def put(self, number: str, image: Image) -> None:
        """A new card. FileExistsError if it is there."""
        if self.path(number).exists():
            raise FileExistsError(_("{path}: the drawer has this card already").format(path=self.path(number)))
        with images.held(self.path(number), image, durable=self._durable, wait=WAIT):
            pass

    def image(self, number: str) -> Image:
        """What the card is now, apart from it. NoCard; ImageError while somebody holds it."""
        if not self.has(number):
            raise no_card(number, self.path(number))
        with images.held(self.path(number), durable=self._durable, wait=WAIT) as image:
            return image.fork()

    def forget(self, number: str) -> None:
        """The card's file is gone for good, if there was one. ImageError while somebody holds it."""
        path = self.path(number)
        if path.exists():
            with images.held(path, durable=self._durable, wait=WAIT):
                path.unlink()

    @contextlib.contextmanager
    def inserted(self, number: str) -> Iterator[Connection]:
        """The card in the office's reader, alone while it is there. NoCard, ImageError."""
        if not self.path(number).exists():
            raise no_card(number, self.path(number))
        with images.held(self.path(number), durable=self._durable, wait=WAIT) as image:
            connection = InProcess(Chip(image))
            try:
                yield connection
            finally:
                connection.close()
