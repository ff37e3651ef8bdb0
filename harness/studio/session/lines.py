"""The lines of a trace, kept in little room: the newest so many, packed by blocks."""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

BLOCK = 500
"""Events that are packed together: some 20 KB, so that hardly anything is left of their names and headers. [D]"""


class Lines:
    """Events of a trace as its file has them. ``most``: how many are kept at least; older blocks go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._packed: deque[bytes] = deque()
        self._open: list[str] = []

    def put(self, table: dict[str, Any]) -> None:
        """Takes in the next event."""
        self._open.append(json.dumps(table, ensure_ascii=False) + "\n")
        if len(self._open) == BLOCK:
            self._packed.append(zlib.compress("".join(self._open).encode(), level=1))
            self._open = []
            while (len(self._packed) - 1) * BLOCK >= self._most:
                self._packed.popleft()

    def parts(self) -> Iterator[str]:
        """The kept lines, some hundred at once, as they are at the moment of the call."""
        return _all(tuple(self._packed), "".join(self._open))


def _all(packed: tuple[bytes, ...], rest: str) -> Iterator[str]:
    for one in packed:
        yield _unpacked(one)
    if rest:
        yield rest


def _unpacked(block: bytes) -> str:
    return zlib.decompress(block).decode()
