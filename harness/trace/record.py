"""Writing a trace: JSON Lines, one event a line, schema version 2 (``schema-2.json`` beside this file)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulator.chip import Exchange
from emulator.filesystem.image import Image
from emulator.filesystem.specs import Layout
from harness.trace import mask
from harness.trace.decode import command_hex, instruction_name
from harness.trace.mask import Marks, PersonalData, SecretAnswers

VERSION = 2


class Trace:
    """Events of all slots, handed to ``put`` one after another as they happen, as ``schema-2.json`` says.

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

    def slot(self, number: int, image: Image | None = None, *, layout: Layout | None = None) -> SlotTrace:
        """An observer for the card in this slot; ``image`` where it is a virtual one, else its layout where known."""
        return SlotTrace(self, number, image, image.layout if image else layout)

    def write(self, slot: int, event: dict[str, Any]) -> None:
        """One event: version, monotonic seconds and slot are added."""
        with self._lock:
            self._put({"v": VERSION, "t": round(time.monotonic(), 6), "slot": slot, **event})


class TraceFile(Trace):
    """A trace being written as JSON Lines; a line is in the file when its command is answered."""

    def __init__(self, path: Path, *, show_secrets: bool = False, personal_data: bool = False) -> None:
        super().__init__(self._line, show_secrets=show_secrets, personal_data=personal_data)
        self._file = path.open("w", encoding="utf-8")

    def _line(self, table: dict[str, Any]) -> None:
        self._file.write(json.dumps(table, ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


class SlotTrace:
    """Observes one chip for a trace."""

    def __init__(self, file: Trace, slot: int, image: Image | None, layout: Layout | None) -> None:
        self._file, self._slot = file, slot
        self._people = None if file.personal_data else PersonalData()
        self._secrets = None if file.show_secrets else SecretAnswers()
        self._initial = layout.pin.initial if layout else ""
        self._card = {"layout": layout.name} if layout else {}
        self._card |= {"algorithm": image.algorithm} if image else {}

    def exchanged(self, exchange: Exchange) -> None:
        """Writes one command and its answer, with the reason of the status word and what changed in the card."""
        told, masked = self._people.masked(exchange) if self._people else (exchange, False)
        secrets = self._file.show_secrets
        event: dict[str, Any] = {
            "event": "apdu",
            "command": command_hex(told.command, show_secrets=secrets),
            "answer": self._answer(told),
            "instruction": instruction_name(told.command),
            "reason": told.reason,
        }
        if told.plain:
            event["plain"] = command_hex(told.plain, show_secrets=secrets)
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

    def _answer(self, exchange: Exchange) -> str:
        return self._secrets.hex(exchange) if self._secrets else exchange.answer.hex().upper()

    def powered(self, event: str, atr: bytes) -> None:
        """Writes a reset or the loss of power."""
        if atr:
            told = mask.atr(atr) if self._people else atr
            card = self._file.marks.card(atr)
            self._file.write(self._slot, {"event": event, "atr": told.hex().upper(), "card": card, **self._card})
        else:
            self._file.write(self._slot, {"event": event})

    def injected(self, fault: str, kind: str, exchange: Exchange) -> None:
        """Writes that a fault came, and what the card itself did; no answer if the command never reached it."""
        command, own = exchange.command, exchange.answer
        if self._people:
            command, own = mask.masked_command(command), self._people.masked(exchange)[0].answer if own else own
            self._people.repeated = self._people.repeated or kind == "repeat"
        shown = self._answer(Exchange(exchange.command, own, ""))
        if self._secrets:
            self._secrets.repeated = self._secrets.repeated or kind == "repeat"
        event: dict[str, Any] = {"event": "fault", "fault": fault, "kind": kind}
        event["command"] = command_hex(command, show_secrets=self._file.show_secrets)
        if own:
            event["card_answered"] = shown
        self._file.write(self._slot, event)


CHANGE = ("kind", "name", "from", "to")
