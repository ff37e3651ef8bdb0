"""Sessions that the tests of the session view look at: a reference terminal's, and one with every kind of event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.chip import Chip
from emulator.crypto.keys import test_root as root_of
from harness.readers.connection import InProcess
from harness.studio.session.sessions import recorded
from harness.studio.session.store import Session
from harness.terminal import region
from harness.terminal.terminal import Terminal
from harness.trace.record import Trace
from tests.kit.cards import new_card

SCHEMA_1 = Path(__file__).parents[4] / "data" / "traces" / "schema-1.jsonl"
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m"


def tables(*, personal_data: bool = False) -> list[dict[str, Any]]:
    """The events of a terminal that reads a name, moves a region under secure messaging and reloads a PIN."""
    told: list[dict[str, Any]] = []
    trace = Trace(told.append, personal_data=personal_data)
    image = new_card("3.00", "3des").chip.image
    terminal = Terminal(InProcess(Chip(image, observer=trace.slot(0, image))), image.layout, root_of)
    terminal.begin()
    terminal.verify_pin("123456")
    terminal.read("SSSE/EF06/09")
    region.move(terminal, "510700", "510100")
    terminal.reload_pin("246802")
    terminal.connection.close()
    return told


def as_trace(events: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events).encode()


def session(events: list[dict[str, Any]], name: str = "t.jsonl") -> Session:
    return recorded(name, as_trace(events))


def every_kind() -> list[dict[str, Any]]:
    """One event of each kind, with hostile text wherever a trace has room for text."""
    at = iter(range(100))

    def one(event: str, slot: int = 0, **more: Any) -> dict[str, Any]:
        second = next(at)
        time = f"2026-01-02T03:04:{second:02}.000000+08:00"
        return {"v": 3, "t": 10.0 + second, "time": time, "slot": slot, "event": event, **more}

    def command(raw: str, answer: str, **more: Any) -> dict[str, Any]:
        return one("apdu", command=raw, answer=answer, latency=0.001, instruction="", **{"reason": "", **more})

    return [
        one("reset", atr="3B6D00000081544C908684510100000000", layout="3.00", algorithm="3des", card="0a0b0c0d"),
        command("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "9000", reason=HOSTILE),
        command("0020000003******", "63C4", changes=[{"kind": "tries", "name": HOSTILE, "from": "5", "to": "4"}]),
        command("00FF000000", "6D00", failure=f"Traceback\n{HOSTILE}"),
        one("fault", fault=f"1: {HOSTILE}", kind="mute", command="00B0000000", card_answered="9000"),
        command("00B0000000", ""),
        one("reader", command="FFCA000000", answer="000000009000", reason=HOSTILE, masked=True),
        one("call", function="iReadCardBas", code=-1, reason=HOSTILE, client=1, latency=0.02, arguments={"iType": 1}),
        one("reset", 1, atr="3B6D000000", layout="psam", algorithm="3des", card="01020304"),
        one("off", 1),
    ]
