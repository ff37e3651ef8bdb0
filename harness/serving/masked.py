"""The stream of a run as its traces are: each event masked by the same hand, numbered, with the run's own clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from emulator import interface
from harness.serving import subscription
from harness.trace.record import SlotTrace, Trace

EVENTS = ("apdu", "reset", "off", "fault", "reader")


class MaskedFeed:
    """Takes the lines of a subscription and hands on, to ``put``, events as ``schema-3.json`` of the traces has them,
    with ``n`` besides; and those about slots, cards and the stream itself, ATRs in them masked.

    PINs and keys are asterisks unless ``show_secrets``; what cards say of people are zeros unless ``personal_data``.
    """

    def __init__(
        self, put: Callable[[dict[str, Any]], None], *, show_secrets: bool = False, personal_data: bool = False
    ) -> None:
        self._out = put
        self._line: dict[str, Any] = {}
        self._trace = Trace(self._put, show_secrets=show_secrets, personal_data=personal_data)
        self._slots: dict[int, SlotTrace] = {}

    def take(self, line: dict[str, Any]) -> None:
        """One line of the stream."""
        self._line, kind = line, line["event"]
        if kind == "card":
            self._card(line)
        elif kind not in EVENTS:
            self._out(self._about_slots(line) if kind == "slots" else line)
        else:
            self._tell(self._of(line["slot"]), kind, line)

    def _card(self, line: dict[str, Any]) -> None:
        layout = subscription.layout(line)
        watched = self._trace.slot(line["slot"], layout=layout, algorithm=line["algorithm"])
        watched.stands(line["directory"], line["file"], waiting=bool(line["waiting"]))
        self._slots[line["slot"]] = watched
        self._out({name: value for name, value in line.items() if name != "table"})

    def _of(self, slot: int) -> SlotTrace:
        if slot not in self._slots:
            self._slots[slot] = self._trace.slot(slot)
        return self._slots[slot]

    def _tell(self, watched: SlotTrace, kind: str, line: dict[str, Any]) -> None:
        if kind == "apdu":
            watched.exchanged(subscription.exchange(line))
        elif kind == "fault":
            watched.injected(line["fault"], line["kind"], subscription.exchange(line))
        elif kind == "reader":
            watched.reader_answered(subscription.exchange(line))
        else:
            watched.powered(kind, bytes.fromhex(line["atr"]))

    def _put(self, event: dict[str, Any]) -> None:
        """What a trace would write now, with the number and the clocks of the line that it is of."""
        line = self._line
        told = datetime.fromtimestamp(line["wall"] / 1e6).astimezone().isoformat(timespec="microseconds")
        self._out({**event, "t": line["us"] / 1e6, "time": told, "n": line["n"]})

    def _about_slots(self, line: dict[str, Any]) -> dict[str, Any]:
        if self._trace.personal_data:
            return line
        return {**line, "slots": [masked_atr(one) for one in line["slots"]]}


def masked_atr(slot: dict[str, Any]) -> dict[str, Any]:
    """What is told of a slot, without the serial number of the chip that is in it."""
    card = slot.get("card")
    if not card:
        return slot
    return {**slot, "card": {**card, "atr": interface.masked(bytes.fromhex(card["atr"])).hex().upper()}}
