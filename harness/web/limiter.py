"""How often one client may do something: a bucket for each, and only so many buckets."""

from __future__ import annotations

import time
from collections import OrderedDict

from limits import parse

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

MOST_CLIENTS = 1024
"""Clients that are remembered; the one that was quiet for longest is forgotten first. [D]"""


class RateError(SscardError, ValueError):
    """A text that is no rate of requests."""

    kind = ErrorKind.INPUT


class Limiter:
    """Each client's bucket holds as many drops as ``rate`` names (``600/minute``) and fills evenly in that span.

    ``rate`` is taken as the package limits reads it; RateError. Memory is bounded, whoever asks and however often.
    """

    def __init__(self, rate: str, most: int = MOST_CLIENTS) -> None:
        try:
            item = parse(rate)
        except ValueError:
            raise RateError(_("--rate: expected a number and a span, as 600/minute")) from None
        self.rate = rate
        self._size = float(item.amount)
        self._each_second = self._size / item.get_expiry()
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Returns how many clients are remembered."""
        return len(self._buckets)

    def hit(self, client: str) -> bool:
        """Takes a drop; False where the client's bucket is empty."""
        now = time.monotonic()
        drops, since = self._buckets.pop(client, (self._size, now))
        drops = min(self._size, drops + (now - since) * self._each_second)
        enough = drops >= 1.0
        self._buckets[client] = (drops - 1.0 if enough else drops, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return enough
