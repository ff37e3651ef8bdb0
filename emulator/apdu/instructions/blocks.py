"""APPLICATION BLOCK, APPLICATION UNBLOCK and CARD BLOCK, all under secure messaging; none of them locks a key.
[T: part7:13.1, part7:13.2]"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.apdu.command import MAC_SIZE, CommandAPDU
from emulator.apdu.instructions.base import WHOLE, Instruction, wrong_p1p2
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.layouts.specs import ApplicationSpec, KeySpec, Layout
from emulator.filesystem.memory.cells import CARD_STATE, ApplicationLife, CardLife, state_cell
from emulator.messages import because
from emulator.security import Condition

FOR_A_TIME, FOR_EVER = 0x0000, 0x0001
"""P1 P2 of APPLICATION BLOCK."""


class _Block(Instruction):
    """What the three share."""

    cla = 0x84
    lengths = frozenset({MAC_SIZE})
    harmless_data = WHOLE  # a MAC
    protected = True
    writes = True
    before_activation = True

    __slots__ = ()


class _ApplicationBlock(_Block):
    """What blocking an application and ending that share."""

    __slots__ = ()

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition:  # noqa: ARG003
        """Returns the right that the layout asks for in this application."""
        return here.block


@dataclass(slots=True)
class ApplicationBlock(_ApplicationBlock):
    """Blocks the current application for ever; or for a time, where the layout has PBOC's form."""

    name = "APPLICATION BLOCK"
    name_zh = "应用锁定"
    ins = 0x1E
    source = "[T: part5:6.1]; P2 00 [P: pboc]"
    p1p2 = {FOR_EVER: "for ever", FOR_A_TIME: "for a time, where the layout has it"}
    when_blocked = True
    unblocks = True
    status = (0x6581, 0x6700, 0x6982, 0x6984, 0x6985, 0x6988, 0x6A86, 0x6A81, 0x6A88, 0x9303)

    state: ApplicationLife

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:
        """The DF's messaging key, once what the layout asks for was won; 6A86, 6A88, 6982."""
        if not (command.p2 or card.layout.blocking.temporary):
            raise wrong_p1p2("0000", "0001: this layout has no temporary block")
        card.need(cls.condition(card.layout, here := card.session.directory.spec), because(f"{cls.name} of {here.id}"))
        return card.messaging_key()

    @classmethod
    def done_already(cls, card: CardState, command: CommandAPDU) -> bool:
        """In an application that is blocked for ever: 9000, by the text's clause (its table lists 9303 too).
        [T: part5:6.1.5]

        No challenge is to be had there, so no MAC could be right. [D]
        """
        return command.p2 == 0x01 and card.blocked(card.session.directory) is ApplicationLife.PERMANENT

    @classmethod
    def command(cls, *, temporary: bool = False) -> CommandAPDU:
        """To be sealed with a MAC. For ever, unless told."""
        return cls.apdu(p1p2=FOR_A_TIME if temporary else FOR_EVER)

    @classmethod
    def parse(cls, command: CommandAPDU) -> ApplicationBlock:
        """Returns the instruction: P2 tells a permanent block (01) from a temporary one (00)."""
        return cls(ApplicationLife.PERMANENT if command.p2 else ApplicationLife.TEMPORARY)

    def execute(self, card: CardState) -> bytes:
        """Returns no data."""
        card.memory.put(state_cell(card.session.directory.spec.id), self.state)
        return b""


@dataclass(slots=True)
class ApplicationUnblock(_ApplicationBlock):
    """Ends a temporary block of the current application. Layouts with PBOC's form have it. [P]"""

    name = "APPLICATION UNBLOCK"
    name_zh = "应用解锁"
    ins = 0x18
    source = "[P: pboc]"
    p1p2 = {0x0000: "the current application"}
    status = (0x6581, 0x6700, 0x6982, 0x6984, 0x6985, 0x6988, 0x6A81, 0x6A86, 0x6A88, 0x9303)
    versions = "where the layout says so"
    unblocks = True

    @classmethod
    def offered(cls, layout: Layout) -> bool:
        """True for layouts that know the temporary form: only that one can be undone."""
        return layout.card in cls.cards and layout.blocking.temporary

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:  # noqa: ARG003
        """As APPLICATION BLOCK; 6985 where the current application is not blocked itself."""
        here = card.session.directory
        if here.parent is None or card.memory.life(here.spec.id) is ApplicationLife.IN_USE:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{here.spec.id} is not blocked")
        card.need(cls.condition(card.layout, here.spec), because(f"{cls.name} of {here.spec.id}"))
        return card.messaging_key()

    @classmethod
    def command(cls) -> CommandAPDU:
        """To be sealed with a MAC."""
        return cls.apdu()

    @classmethod
    def parse(cls, command: CommandAPDU) -> ApplicationUnblock:  # noqa: ARG003
        """Returns the instruction; its data were the MAC alone."""
        return cls()

    def execute(self, card: CardState) -> bytes:
        """Returns no data."""
        card.memory.put(state_cell(card.session.directory.spec.id), ApplicationLife.IN_USE)
        return b""


@dataclass(slots=True)
class CardBlock(_Block):
    """Blocks the card: from then on every command answers 6A81. [T: part5:6.2]"""

    name = "CARD BLOCK"
    name_zh = "卡片锁定"
    ins = 0x16
    source = "[T: part5:6.2]"
    p1p2 = {0x0000: "the card"}
    status = (0x6581, 0x6700, 0x6982, 0x6984, 0x6985, 0x6988, 0x6A81, 0x6A86, 0x6A88)

    @classmethod
    def condition(cls, layout: Layout, here: ApplicationSpec) -> Condition:  # noqa: ARG003
        """Returns the right that the layout asks for to block the whole card."""
        return layout.blocking.card

    @classmethod
    def authorise(cls, card: CardState, command: CommandAPDU) -> KeySpec:  # noqa: ARG003
        """The messaging key, once what the layout asks for (BK) was won; 6A88, 6982."""
        key = card.messaging_key()
        card.need(cls.condition(card.layout, card.session.directory.spec), cls.name)
        return key

    @classmethod
    def command(cls) -> CommandAPDU:
        """To be sealed with a MAC."""
        return cls.apdu()

    @classmethod
    def parse(cls, command: CommandAPDU) -> CardBlock:  # noqa: ARG003
        """Returns the instruction; its data were the MAC alone."""
        return cls()

    def execute(self, card: CardState) -> bytes:
        """Returns no data."""
        card.memory.put(CARD_STATE, CardLife.BLOCKED)
        return b""
