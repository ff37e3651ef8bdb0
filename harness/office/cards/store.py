"""The card store: virtual cards that the office made, one image file each, put into its reader by number."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

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


class CardStore:
    """A folder of cards. ``durable``: a card's changes wait for the disk."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, number: str) -> Path:
        """The card's image file. NoCard for an invalid number."""
        if not (number.isalnum() and number.isascii()):
            raise NoCard(_("no card number: {number!r}").format(number=number))
        return self._folder / f"{number}.json"

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
            raise NoCard(
                _("the drawer has no card {number}: {path} is not there").format(number=number, path=self.path(number))
            )
        with images.held(self.path(number), durable=self._durable, wait=WAIT) as image:
            connection = InProcess(Chip(image))
            try:
                yield connection
            finally:
                connection.close()
