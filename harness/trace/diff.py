"""Two sessions compared, less what no two share: challenges, cryptograms, MACs, enciphered data, times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from emulator.apdu.command import HEADER, is_secured
from emulator.apdu.instructions import SECRET_INS
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.table import EVERYTHING
from emulator.messages import _
from harness.trace import calls
from harness.trace.decode import answer_words, command_words, status_apart
from harness.trace.read import Event, EventKind


def comparable(command: bytes) -> bytes:
    """A command less what no two runs share: secrets, cryptograms, MACs and enciphered data."""
    kind = EVERYTHING.get(command)
    if len(command) < HEADER or is_secured(command) or command[1] in SECRET_INS:
        return command[:HEADER]
    return command if kind is None else command[:HEADER] + kind.lasting(command[2], command[HEADER:])


class Compared:
    """A trace's events as they are compared: slot by slot, as what slots have to do with each other is chance."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: event.slot)
        self.keys = list(self._keys())

    def _keys(self) -> Iterator[tuple[object, ...]]:
        asked: dict[int, bytes] = {}
        for event in self.events:
            if event.kind is EventKind.APDU:
                if not GetResponse.has_ins(event.command):
                    asked[event.slot] = event.command
                told = asked.get(event.slot, b"")
                kind = EVERYTHING.get(told)
                random = is_secured(told) or (kind is not None and kind.fresh_answer)
                answer = (len(event.answer), event.answer[-2:]) if random else event.answer
                yield EventKind.APDU, event.slot, comparable(event.command), answer
            elif event.kind is EventKind.READER:
                yield event.kind, event.slot, event.command, event.answer[-2:]  # the number is another each time
            elif event.kind is EventKind.CALL:
                yield EventKind.CALL, event.slot, calls.words(event.table)
            else:
                yield event.kind, event.slot, event.told("atr"), event.told("fault")


def differences(left: Sequence[Event], right: Sequence[Event]) -> Iterator[tuple[str, Event]]:
    """Events that only one side has, in order: ``-`` on the left, ``+`` on the right. Nothing if they are alike."""
    one, other = Compared(left), Compared(right)
    matcher = SequenceMatcher(None, one.keys, other.keys, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield from (("-", event) for event in one.events[i:j])
            yield from (("+", event) for event in other.events[k:m])


def words(event: Event, about: str = "") -> str:
    """One event on one line. ``about``: the item, file or key that its command names."""
    if event.kind is EventKind.APDU:
        meaning = answer_words(event.answer) if len(event.answer) > 1 else _("no status word")
        asked = " ".join(filter(None, (event.told("command"), command_words(event.command), about and f"[{about}]")))
        return f"→ {asked} ← {status_apart(event.told('answer')) or '-'} {meaning}"
    if event.kind is EventKind.READER:
        return f"⊙ {event.told('command')} ← {status_apart(event.told('answer'))}"
    if event.kind is EventKind.CALL:
        return f"⇒ {calls.words(event.table)}"
    return " ".join(filter(None, (event.kind, event.told("atr"), event.told("fault"))))
