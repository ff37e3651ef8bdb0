"""The bank's application beside the social security one, read by terminals: nothing is ever paid with this card."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import ber
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.lengths import exact
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import data_cell
from emulator.messages import _

COMMAND_TEMPLATE, ANSWER_TEMPLATE = 0x83, 0x80
TRANSACTIONS = 0x9F36
"""Tag of the application transaction counter (ATC)."""


@dataclass(slots=True)
class GetProcessingOptions(Instruction):
    """Tells which records a terminal is to read, and counts one more transaction. The values that the PDOL asks for
    must all be there; what they say is not looked at, as nothing is paid.
    """

    name = "GET PROCESSING OPTIONS"
    name_zh = "取处理选项"
    cla = 0x80
    ins = 0xA8
    source = "[P: pboc]; that it counts [1: prog-quickpass]"
    p1p2 = {0x0000: "the current application"}
    lengths = frozenset(range(2, 256))
    writes = True
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
        """Returns template 80 with AIP and AFL, and adds one to the transaction counter where the card has one. Raises
        CardError 6985 in an application without options, for values of another length than the PDOL's and where the
        counter is at its end, 6A80 for anything but template 83.
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
        self._count(card, spec.id)
        return ber.build(ANSWER_TEMPLATE, spec.processing)

    @staticmethod
    def _count(card: CardState, application: str) -> None:
        cell = data_cell(application, TRANSACTIONS)
        held = card.memory.get(cell)
        if not isinstance(held, bytes):
            return
        count = int.from_bytes(held, "big") + 1
        if count >> 8 * len(held):
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"the transaction counter of {application} is at its end")
        card.memory.put(cell, count.to_bytes(len(held), "big"))


@dataclass(slots=True)
class GetData(Instruction):
    """Gives a data object that stands in no record: counters, the log's format, the e-cash's balance and limits."""

    name = "GET DATA"
    name_zh = "取数据"
    cla = 0x80
    ins = 0xCA
    source = "[P: pboc]; the objects [S: prog-quickpass, prog-perso-check]"
    answers = "tag, length, value"
    harmless_answer = ((0, 3),)  # tag and length
    versions = "2.00 and later"
    status = (0x6700, 0x6985, 0x6A81, 0x6A88, 0x6C00, 0x9303)

    tag: int
    le: int | None

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where an application has such objects."""
        return any(app.data for app in layout.applications.values())

    @classmethod
    def command(cls, tag: int, le: int = 0) -> CommandAPDU:
        """The object of a tag of two bytes."""
        return cls.apdu(p1p2=tag, le=le)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetData:
        """P1 and P2 are the tag, Le how many bytes."""
        return cls(command.p1 << 8 | command.p2, command.le)

    @classmethod
    def parameters(cls, command: CommandAPDU) -> str:
        """The tag."""
        return _("tag {tag:04X}").format(tag=command.p1 << 8 | command.p2)

    def execute(self, card: CardState) -> bytes:
        """Returns tag, length and value. Raises CardError 6A88 where the application has no such object, 6Cxx for
        another Le.
        """
        application = card.session.directory.spec.id
        held = card.memory.get(data_cell(application, self.tag))
        if not isinstance(held, bytes):
            raise CardError(SW.REFERENCE_NOT_FOUND, f"{application} has no data object {self.tag:04X}")
        return exact(self.le, ber.build(self.tag, held))


@dataclass(slots=True)
class GenerateAc(Instruction):
    """Is refused: a transaction would need keys of an issuer, and this card has none. [D]"""

    name = "GENERATE AC"
    name_zh = "生成应用密文"
    cla = 0x80
    ins = 0xAE
    source = "the command [P: pboc], that it is refused [D]"
    p1p2 = {0x0000: "AAC", 0x4000: "TC", 0x8000: "ARQC"}
    lengths = frozenset(range(1, 256))
    case4 = True
    versions = "2.00 and later"
    status = (0x6700, 0x6985, 0x6A81, 0x6A86, 0x9303)

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """Only where an application has processing options."""
        return GetProcessingOptions.offered(layout)

    @classmethod
    def command(cls, kind: int, values: bytes) -> CommandAPDU:
        """``kind`` of cryptogram as P1 says it, and the values that CDOL1 or CDOL2 asks for."""
        return cls.apdu(values, kind << 8)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GenerateAc:  # noqa: ARG003
        """Nothing of it is looked at."""
        return cls()

    def execute(self, card: CardState) -> bytes:
        """Raises CardError 6985, always."""
        here = card.session.directory.spec.id
        raise CardError(
            SW.CONDITIONS_NOT_SATISFIED, f"no payment is made with this card: {here} has no keys for a cryptogram"
        )
