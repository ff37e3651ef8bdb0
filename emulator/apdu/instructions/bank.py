"""GET PROCESSING OPTIONS, for terminals that read the bank application beside the social security one."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.specs import Layout

COMMAND_TEMPLATE, ANSWER_TEMPLATE = 0x83, 0x80


@dataclass(slots=True)
class GetProcessingOptions(Instruction):
    """Tells which records a terminal is to read. What the terminal says of itself is not looked at: nothing is paid."""

    name = "GET PROCESSING OPTIONS"
    name_zh = "取处理选项"
    cla = 0x80
    ins = 0xA8
    source = "PBOC [P]"
    p1p2 = {0x0000: "the current application"}
    lengths = frozenset(range(2, 256))
    answers = "AIP 2, AFL"
    case4 = True
    versions = "2.00 and later"
    status = (0x6700, 0x6985, 0x6A80, 0x6A81, 0x6A86, 0x9303)

    data: bytes

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where an application has such options."""
        return any(app.processing for app in layout.applications.values())

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetProcessingOptions:
        """Template 83 with the PDOL's values."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Template 80; 6985 in an application without options, 6A80 for another template."""
        options = card.session.directory.spec.processing
        if not options:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{card.session.directory.spec.id} has no processing options")
        if self.data[0] != COMMAND_TEMPLATE or self.data[1] != len(self.data) - 2:
            raise CardError(SW.WRONG_DATA, "expected template 83, its length and the PDOL's values")
        return bytes((ANSWER_TEMPLATE, len(options))) + options
