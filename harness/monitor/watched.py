"""What names a session that is judged as it passes: no trace of it is kept, and none of its values either."""

from __future__ import annotations

from emulator.filesystem.layouts.specs import Layout
from harness.trace.read import Event, EventKind, slot_layout
from harness.verdicts.log import CardLog, Heard, Log


class Watched:
    """Hears the events of a session. ``layout``: of cards whose reset names none."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._log = Log(private=True)
        self._cards: dict[int, CardLog] = {}

    def hear(self, event: Event) -> None:
        """Takes in one event of a trace."""
        card = self._cards.get(event.slot)
        if card is None or (event.kind is EventKind.RESET and slot_layout(event, self._layout) is not card.layout):
            card = self._cards[event.slot] = self._log.card(slot_layout(event, self._layout))
        if event.kind is EventKind.RESET:
            card.powered(event.kind, bytes.fromhex(event.told("atr")))
        elif event.kind is EventKind.APDU:
            card.sent(event.command, event.answer)
        self._log.lines.clear()

    @property
    def heard(self) -> Heard:
        """What names all that has passed so far."""
        return self._log.heard
