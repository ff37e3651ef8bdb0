"""The log of requests: one line of JSON each, with nothing in it that a client could have written freely."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Protocol, TextIO

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.override import override

STANDARD_OUTPUT = "-"


class RequestLogError(SscardError):
    """A file that no log can be written to: why."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, as it is logged and counted. ``route``: its template, never the path; ``status``: None where no
    answer went out; ``ms``: until the answer was whole; ``client``: its address; ``who``: the clerk as the trail names
    them; ``kind`` and ``rule``: why it was refused; all empty where there is nothing to tell.
    """

    id: str
    method: str
    route: str
    status: int | None
    ms: float
    client: str
    who: str = ""
    role: str = ""
    kind: str = ""
    rule: str = ""


class Log(Protocol):
    """Where requests are written down."""

    def write(self, entry: Entry) -> None:
        """Writes one request down."""


class _Appending(WatchedFileHandler):
    """Without a buffer: what a full disk did not take is not kept, and nothing is left for closing."""

    @override
    def _open(self) -> TextIO:  # type: ignore[override]
        raw = Path(self.baseFilename).open("ab", buffering=0)  # noqa: SIM115
        return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)


class RequestLog:
    """Appends to a file, or to standard output. A file that was moved or removed is begun anew under its name, so that
    logrotate and the like need to tell nobody. A disk that is full costs lines, which is said once, and no answer.
    """

    def __init__(self, target: str) -> None:
        """``target``: a file's name, or ``-``. RequestLogError."""
        self._handler: logging.StreamHandler[TextIO] | WatchedFileHandler
        if target == STANDARD_OUTPUT:
            self._handler = logging.StreamHandler(sys.stdout)
        else:
            try:
                self._handler = _Appending(target)
            except OSError as error:
                raise RequestLogError(
                    _("--request-log {target}: cannot be written: {strerror}").format(
                        target=target, strerror=strerror(error)
                    )
                ) from None
        self._handler.handleError = self._lost  # type: ignore[method-assign]
        self._told = threading.Event()

    def write(self, entry: Entry) -> None:
        """One line, whole."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # ASCII alone: no character of any language or terminal ends a line or moves a cursor.
        text = json.dumps({"time": moment} | asdict(entry))
        self._handler.handle(logging.LogRecord("request", logging.INFO, "", 0, text, None, None))

    def _lost(self, record: logging.LogRecord) -> None:
        del record
        if not self._told.is_set():
            self._told.set()
            error = sys.exc_info()[1]
            why = strerror(error) if isinstance(error, OSError) else type(error).__name__
            print(
                _("sscard: the log of requests cannot be written ({why}): lines are lost").format(why=why),
                file=sys.stderr,
            )

    def close(self) -> None:
        """Closes the file; standard output stays open."""
        self._handler.close()
