"""What happens, told to every browser: the newest of each kind, at most ten times a second."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

from emulator import internal_fault

_log = logging.getLogger(__name__)
PAUSE = 0.1
"""Seconds between two looks at what is new."""
SILENCE = 15.0
"""Seconds after which a browser hears that the service is still there."""
MOST_STREAMS = 48
"""Streams that are told at once: connections are left for what browsers ask. [D]"""
Source = Callable[[], Any]


class Hub:
    """The newest state of each kind of event. Threads publish; each browser's stream looks up what it has not told yet.

    A browser that is slow misses what was between, never the last; nobody waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._latest: dict[str, tuple[int, Source]] = {}
        self._texts: dict[str, tuple[int, str]] = {}
        self._ended = threading.Event()
        self._streams: dict[object, None] = {}

    def publish(self, kind: str, data: Any) -> None:
        """This is how things of this kind are from now on; ``data`` is JSON's."""
        self.changed(kind, lambda: data)

    def changed(self, kind: str, source: Source) -> None:
        """Things of this kind are otherwise; ``source`` says how, when a browser is told."""
        with self._lock:
            self._latest[kind] = next(self._numbers), source

    def latest(self, kind: str) -> Any:
        """As it was published last; None before."""
        with self._lock:
            found = self._latest.get(kind)
        return found[1]() if found else None

    def end(self) -> None:
        """Ends every stream."""
        self._ended.set()

    def _since(self, told: int) -> list[tuple[int, str, Source]]:
        with self._lock:
            new = [(number, kind, source) for kind, (number, source) in self._latest.items() if number > told]
        return sorted(new, key=lambda one: one[0])

    def _text(self, number: int, kind: str, source: Source) -> str:
        """The event as browsers get it, made once for all of them. Empty where it cannot be told: the others are."""
        made = self._texts.get(kind)
        if made is None or made[0] != number:
            try:
                # In ASCII: half of a character, which some text may have, can be sent so.
                text = f"event: {kind}\ndata: {json.dumps(source(), allow_nan=False)}\n\n"
            except Exception as error:  # the streams live on, for all that is well
                internal_fault.log(error, _log)
                text = ""
            made = self._texts[kind] = number, text
        return made[1]

    async def stream(self) -> AsyncGenerator[str, None]:
        """Server-sent events: what there is now, then what is new, until the end. Where too many are told, the oldest
        ends: a browser comes again by itself, and nobody shuts the others out.
        """
        me = object()
        self._streams[me] = None
        if len(self._streams) > MOST_STREAMS:
            del self._streams[next(iter(self._streams))]
        try:
            async for text in self._told(me):
                yield text
        finally:
            self._streams.pop(me, None)

    async def _told(self, stream: object) -> AsyncGenerator[str, None]:
        told, silent = 0, 0.0
        yield "retry: 1000\n\n"
        while stream in self._streams and not self._ended.is_set():
            new = self._since(told)
            for number, kind, source in new:
                told = max(told, number)
                if text := self._text(number, kind, source):
                    yield text
            silent = 0.0 if new else silent + PAUSE
            if silent >= SILENCE:
                silent = 0.0
                yield ": here\n\n"
            await asyncio.sleep(PAUSE)
