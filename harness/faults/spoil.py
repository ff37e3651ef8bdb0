"""What a fault does to an answer, and when it comes: before the card is asked, or to what it said."""

from __future__ import annotations

from random import Random

from emulator.apdu.instructions.authentication import GetChallenge
from emulator.reader.wire import LARGEST
from harness.faults.plan import BEFORE, Fault

DONE = b"\x90\x00"


def early(fault: Fault) -> bool:
    """True for what comes before the card is asked, or in its place."""
    if fault.kind in ("removal", "reset"):
        return fault.moment == BEFORE
    if fault.kind in ("status", "mute"):
        return not fault.executed
    return fault.kind in ("delay", "sw6c", "repeat", "power-cut")


def applies(fault: Fault, raw: bytes, answer: bytes, own: bool) -> bool:
    """True where there is something for a fault to spoil. What it held back itself is not held back again."""
    data = answer[:-2]
    if fault.kind == "sw61":
        return own and bool(data) and answer[-2:] == DONE
    if fault.kind == "garbled" or (fault.kind == "truncated" and not fault.status_too):
        return bool(data)
    if fault.kind in ("status", "mute"):
        return own  # late ones are those that the card has carried out
    if fault.kind == "challenge":
        return GetChallenge.has_ins(raw) and bool(data)
    return True


def spoilt(fault: Fault, chance: Random, answer: bytes) -> bytes:
    """What the terminal gets instead of the card's answer."""
    data, status = answer[:-2], answer[-2:]
    if fault.kind == "status":
        return fault.sw.to_bytes(2, "big")
    if fault.kind == "truncated" and fault.status_too:
        return answer[: max(1, len(answer) - fault.by)]
    if fault.kind == "truncated":
        return data[: max(0, len(data) - fault.by)] + status
    if fault.kind == "oversized":
        return data + chance.randbytes(min(fault.by, LARGEST - len(answer))) + status
    if fault.kind == "challenge":
        return chance.randbytes(len(data)) + status
    spoilt = bytearray(data)
    for at in chance.sample(range(len(data)), min(fault.by, len(data))):
        spoilt[at] ^= 1 << chance.randrange(8)
    return bytes(spoilt) + status
