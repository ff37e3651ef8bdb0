"""The card store in a register on a server: all offices of the register have the same cards, on whichever machine.

Who has a card in the reader holds a lock of the server's on its number, over a connection of its own, and writes the
card over that connection alone. So the lock goes with whoever held it, and nobody writes a card without it.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection as Link
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from emulator.chip import Chip
from emulator.filesystem.memory.cells import Cell, CellKey
from emulator.filesystem.memory.image import Image, ImageError
from emulator.messages import _, chinese_first
from emulator.override import override
from harness.office.cards import store
from harness.office.register import drawer
from harness.office.register.failures import Unusable
from harness.office.register.on_server import LOCKED, PostgresServer, state
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess


class _InReader(InProcess):
    """A card in the reader, each change of which the server has before it is acknowledged. Once the connection that has
    its lock failed, the card is gone: another connection would write what somebody else holds by now.
    """

    def __init__(self, link: Link, number: str, image: Image) -> None:
        self._link, self._number, self._image = link, number, image
        self._lost = False
        image.memory.changed = self._changed
        try:
            super().__init__(Chip(image))
        except OSError:  # at power-on
            self._there()
            raise

    def _changed(self, cells: Mapping[CellKey, Cell]) -> None:
        kept = False
        if not self._lost:
            with contextlib.suppress(DBAPIError):
                kept = drawer.change(self._link, self._number, self._image.to_text(cells))
        if not kept:
            self._lost = True
            raise OSError(errno.EIO, _("the register's server has let the card go"))

    def _there(self) -> None:
        if self._lost:
            raise pcsc.PcscError(_("the register's server has let the card go"), pcsc.REMOVED_CARD)

    @override
    def reset(self) -> bytes:
        self._there()
        return super().reset()

    @override
    def send(self, command: bytes) -> bytes:
        self._there()
        answer = super().send(command)
        self._there()  # the chip answers too where it could not be kept
        return answer

    @override
    def close(self) -> None:
        self._image.memory.changed = None
        super().close()


class RegisterCards:
    """The ``Cards`` of a register on this server. Each method raises Unusable where the server cannot be asked."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def has(self, number: str) -> bool:
        """Whether the register has the card. NoCard for an invalid number."""
        store.checked(number)
        with self._linked() as link:
            return drawer.there(link, number)

    def ready(self) -> None:
        """Returns where the server lets cards be looked at. Unusable where not."""
        with self._linked() as link:
            drawer.there(link, "")

    def put(self, number: str, image: Image) -> None:
        """A new card. FileExistsError if it is there."""
        store.checked(number)
        with self._linked() as link:
            try:
                drawer.add(link, number, image.fork().to_text())
            except IntegrityError:
                raise FileExistsError(
                    _("{path}: the drawer has this card already").format(path=self._place(number))
                ) from None

    def forget(self, number: str) -> None:
        """The card is gone for good, if there was one. ImageError while somebody holds it."""
        if self.has(number):
            with self._held(number) as link:
                drawer.remove(link, number)

    def image(self, number: str) -> Image:
        """What the card is now, apart from it. NoCard; ImageError while somebody holds it."""
        with self._read(number) as (__, image):
            return image

    @contextlib.contextmanager
    def inserted(self, number: str) -> Iterator[Connection]:
        """The card in the office's reader, alone while it is there. Where its lock is lost, the card is gone from the
        reader. NoCard, ImageError.
        """
        with (
            self._read(number) as (link, image),
            contextlib.closing(_InReader(link, number, image)) as connection,
        ):
            yield connection

    def _place(self, number: str) -> str:
        return f"{self._server.address}: {number}"

    @contextlib.contextmanager
    def _linked(self) -> Iterator[Link]:
        try:
            with self._server.cards.connect() as link:
                yield link
        except (DBAPIError, NoConnection) as error:
            zh, en = self._server.why(error)
            raise Unusable(chinese_first(en, zh)) from error

    @contextlib.contextmanager
    def _read(self, number: str) -> Iterator[tuple[Link, Image]]:
        """The card as the register has it, and a connection that has its lock."""
        if not self.has(number):
            raise store.no_card(number, self._place(number))
        with self._held(number) as link:
            content = drawer.content(link, number)
            if content is None:  # forgotten while it was waited for
                raise store.no_card(number, self._place(number))
            yield link, Image.from_text(content, self._place(number))

    @contextlib.contextmanager
    def _held(self, number: str) -> Iterator[Link]:
        """A connection that has the card's lock, which does not go back into the pool with it, however this ends."""
        with self._linked() as link:
            try:
                drawer.lock(link, number, store.WAIT)
            except DBAPIError as error:
                if state(error) != LOCKED:
                    raise
                what = _("another process holds this card: end that one first, or copy the file")
                raise ImageError(self._place(number), what) from None
            try:
                yield link
            finally:
                _let_go(link, number)


def _let_go(link: Link, number: str) -> None:
    with contextlib.suppress(DBAPIError):
        if not link.invalidated and drawer.unlock(link, number):
            return
    link.invalidate()
