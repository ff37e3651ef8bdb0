"""What a card that is not simply in use still carries out: one blocked, blank, or not yet activated."""

from __future__ import annotations

from emulator.apdu.instructions.base import Instruction
from emulator.apdu.state import CardState
from emulator.apdu.status import SW, CardError
from emulator.filesystem.memory.cells import Activation, ApplicationLife, CardLife


def check_card(card: CardState) -> None:
    """After CARD BLOCK every command answers 6A81, whatever it is. [T: part5:6.2, part7:13.1]"""
    if card.memory.card_life is CardLife.BLOCKED:
        raise CardError(SW.FUNCTION_NOT_SUPPORTED, "the card is blocked for ever")


def check(card: CardState, kind: type[Instruction]) -> None:
    """9303 in an application that is blocked for ever, to all but another SELECT and APPLICATION BLOCK
    [T: part5:6.1.5, part7:13.2]; 6985 in one blocked for a time [D], and 6985 for the social security function before
    its activation (Measures, article 13; which commands: [D]).
    """
    here = card.session.directory
    block = card.blocked(here)
    if block is ApplicationLife.PERMANENT and not kind.when_blocked:
        raise CardError(SW.APPLICATION_BLOCKED, f"{here.spec.id} is blocked for ever")
    if kind.anywhere or block is ApplicationLife.PERMANENT:
        return
    if block and not kind.unblocks:
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, f"{here.spec.id} is blocked for a time")
    if card.memory.card_life is CardLife.BLANK:
        if not kind.before_activation:
            raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the card is blank: it is to be personalised first")
        return
    if card.layout.activation is None or card.memory.activation is Activation.ACTIVE:
        return
    home = card.layout.pin.application
    line = [directory.spec.id for directory in here.line()]
    if home in line and not (line[0] == home and kind.before_activation):
        raise CardError(SW.CONDITIONS_NOT_SATISFIED, "the social security function has not been activated")
