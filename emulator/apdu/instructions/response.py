"""GET RESPONSE: fetches what 61xx announced."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.lengths import exact
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.terms import CardKind


@dataclass(slots=True)
class GetResponse(Instruction):
    """Part of the T=0 shape, not of any application. Fewer bytes than wait may be asked for; 61xx tells the rest."""

    name = "GET RESPONSE"
    name_zh = "取响应"
    cla = 0x00
    ins = 0xC0
    source = "[T: part5:6.6]"
    p1p2 = {0x0000: "what 61xx announced"}
    answers = "the waiting data"
    status = (0x6700, 0x6A81, 0x6A86, 0x6C00, 0x6F00, 0x9303)
    cards = (CardKind.USER, CardKind.PSAM)
    anywhere = True
    continues = True

    le: int

    @classmethod
    def command(cls, size: int) -> CommandAPDU:
        """Returns the command that fetches ``size`` bytes, as 61xx announced them (0: 256)."""
        return cls.apdu(le=size)

    @classmethod
    def parse(cls, command: CommandAPDU) -> GetResponse:
        """Returns the instruction: Le says how many bytes are asked for."""
        return cls(command.le or 0)

    def execute(self, card: CardState) -> bytes:
        """The data; 6Cxx for Le 00 or too much, 6F00 with nothing waiting."""
        waiting = card.session.pending
        if not waiting:
            raise CardError(SW.UNKNOWN, "no answer is waiting")
        if not 0 < self.le < len(waiting):
            exact(self.le, waiting)
        data, card.session.pending = waiting[: self.le or 256], waiting[self.le or 256 :]
        return data
