"""Card programs for the benchmark, each a process:
``python -m tests.benchmarks.clients card|contactless|nothing|wire PORT``.
"""

from __future__ import annotations

import socket
import sys
import threading

from emulator.chip import Chip
from emulator.interface import Interface
from emulator.reader.slot import Card, Slot
from harness.serving.contactless import ContactlessReader
from tests.kit.cards import new_card

ANSWER = bytes(18) + b"\x90\x00"
ATR = bytes.fromhex("3B6D00000081544C908684510151010001")


def do_nothing(port: int) -> None:
    """The least a vpcd client can be, with the same care for TCP: every command gets the same 20 bytes."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answer = len(ANSWER).to_bytes(2, "big") + ANSWER
    atr = len(ATR).to_bytes(2, "big") + ATR
    buffer = b""
    while True:
        chunk = connection.recv(65536)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not chunk:
            return
        buffer += chunk
        while len(buffer) >= 2 and len(buffer) >= (end := 2 + int.from_bytes(buffer[:2], "big")):
            if end > 3:
                connection.sendall(answer)
            elif buffer[2] == 4:
                connection.sendall(atr)
            buffer = buffer[end:]


class Nothing:
    """A card that does nothing, for the card's own slot: what is left is what the wire costs."""

    atr = ATR

    def power_on(self) -> bytes:
        return self.atr

    def reset(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def taken_out(self) -> None:
        pass

    def transmit(self, command: bytes) -> bytes:  # noqa: ARG002
        return ANSWER


def main() -> None:
    """Serves until it is ended."""
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "nothing":
        do_nothing(port)
        return
    slot = Slot(card(kind), port)
    slot.insert()
    threading.Event().wait()


def card(kind: str) -> Card:
    """What the slot takes: nothing, the card by its contacts, or in a field with what its reader does besides."""
    if kind == "wire":
        return Nothing()
    chip = new_card().chip
    if kind != "contactless":
        return chip
    chip = Chip(chip.image, interface=Interface.CONTACTLESS)
    return ContactlessReader(chip, chip)


if __name__ == "__main__":
    main()
