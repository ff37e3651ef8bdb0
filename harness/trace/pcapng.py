"""A trace as a pcapng file for Wireshark, whose own ISO 7816 dissectors then take commands, answers and ATRs apart.

Blocks and options as in the IETF's pcapng draft; each packet is Wireshark's "exported PDU" (link type 252), which names
its dissector in a tag. Wireshark itself takes an answer that happens to begin with 3B or 3F for an ATR. One interface
per slot. What we know besides, words and reasons, is each packet's comment. Times are the wall clock's, a command's own
beside its answer's; of traces before version 3, which have none, the monotonic clock's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emulator.messages import _
from emulator.messages.reasons import why
from harness.trace import calls
from harness.trace.decode import answer_words, command_words
from harness.trace.read import Event, EventKind

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
LINK_UPPER_PDU = 252
COMMENT, INTERFACE_NAME = 1, 2
TAG_DISSECTOR, TAG_DIRECTION, TAG_END = 12, 35, 0
SENT, RECEIVED = 0, 1
APDU, ATR = b"iso7816", b"iso7816.atr"


def export(events: Iterable[Event], about: Callable[[Event], str] = lambda __: "") -> Iterator[bytes]:
    """The file, block by block. ``about`` says which item, file or key a command names.

    A fault is told in the comment of the packet that it came at, the next one of its slot; what else is no bytes on the
    wire, silence and the loss of power, in that of the packet before it.
    """
    yield _block(SECTION, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1))
    interfaces: dict[int, int] = {}
    faults: dict[int, list[str]] = {}
    waiting: _Packet | None = None
    for event in events:
        if event.slot not in interfaces:
            interfaces[event.slot] = len(interfaces)
            name = _option(INTERFACE_NAME, f"slot {event.slot}".encode()) + _option(0, b"")
            yield _block(INTERFACE, struct.pack("<HHI", LINK_UPPER_PDU, 0, 0) + name)
        for t, dissector, direction, payload, words in _packets(event, about(event)):
            if payload:
                if waiting is not None:
                    yield waiting.block()
                told = [*faults.pop(event.slot, ()), words]
                waiting = _Packet(interfaces[event.slot], t, _pdu(dissector, direction, payload), told)
            elif event.kind is EventKind.FAULT or waiting is None:
                faults.setdefault(event.slot, []).append(words)
            else:
                waiting.words.append(words if waiting.interface == interfaces[event.slot] else f"{event.slot}: {words}")
    if waiting is not None:
        waiting.words += [words for left in faults.values() for words in left]
        yield waiting.block()


@dataclass(slots=True)
class _Packet:
    """A packet until the next one comes: till then more may be told of it."""

    interface: int
    t: float
    data: bytes
    words: list[str]

    def block(self) -> bytes:
        return _packet(self.interface, self.t, self.data, "\n".join(filter(None, self.words)))


def _packets(event: Event, about: str) -> Iterator[tuple[float, bytes, int, bytes, str]]:
    """When, dissector, direction, bytes and words of what went over the wire."""
    t = event.time.timestamp() if event.time else event.t
    if event.kind is EventKind.RESET:
        yield t, ATR, RECEIVED, bytes.fromhex(event.told("atr")), _("reset 复位")
    elif event.kind is EventKind.APDU:
        asked = "\n".join(filter(None, (command_words(event.command), about)))
        yield t - (event.latency or 0), APDU, SENT, event.command, asked
        words = answer_words(event.answer) if len(event.answer) > 1 else _("no status word 无状态字")
        yield t, APDU, RECEIVED, event.answer, f"{words}: {why(event.reason)}" if event.reason else words
    elif event.kind is EventKind.READER:
        yield t, APDU, SENT, event.command, _("the reader answers, not the card 读卡器应答，未到卡")
        yield t, APDU, RECEIVED, event.answer, why(event.reason)
    elif event.kind is EventKind.CALL:
        yield t, b"", SENT, b"", calls.words(event.table)
    else:
        yield t, b"", SENT, b"", f"{event.kind} {event.told('fault')}".strip()


def _pdu(dissector: bytes, direction: int, payload: bytes) -> bytes:
    tags = _tag(TAG_DISSECTOR, dissector) + _tag(TAG_DIRECTION, struct.pack(">I", direction)) + _tag(TAG_END, b"")
    return tags + payload


def _tag(number: int, value: bytes) -> bytes:
    """A tag of an exported PDU: big-endian, its value filled to four bytes and its length counting that."""
    value += bytes(-len(value) % 4)
    return struct.pack(">HH", number, len(value)) + value


def _option(number: int, value: bytes) -> bytes:
    return struct.pack("<HH", number, len(value)) + value + bytes(-len(value) % 4)


def _packet(interface: int, t: float, data: bytes, comment: str) -> bytes:
    micros = max(0, round(t * 1_000_000))
    head = struct.pack("<IIIII", interface, micros >> 32, micros & 0xFFFFFFFF, len(data), len(data))
    options = _option(COMMENT, comment.encode()) + _option(0, b"") if comment else b""
    return _block(PACKET, head + data + bytes(-len(data) % 4) + options)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)
