"""A copy of a trace to hand on with a report: masked as a trace is that was recorded without options."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from emulator import interface
from emulator.filesystem.layouts.specs import Layout
from harness.trace import calls, mask
from harness.trace.decode import command_hex, starred
from harness.trace.mask import PersonalData, Seen
from harness.trace.read import Event, EventKind, slot_layout

KEPT = (
    "v", "t", "time", "slot", "event", "command", "plain", "answer", "latency", "instruction", "reason", "changes",
    "pins", "masked", "fault", "kind", "card_answered", "atr", "card", "layout", "algorithm", "interface", "function",
    "code", "client",
)  # fmt: skip


def masked_copy(events: Iterable[Event], layout: Layout) -> Iterator[str]:
    """The lines of the copy. What is hidden in the trace stays so. ``layout``: of cards whose reset names none."""
    slots: dict[int, PersonalData] = {}
    for event in events:
        if event.kind is EventKind.RESET or event.slot not in slots:
            slots[event.slot] = PersonalData(slot_layout(event, layout))
        yield json.dumps(_masked(event, slots[event.slot]), ensure_ascii=False) + "\n"


def _masked(event: Event, people: PersonalData) -> dict[str, Any]:
    table = {name: value for name, value in event.table.items() if name in KEPT}
    if event.kind is EventKind.RESET:
        table["atr"] = interface.masked(bytes.fromhex(event.told("atr"))).hex().upper()
    elif event.kind is EventKind.CALL:
        table |= calls.masked({**event.table})
    elif event.kind is EventKind.FAULT:
        table["command"] = command_hex(people.command(event.command).zeroed)
        if own := event.told("card_answered"):
            table["card_answered"] = _answer(own, mask.nothing_of(bytes.fromhex(own.replace("*", "0"))))
        people.repeated = people.repeated or event.told("kind") == "repeat"
    elif event.kind is EventKind.READER:
        table["command"] = starred(event.command)
        seen = mask.nothing_of(event.answer)
        table["answer"] = _answer(event.told("answer"), seen)
        if not seen.whole:
            table["masked"] = True
    elif event.kind is EventKind.APDU:
        plain = event.plain if event.told("plain") else b""
        inner = people.command(plain, opened=True)
        command, answer = people.seen(event.command, event.answer, plain)
        table["command"] = command_hex(command.zeroed)
        table["answer"] = _answer(event.told("answer"), answer)
        if plain:
            table["plain"] = command_hex(inner.zeroed)
        table["reason"] = mask.scrubbed(event.reason, (command.hidden, inner.hidden, answer.hidden))
        if event.masked or not (command.whole and inner.whole and answer.whole):
            table["masked"] = True
    return table


def _answer(text: str, seen: Seen) -> str:
    return text if "*" in text else seen.zeroed.hex().upper()
