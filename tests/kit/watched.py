"""A counter with a PSAM, all that happens at it in a trace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from emulator.apdu.command import CommandAPDU
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import PURSE_CELL
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.purse import Purse
from harness.faults import plan
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.keys.psam import Psam
from harness.readers.connection import InProcess
from harness.terminal.session import TerminalSession
from harness.terminal.terminal import Terminal
from harness.trace.record import Trace
from tests.kit.cards import new_card

BALANCE, OWN, POOLED = 0x0ABCDEF0, 0x0A123456, 0x0A654321
"""Amounts in fen whose bytes come about by no accident."""
PAID = (0x01020305, 0x0A0B0C0D, 0x0D0C0B0A)
TIME = bytes.fromhex("20261125084159")
NEW_PIN = "86420975"
OPEN = ("SSSE/EF05/02", "SSSE/EF05/03", "SSSE/EF05/06")


class Watched:
    """A card with a medical account and a PSAM, all that happens in a trace. ``tables``: what would be written."""

    def __init__(self, *faults: str, personal_data: bool = False) -> None:
        self.tables: list[dict[str, Any]] = []
        trace = Trace(self.tables.append, personal_data=personal_data)
        self.image: Image = new_card().chip.image
        purse = Purse.read(self.image.memory.parts(PURSE_CELL))
        self.image.memory.put(PURSE_CELL, replace(purse, balance=BALANCE, own=OWN, pooled=POOLED).cell())
        self.image.memory.commit()
        chip = FaultyChip(self.image, Plan(tuple(map(plan.from_text, faults))), observer=trace.slot(0, self.image))
        self.card = InProcess(chip)
        own = new_card("psam", "3des", "psam").chip.image
        self.psam = Psam(TerminalSession(InProcess(FaultyChip(own, Plan(()), observer=trace.slot(1, own)))))
        self.terminal = Terminal(self.card, self.image.layout, root_of, self.psam)
        self.terminal.begin()
        self.psam.begin(bytes.fromhex(str(self.terminal.read("SSSE/EF05/01"))))

    def send(self, *commands: str) -> bytes:
        answer = b""
        for command in commands:
            answer = self.card.send(bytes.fromhex(command))
        return answer

    @property
    def text(self) -> str:
        return "\n".join(map(json.dumps, self.tables))

    def settle(self) -> None:
        """A settlement with the PSAM, and the balance and the log afterwards."""
        amounts = b"".join(amount.to_bytes(4, "big") for amount in PAID)
        number = bytes.fromhex(self.psam.terminal_number)
        self.terminal.enter("DF04")
        begun = self._done(0xB0, 0x28, 0x01, 0x01, b"\1" + amounts + number)
        use = self.terminal.use("DPK")
        told = self.psam.purchase(begun[18:22] + begun[14:16], amounts, 2, TIME, begun[16], use)
        paid = self._done(0xB0, 0x2C, 0x01, 0x00, told[0] + TIME + told[1])
        self.psam.paid(paid[4:])
        for which in (1, 2, 3):
            self._done(0xB0, 0x26, 0x00, which)
        self.terminal.read_record("DF04/EF08", 1)

    def _done(self, cla: int, ins: int, p1: int, p2: int, data: bytes = b"") -> bytes:
        response = self.terminal.send(CommandAPDU(cla, ins, p1, p2, data, None if data else 0))
        assert response.ok, hex(response.sw)
        return response.data

    def day(self) -> None:
        """What a counter does with a card: everything is read, written, changed and paid once."""
        terminal, layout = self.terminal, self.image.layout
        terminal.verify_pin("123456")
        for file in layout.files.values():
            if file.structure is not Structure.TRANSPARENT and file.path.startswith(("SSSE", "DF01", "DF02", "DF03")):
                list(terminal.read_file(file.path))
        terminal.update("SSSE/EF06/0A", "2")
        self.settle()
        terminal.reload_pin(NEW_PIN)
        terminal.verify_pin(NEW_PIN)


def personal(image: Image) -> dict[str, str]:
    """What the card holds of its holder, in hex, by where it stands: runs of six bytes and more."""
    found = {}
    for file in image.layout.files.values():
        if file.structure is Structure.TRANSPARENT or not file.path.startswith(("SSSE", "DF0")):
            continue
        for number, record in enumerate(image.memory.records(file.path), 1):
            value = record if file.structure is Structure.CYCLIC else record[2:]
            at = f"{file.path}/{record[0]:02X}" if file.structure is Structure.RECORDS else f"{file.path}:{number}"
            bare = value.strip(b"\0").hex().upper()
            if at not in OPEN and len(bare) >= 12 and len(set(bare)) > 2:
                found[at] = bare[:24]
    return found
