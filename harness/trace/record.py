"""Writing a trace: JSON Lines, one event a line, schema version 3 (``schema-3.json`` beside this file)."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulator import interface
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.messages.system_errors import strerror
from harness.trace import mask
from harness.trace.decode import instruction_name, starred
from harness.trace.mask import Marks, PersonalData
from harness.trace.secrets import Secrets

VERSION = 3
_log = logging.getLogger(__name__)


class Trace:
    """Events of all slots, handed to ``put`` one after another as they happen, as ``schema-3.json`` says.

    PINs and keys are asterisks unless ``show_secrets``; what cards say of people are zeros unless ``personal_data``.
    """

    def __init__(
        self, put: Callable[[dict[str, Any]], None], *, show_secrets: bool = False, personal_data: bool = False
    ) -> None:
        self._put = put
        self._lock = threading.Lock()
        self.show_secrets = show_secrets
        self.personal_data = personal_data
        self.marks = Marks()

    def slot(
        self, number: int, image: Image | None = None, *, layout: Layout | None = None, algorithm: str = ""
    ) -> SlotTrace:
        """An observer for the card in this slot; ``image`` where it is a virtual one, else its layout and algorithm
        where they are known.
        """
        if image is not None:
            layout, algorithm = image.layout, image.algorithm
        return SlotTrace(self, number, layout, algorithm)

    def write(self, slot: int, event: dict[str, Any]) -> None:
        """One event: version, both clocks' times and slot are added."""
        with self._lock:
            self._put({"v": VERSION, "t": round(time.monotonic(), 6), "time": _now(), "slot": slot, **event})


class TraceFile(Trace):
    """A trace being written as JSON Lines; a line is in the file when its command is answered.

    What a file held before goes with the first event, never earlier, and only with ``force``. Where it cannot be
    written any more, a line of the log says so, and the cards go on without a trace.
    """

    def __init__(
        self, path: Path, *, show_secrets: bool = False, personal_data: bool = False, force: bool = False
    ) -> None:
        """FileExistsError for a file that holds something, without ``force``; OSError where none can be written."""
        super().__init__(self._line, show_secrets=show_secrets, personal_data=personal_data)
        self._path = path
        self._ours = check_new(path, force=force)
        self._file = path.open("a", encoding="utf-8")
        self._began = self._ended = False
        self.count = self.commands = 0
        """Events that are in the file, and those of them that are commands."""

    def _line(self, table: dict[str, Any]) -> None:
        if self._ended:
            return
        try:
            if not self._began and self._path.is_file():
                self._file.truncate(0)
            self._began = True
            self._file.write(json.dumps(table, ensure_ascii=False) + "\n")
            self._file.flush()
            self.count += 1
            self.commands += table.get("event") == "apdu"
        except OSError as error:
            self._ended = True
            told = _("{file}: the trace ends here, the cards go on: {reason}")
            _log.error("%s", told.format(file=self._path, reason=strerror(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):  # told already
            self._file.close()
        if self._ours and not self._began:
            self._path.unlink(missing_ok=True)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="microseconds")


def check_new(path: Path, *, force: bool) -> bool:
    """True if there is no such file yet. FileExistsError for one that holds something, without ``force``."""
    if not force and path.is_file() and path.stat().st_size:
        raise FileExistsError(_("{path}: it holds something already: name another file, or --force").format(path=path))
    return not path.exists()


class SlotTrace:
    """Observes one chip for a trace."""

    def __init__(self, file: Trace, slot: int, layout: Layout | None, algorithm: str) -> None:
        self._file, self._slot = file, slot
        self._people = None if file.personal_data else PersonalData(layout, show_secrets=file.show_secrets)
        self._secrets = None if file.show_secrets else Secrets(layout)
        self._initial = layout.pin.initial if layout else ""
        self._card = {"layout": layout.name} if layout else {}
        self._card |= {"algorithm": algorithm} if algorithm else {}

    def stands(self, directory: str, file: str, *, waiting: bool = False) -> None:
        """What is selected in a card that somebody has worked with already: a DF by its id, an EF by its path or none.
        ``waiting``: an answer waits to be fetched, and nobody here knows what asked for it: all of it is hidden.
        """
        if self._people is not None:
            self._people.stands(directory, file)
        if self._secrets is not None:
            self._secrets.stands(directory, file, waiting=waiting)

    def exchanged(self, exchange: Exchange) -> None:
        """Writes one command and its answer, with the reason of the status word and what changed in the card."""
        told, masked = self._people.masked(exchange) if self._people else (exchange, False)
        command, plain, answer = (
            self._secrets.told(exchange, told)
            if self._secrets
            else (one.hex().upper() for one in (told.command, told.plain, told.answer))
        )
        event: dict[str, Any] = {
            "event": "apdu",
            "command": command,
            "answer": answer,
            "latency": round(told.seconds, 6),
            "instruction": instruction_name(told.command),
            "reason": told.reason,
        }
        if plain:
            event["plain"] = plain
        if told.writes:
            event["writes"] = told.writes
        if told.changes:
            event["changes"] = [
                {name: value for name, value in zip(CHANGE, astuple(change), strict=True) if value}
                for change in told.changes
            ]
        if pins := self._file.marks.pins(exchange, self._initial):
            event["pins"] = pins
        if masked:
            event["masked"] = True
        if told.failure:
            event["failure"] = told.failure
        self._file.write(self._slot, event)

    def powered(self, event: str, atr: bytes) -> None:
        """Writes a reset or the loss of power."""
        if self._people:
            self._people.reset()
        if self._secrets:
            self._secrets.reset()
        if atr:
            told = interface.masked(atr) if self._people else atr
            card = self._file.marks.card(atr)
            reset = {"event": event, "atr": told.hex().upper(), "card": card, **self._card}
            if interface.interface_of(atr) is Interface.CONTACTLESS:
                reset["interface"] = Interface.CONTACTLESS.value
            self._file.write(self._slot, reset)
        else:
            self._file.write(self._slot, {"event": event})

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """Writes that a fault came, and what the card itself did; no answer if the command never reached it."""
        command, own = exchange.command, exchange.answer
        if self._people:
            command = self._people.command(command).zeroed
            own = self._people.seen(exchange.command, own, exchange.plain)[1].zeroed if own else own
            self._people.repeated = self._people.repeated or kind == "repeat"
        asked, answered = command.hex().upper(), own.hex().upper()
        if self._secrets:
            asked = self._secrets.command(exchange.command, command, exchange.plain)
            answered = self._secrets.answer(exchange, own)
            self._secrets.repeated = self._secrets.repeated or kind == "repeat"
        event: dict[str, Any] = {"event": "fault", "fault": fault, "kind": kind, "command": asked}
        if own:
            event["card_answered"] = answered
        self._file.write(self._slot, event)

    def reader_answered(self, exchange: Exchange) -> None:
        """Writes a command that a contactless reader answered by itself: the card never saw it.

        Without personal data nothing of what it said, which is the card's number in the field or has the chip's in it;
        without secrets nothing of what came with the command, which may be a key of the reader's.
        """
        command, answer = exchange.command, exchange.answer
        shown = answer if self._people is None else mask.nothing_of(answer).zeroed
        event: dict[str, Any] = {
            "event": "reader",
            "command": command.hex().upper() if self._secrets is None else starred(command),
            "answer": shown.hex().upper(),
            "reason": exchange.reason,
        }
        if shown != answer:
            event["masked"] = True
        self._file.write(self._slot, event)


CHANGE = ("kind", "name", "from", "to")
