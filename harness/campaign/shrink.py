"""A failing case made small: what can be left out of it is, and what is left is made plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import TypeVar

from harness.campaign.deeds import Deed, Send

T = TypeVar("T")
HEADER, SHORT = 5, 40


def minimal(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """As few of the items, in their order, as still fail: not one more can be left out. They must fail as given."""
    left = list(items)
    size = max(1, len(left) // 2)
    while True:
        removed = False
        at = 0
        while at < len(left):
            fewer = left[:at] + left[at + size :]
            if fewer and fails(fewer):
                left, removed = fewer, True
            else:
                at += size
        if size > 1:
            size //= 2
        elif not removed:
            return left


def plain(deeds: Sequence[Deed], fails: Callable[[Sequence[Deed]], bool]) -> list[Deed]:
    """The same deeds, each command with as few bytes, and as many of them zero, as still fails."""
    left = list(deeds)
    for number, deed in enumerate(left):
        for simpler in _simpler(deed.command) if isinstance(deed, Send) else ():
            now = left[number]
            assert isinstance(now, Send)
            tried = [*left[:number], replace(now, command=simpler(now.command)), *left[number + 1 :]]
            if tried != left and fails(tried):
                left = tried
    return left


def _simpler(command: bytes) -> Iterator[Callable[[bytes], bytes]]:
    """What may be done to a command, each in turn to what the ones before made of it."""
    for size in (4, HEADER, *range(HEADER + 1, len(command), 1 if len(command) < SHORT else 8)):
        yield itemgetter(slice(size))
    yield partial(_zeroed, since=HEADER, until=len(command))
    for at in range(HEADER - 1, min(len(command), 64)):
        yield partial(_zeroed, since=at, until=at + 1)


def _zeroed(command: bytes, since: int, until: int) -> bytes:
    return command[:since] + bytes(len(command[since:until])) + command[until:]
