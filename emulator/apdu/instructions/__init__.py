"""The card's instructions, each declared once: chip, decoder and monitor read the same classes."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge, InternalAuthentication
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select
from emulator.apdu.status import SW, CardError

INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Select,
    ReadRecord,
    UpdateRecord,
    ReadBinary,
    UpdateBinary,
    GetChallenge,
    InternalAuthentication,
    ExternalAuthentication,
    Verify,
    ChangePin,
    PinChangeUnblock,
    GetResponse,
)

BY_CODE: dict[int, type[Instruction]] = {kind.cla << 8 | kind.ins: kind for kind in INSTRUCTIONS}
SECRET_INS = frozenset(kind.ins for kind in INSTRUCTIONS if kind.secret)
"""INS bytes whose data must not be shown, whatever the class and however malformed the rest."""
CLASSES = frozenset(kind.cla for kind in INSTRUCTIONS)


def find(cla: int, ins: int) -> type[Instruction]:
    """The instruction of these two bytes; CardError 6E00 for the class, 6D00 for the instruction."""
    kind = BY_CODE.get(cla << 8 | ins)
    if kind is None:
        if cla not in CLASSES:
            known = ", ".join(f"{one:02X}" for one in sorted(CLASSES))
            raise CardError(SW.CLA_NOT_SUPPORTED, f"CLA {cla:02X} is none of {known}")
        raise CardError(SW.INS_NOT_SUPPORTED, f"CLA {cla:02X} has no INS {ins:02X}")
    return kind


__all__ = ["BY_CODE", "CLASSES", "INSTRUCTIONS", "SECRET_INS", "Instruction", "find"]
