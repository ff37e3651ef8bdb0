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
from emulator.apdu.instructions.key_pair import ExportPublicKey
from emulator.apdu.instructions.psam import CipherData, CreditSamForPurchase, DeliveryKey, InitSamForPurchase
from emulator.apdu.instructions.purse import GetTransactionProof
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.signature import ComputeSignature
from emulator.apdu.instructions.transactions import CreditForLoad, DebitForPurchase, InitializeForLoad
from harness.trace import calls
from harness.trace.decode import answer_words, command_words, status_apart
from harness.trace.read import CALL, Event

HEADER = 5
UNSHARED = SECRET_INS | {
    DebitForPurchase.ins,
    CreditForLoad.ins,
    InitSamForPurchase.ins,
    CreditSamForPurchase.ins,
    GetTransactionProof.ins,
}
"""Instructions whose data no two runs share."""
PROOF, FACTOR = 16, 8
RANDOM = (
    GetChallenge.ins,
    InternalAuthentication.ins,
    CipherData.ins,
    InitializeForLoad.ins,
    DebitForPurchase.ins,
    CreditForLoad.ins,
    InitSamForPurchase.ins,
    GetTransactionProof.ins,
    ComputeSignature.ins,
    ExportPublicKey.ins,
)
"""Instructions whose answers no two runs share: challenges, cryptograms, MACs, sequence numbers."""
SECURED = 0x04


def comparable(command: bytes) -> bytes:
    """A command less what no two runs share: secrets, cryptograms, MACs and enciphered data."""
    if len(command) < HEADER:
        return command
    if command[1] in (ExternalAuthentication.ins, InternalAuthentication.ins):
        return command[:HEADER] + command[HEADER + PROOF :]  # what follows is a key version
    if command[1] == DeliveryKey.ins:
        factors = FACTOR * (command[2] >> 5)  # what follows is a challenge
        return command[: HEADER + factors]
    if command[1] in UNSHARED or command[0] & SECURED:
        return command[:HEADER]
    return command


class Session:
    """A trace's events as they are compared: slot by slot, as what slots have to do with each other is chance."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: event.slot)
        self.keys = list(self._keys())

    def _keys(self) -> Iterator[tuple[object, ...]]:
        asked: dict[int, bytes] = {}
        for event in self.events:
            if event.kind == "apdu":
                if event.command[1:2] != bytes((GetResponse.ins,)):
                    asked[event.slot] = event.command
                told = asked.get(event.slot, b"")
                random = len(told) > 1 and (told[1] in RANDOM or told[0] & SECURED)
                answer = (len(event.answer), event.answer[-2:]) if random else event.answer
                yield "apdu", event.slot, comparable(event.command), answer
            elif event.kind == CALL:
                yield CALL, event.slot, calls.words(event.table)
            else:
                yield event.kind, event.slot, event.told("atr"), event.told("fault")


def differences(left: Sequence[Event], right: Sequence[Event]) -> Iterator[tuple[str, Event]]:
    """Events that only one side has, in order: ``-`` on the left, ``+`` on the right. Nothing if they are alike."""
    one, other = Session(left), Session(right)
    matcher = SequenceMatcher(None, one.keys, other.keys, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield from (("-", event) for event in one.events[i:j])
            yield from (("+", event) for event in other.events[k:m])


def words(event: Event, about: str = "") -> str:
    """One event on one line. ``about``: the item, file or key that its command names."""
    if event.kind == "apdu":
        meaning = answer_words(event.answer) if len(event.answer) > 1 else "no status word"
        asked = " ".join(filter(None, (event.told("command"), command_words(event.command), about and f"[{about}]")))
        return f"→ {asked} ← {status_apart(event.told('answer')) or '-'} {meaning}"
    if event.kind == CALL:
        return f"⇒ {calls.words(event.table)}"
    return " ".join(filter(None, (event.kind, event.told("atr"), event.told("fault"))))
