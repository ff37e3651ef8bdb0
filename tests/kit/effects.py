"""Whether a fault in a trace did what its kind says, held against what the terminal got and what the card had said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.trace.read import Event


@dataclass(frozen=True)
class Effect:
    """A fault that came alone at a command, and the exchange that it came at."""

    fault: Event
    told: Event
    right: bool


def of(events: Sequence[Event]) -> Iterator[Effect]:
    """The effects in one slot's events, less those of faults that met at one command."""
    before = b""
    for at, event in enumerate(events):
        if event.kind in ("reset", "off"):
            before = b""
        elif event.kind == "apdu":
            fault = events[at - 1]
            if at and fault.kind == "fault" and (at == 1 or events[at - 2].kind != "fault"):
                gone = not event.answer and at + 1 < len(events) and events[at + 1].kind == "off"
                yield Effect(fault, event, _right(fault, event.answer, before, gone=gone))
            before = event.answer


def _right(fault: Event, answer: bytes, before: bytes, *, gone: bool) -> bool:
    """Of faults without further fields; ``before``: the last answer since the reset."""
    own = bytes.fromhex(fault.told("card_answered"))
    data, status = own[:-2], own[-2:]
    return {
        "status": answer == b"\x6f\x00" and not own,
        "sw61": answer == bytes((0x61, min(8, len(data)))),
        "sw6c": len(answer) == 2 and answer[0] == 0x6C and not own,
        "truncated": answer == data[:-1] + status and bool(data),
        "oversized": answer[:-3] + answer[-2:] == own,
        "garbled": len(answer) == len(own) and answer != own and answer[-2:] == status,
        "challenge": len(answer) == len(own) and answer != own and answer[-2:] == status,
        "delay": answer == own,
        "reset": answer == own,
        "mute": gone and not own,
        "removal": gone and bool(own),
        "power-cut": gone,
        "repeat": answer == before and not own,
    }[fault.told("kind")]
