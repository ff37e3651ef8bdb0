"""GET PROCESSING OPTIONS, for terminals that read the bank application beside the social security one."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import ber
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import Layout

COMMAND_TEMPLATE, ANSWER_TEMPLATE = 0x83, 0x80


@dataclass(slots=True)
class GetProcessingOptions(Instruction):
    """Tells which records a terminal is to read. The values that the PDOL asks for must all be there; what they say is
    not looked at, as nothing is paid.
    """

    name = "GET PROCESSING OPTIONS"
    name_zh = "取处理选项"
    cla = 0x80
    ins = 0xA8
    source = "[P: pboc]"
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
    def command(cls, values: bytes = b"") -> CommandAPDU:
        """The values that the PDOL asks for, one after the other."""
        return cls.apdu(ber.build(COMMAND_TEMPLATE, values))

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetProcessingOptions:
        """Template 83 with the PDOL's values."""
        return cls(command.data)

    def execute(self, card: CardState) -> bytes:
        """Returns template 80 with AIP and AFL. Raises CardError 6985 in an application without options and for values
        of another length than the PDOL's, 6A80 for anything but template 83.
        """
        spec = card.session.directory.spec
        if not spec.processing:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{spec.id} has no processing options")
        expected = sum(length for _, length in spec.options)
        try:
            ((tag, values),) = ber.objects(self.data)
        except ValueError:
            tag, values = 0, b""
        if tag != COMMAND_TEMPLATE:
            raise CardError(SW.WRONG_DATA, "expected template 83, its length and the PDOL's values")
        if len(values) != expected:
            raise CardError(
                SW.CONDITIONS_NOT_SATISFIED, f"the PDOL of {spec.id} asks for {expected} bytes, {len(values)} came"
            )
        return ber.build(ANSWER_TEMPLATE, spec.processing)
