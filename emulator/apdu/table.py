"""Which instruction a command's first bytes mean, on a card of one layout, and why some bytes mean none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emulator.apdu.command import HEADER
from emulator.apdu.instructions import INSTRUCTIONS, Instruction
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import Layout

MOST_KEPT = 1024


class InstructionTable:
    """The instructions of a layout, by CLA and INS; two that share these are told apart by P1."""

    def __init__(
        self, instructions: Iterable[tuple[type[Instruction], tuple[int, int]]], *, follows_class: bool = False
    ) -> None:
        """``follows_class``: GET RESPONSE is one in every class that any of them has."""
        self.by_code: dict[int, type[Instruction]] = {}
        self.by_p1: dict[int, type[Instruction]] = {}
        self.understood: dict[bytes, Instruction] = {}
        """Commands without data that passed their checks, and whose answer comes at once: see ``remember``."""
        for kind, (cla, ins) in instructions:
            for one in (cla, *kind.secured):
                self.by_code.setdefault(one << 8 | ins, kind)
            if kind.by_p1:
                self.by_p1 |= {cla << 16 | ins << 8 | p1p2 >> 8: kind for p1p2 in kind.p1p2}
        self.classes = frozenset(code >> 8 for code in self.by_code)
        for cla in self.classes if follows_class else ():
            self.by_code.setdefault(cla << 8 | GetResponse.ins, GetResponse)

    @classmethod
    def of(cls, layout: Layout) -> InstructionTable:
        """The table of a layout, made once."""
        table = _TABLES.get(layout.fingerprint)
        if table is None:
            offered = list(_offered(layout))
            table = _TABLES[layout.fingerprint] = cls(offered, follows_class=layout.follows_class)
        return table

    def remember(self, raw: bytes, instruction: Instruction) -> None:
        """Keeps what a plain command of no more than a header means: nothing but its bytes says so, and terminals send
        the same few again and again. One with data is not kept, as it may hold a PIN, nor one whose answer may have to
        be fetched; nor is any beyond ``MOST_KEPT``.
        """
        if len(raw) <= HEADER and not instruction.case4 and len(self.understood) < MOST_KEPT:
            self.understood[raw] = instruction

    def get(self, raw: bytes) -> type[Instruction] | None:
        """The instruction that a command's first bytes mean, None for none."""
        if len(raw) < 2:
            return None
        kind = self.by_code.get(raw[0] << 8 | raw[1])
        if kind is not None and kind.by_p1 and len(raw) > 2:
            return self.by_p1.get(raw[0] << 16 | raw[1] << 8 | raw[2], kind)
        return kind

    def find(self, cla: int, ins: int, p1: int) -> type[Instruction]:
        """The instruction of a command; CardError saying which of its bytes means nothing here."""
        kind = self.by_code.get(cla << 8 | ins)
        if kind is None:
            raise self._unknown(cla, ins)
        if kind.by_p1:
            return self.by_p1.get(cla << 16 | ins << 8 | p1, kind)
        return kind

    def _unknown(self, cla: int, ins: int) -> CardError:
        """6D00 in a known class, else 6E00: the text knows no channels, no chains and no messaging of ISO's.
        [T: part5:table 5]
        """
        if cla in self.classes:
            return CardError(SW.INS_NOT_SUPPORTED, f"CLA {cla:02X} has no INS {ins:02X}")
        known = ", ".join(f"{one:02X}" for one in sorted(self.classes))
        return CardError(SW.CLA_NOT_SUPPORTED, f"CLA {cla:02X} is not one of {known}")


def _offered(layout: Layout) -> Iterator[tuple[type[Instruction], tuple[int, int]]]:
    """What a card of a layout has, and under which class and instruction, by its habits too."""
    habits = layout.habits
    for kind in INSTRUCTIONS:
        if kind.offered(layout):
            cla, ins = kind.code(layout)
            code = cla << 8 | ins
            own = habits.commands.get(code, code) if habits is not None else code
            if own is not None:
                yield kind, (own >> 8, own & 0xFF)


_TABLES: dict[str, InstructionTable] = {}
EVERYTHING = InstructionTable((kind, (kind.cla, kind.ins)) for kind in INSTRUCTIONS)
"""All instructions of all cards under their own names, for decoders that do not know the layout."""
EVERY_NAME = InstructionTable(((kind, (kind.cla, kind.ins)) for kind in INSTRUCTIONS), follows_class=True)
"""The same, for those who only name a command: GET RESPONSE is called so in whatever class it comes."""
