"""Two sessions compared, less what no two share: challenges, cryptograms, MACs, enciphered data, times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from emulator.apdu.instructions import SECRET_INS
from emulator.apdu.instructions.authentication import (
    ExternalAuthentication,
    GetChallenge,
    InternalAuthentication,
)
from emulator.apdu.instructions.response import GetResponse
from harness.trace.decode import answer_words, command_words
from harness.trace.read import Event

AUTHENTICATIONS = (ExternalAuthentication.ins, InternalAuthentication.ins)
SECURED = 0x04


def comparable(command: bytes) -> bytes:
    """A command less what no two runs share: secrets, cryptograms, MACs and enciphered data."""
    if len(command) < 5:
        return command
    if command[1] in AUTHENTICATIONS:
        return command[:5] + command[21:]  # what follows 16 bytes is a key version
    if command[1] in SECRET_INS or command[0] & SECURED:
        return command[:5]
    return command


class Session:
    """A trace's events as they are compared."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.keys = list(self._keys())

    def _keys(self) -> Iterator[tuple[object, ...]]:
        asked: dict[int, bytes] = {}
        for event in self.events:
            if event.kind == "apdu":
                if event.command[1:2] != bytes((GetResponse.ins,)):
                    asked[event.slot] = event.command
                told = asked.get(event.slot, b"")
                random = len(told) > 1 and (
                    told[1] in (GetChallenge.ins, InternalAuthentication.ins) or told[0] & SECURED
                )
                answer = (len(event.answer), event.answer[-2:]) if random else event.answer
                yield "apdu", event.slot, comparable(event.command), answer
            else:
                yield event.kind, event.slot, event.told("atr"), event.told("fault")


def differences(left: Sequence[Event], right: Sequence[Event]) -> Iterator[tuple[str, Event]]:
    """Events that only one side has, in order: ``-`` on the left, ``+`` on the right. Nothing if they are alike."""
    one, other = Session(left), Session(right)
    matcher = SequenceMatcher(None, one.keys, other.keys, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield from (("-", event) for event in left[i:j])
            yield from (("+", event) for event in right[k:m])


def words(event: Event) -> str:
    """One event on one line."""
    if event.kind == "apdu":
        meaning = answer_words(event.answer) if len(event.answer) > 1 else "no status word"
        return f"→ {event.told('command')} {command_words(event.command)} ← {event.told('answer') or '-'} {meaning}"
    return " ".join(filter(None, (event.kind, event.told("atr"), event.told("fault"))))
