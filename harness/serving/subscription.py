"""Hearing what happens to the cards of a run: the other end of ``harness.serving.feed``."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from emulator import catalogue
from emulator.changes import Change, ChangeKind
from emulator.chip import Exchange
from emulator.filesystem.layouts import load as layouts
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.serving import control, local_sockets
from harness.serving.control import ControlError, Running

PATIENCE = 5.0
"""Seconds that a run has to take a subscriber."""
GONE = "gone"
LOOK = 0.5
"""Seconds between two looks at whether it is closed, and at signals: not each wakes who waits at a socket."""
LARGEST = 1 << 16
"""Bytes that are taken at once."""


class Subscription(Iterator[dict[str, Any]]):
    """The lines of a run's stream, raw, as ``harness.serving.feed`` says, one table each; waits for the next.

    Where the run cut it off, the line ``cut`` is given and it subscribes anew: the line ``slots`` that comes then says
    with ``n`` from where it hears again. Where the run has ended the last is ``{"event": "gone"}``. ``close`` ends it,
    from any thread.
    """

    def __init__(self, run: Running) -> None:
        """ControlError where the run has ended, or has no stream."""
        self._run = run
        self._closed = self._over = False
        self._stream = self._connected()
        self._heard = b""
        self._lines: Iterator[bytes] = iter(())

    def _connected(self) -> socket.socket:
        try:
            stream = local_sockets.connect(control.events(self._run.id), PATIENCE)
        except OSError as error:
            raise ControlError(
                _("run {id} has no stream of events: it has ended, or is of an earlier release ({reason})").format(
                    id=self._run.id, reason=strerror(error)
                )
            ) from None
        stream.settimeout(LOOK)
        return stream

    def __next__(self) -> dict[str, Any]:
        """The next line. StopIteration after ``gone`` and once it is closed."""
        if self._over:
            raise StopIteration
        line = next(self._lines, None) or self._awaited()
        if line:
            table: dict[str, Any] = json.loads(line)  # a run's own, thousands a second: not looked over as files are
            if table.get("event") == "cut":
                self._again()
            return table
        self._over = True
        if self._closed:
            raise StopIteration
        self.close()
        return {"event": GONE}

    def _awaited(self) -> bytes:
        """The next line that comes; none where the stream has ended, or was closed."""
        while b"\n" not in self._heard:
            try:
                came = self._stream.recv(LARGEST)
            except TimeoutError:
                if self._closed:
                    return b""
                continue
            except OSError:  # closed meanwhile
                return b""
            if not came:
                return b""
            self._heard += came
        *lines, self._heard = self._heard.split(b"\n")
        self._lines = iter(lines)
        return next(self._lines)

    def _again(self) -> None:
        self._stream.close()
        self._heard, self._lines = b"", iter(())
        with contextlib.suppress(ControlError):  # the next line says that it is gone
            self._stream = self._connected()

    def close(self) -> None:
        """Ends it: whoever waits for a line hears no more."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def subscribe(run: Running) -> Subscription:
    """What happens to the cards of a run from now on. ControlError."""
    return Subscription(run)


def exchange(line: dict[str, Any]) -> Exchange:
    """The exchange of a line ``apdu``, ``fault`` or ``reader``, as the chip told it."""
    return Exchange(
        bytes.fromhex(line["command"]),
        bytes.fromhex(line["answer"]),
        line["reason"],
        line.get("failure", ""),
        bytes.fromhex(line.get("plain", "")),
        tuple(Change(ChangeKind(kind), name, before, after) for kind, name, before, after in line.get("changes", ())),
        line["took"] / 1e6,
        line.get("writes", 0),
    )


def layout(line: dict[str, Any]) -> Layout:
    """The layout of a line ``card``. LayoutError."""
    if "table" in line:
        return layouts.from_table(line["table"], "events")
    return catalogue.layout(line["layout"])
