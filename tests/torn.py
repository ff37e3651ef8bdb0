"""A card of the office's drawer that is pulled out in the middle of being written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness import pcsc
from harness.connection import Connection
from harness.office.drawer import Drawer

WRITES = (0xDC, 0x24)
"""UPDATE RECORD, PIN CHANGE/UNBLOCK."""


class Torn:
    """A card that takes so many writes and is pulled out before the next."""

    def __init__(self, connection: Connection, updates: int) -> None:
        self._connection, self._left = connection, updates
        self.atr = connection.atr
        self.reset, self.close = connection.reset, connection.close

    def send(self, command: bytes) -> bytes:
        self._left -= command[1] in WRITES
        if self._left < 0:
            raise pcsc.PcscError("the card was taken out", pcsc.REMOVED_CARD)
        return self._connection.send(command)


@contextmanager
def pulled_out(monkeypatch: pytest.MonkeyPatch, updates: int) -> Iterator[None]:
    whole = Drawer.presented

    @contextmanager
    def presented(self: Drawer, number: str) -> Iterator[Connection]:
        with whole(self, number) as connection:
            yield Torn(connection, updates)

    with monkeypatch.context() as patch:
        patch.setattr(Drawer, "presented", presented)
        yield
