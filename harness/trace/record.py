"""Writing a trace: JSON Lines, one event a line, schema version 1 (``schema-1.json`` beside this file)."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulator.chip import Exchange
from harness.trace.decode import command_hex, instruction_name

VERSION = 1


class TraceFile:
    """A trace being written; a line is in the file when its command is answered. One file for all slots."""

    def __init__(self, path: Path, *, show_secrets: bool = False) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._show_secrets = show_secrets

    def slot(self, number: int) -> SlotTrace:
        """An observer for the card in this slot."""
        return SlotTrace(self, number, self._show_secrets)

    def write(self, slot: int, event: dict[str, Any]) -> None:
        """One line: version, monotonic seconds, slot, and the event."""
        with self._lock:
            line = {"v": VERSION, "t": round(time.monotonic(), 6), "slot": slot, **event}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


class SlotTrace:
    """Observes one chip for a trace file."""

    def __init__(self, file: TraceFile, slot: int, show_secrets: bool) -> None:
        self._file, self._slot, self._show_secrets = file, slot, show_secrets

    def exchanged(self, exchange: Exchange) -> None:
        """Writes one command and its answer, with the reason of the status word."""
        event: dict[str, Any] = {
            "event": "apdu",
            "command": command_hex(exchange.command, show_secrets=self._show_secrets),
            "answer": exchange.answer.hex().upper(),
            "instruction": instruction_name(exchange.command),
            "reason": exchange.reason,
        }
        if exchange.failure:
            event["failure"] = exchange.failure
        self._file.write(self._slot, event)

    def powered(self, event: str, atr: bytes) -> None:
        """Writes a reset or the loss of power."""
        self._file.write(self._slot, {"event": event, "atr": atr.hex().upper()} if atr else {"event": event})
