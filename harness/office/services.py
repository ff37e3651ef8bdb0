"""What operations lean on: the calendar, the tariff, the makers of cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from emulator.crypto.keys import test_root
from emulator.filesystem import layout as layouts
from emulator.filesystem.image import Image
from emulator.personas import numbers
from harness.office import maker
from harness.office.drawer import Drawer
from harness.office.register.tables import Application, Bank
from harness.office.words import OPEN
from harness.office.workdays import CalendarError, Workdays
from harness.terminal.personalise import Personaliser

if TYPE_CHECKING:
    from harness.office.case import Case
    from harness.office.requests import Make

WORKING_DAYS = 30
"""Article 12."""
TEMPORARY_HOURS = 7 * 24
"""Article 18 says seven days; from which moment to which is [D]."""
FEE = 2000
"""Fen for a reissue or replacement; the Measures only say that the first is free. [D]"""
RENEWAL_DAYS = 90
"""A card may be replaced so long before it expires. [D]"""
INITIAL_PIN = "123456"


@dataclass(slots=True)
class Services:
    """``root`` gives a key's root, as an encryption machine would. ``blank`` draws the serial number of a new chip."""

    drawer: Drawer
    workdays: Workdays = field(default_factory=Workdays)
    root: Callable[[str, int], bytes] = test_root
    fee: int = FEE
    temporary_loss_hours: int = TEMPORARY_HOURS
    renewal_days: int = RENEWAL_DAYS
    initial_pin: str = INITIAL_PIN
    fictitious_only: bool = True

    def deadline(self, application: Application, today: date) -> dict[str, Any]:
        """By when the card must be handed out, and whether it is late; where no calendar says, why not."""
        try:
            by = self.workdays.add(application.accepted_at.date(), WORKING_DAYS + application.delay_days)
        except CalendarError as error:
            return {"deadline": None, "deadline_unknown": str(error)}
        return {"deadline": by.isoformat(), "late": application.progress in OPEN and today > by}

    def loss_ends(self, reported: datetime) -> datetime:
        """When a temporary loss lapses."""
        return reported + timedelta(hours=self.temporary_loss_hours)

    # --- making cards -----------------------------------------------------------------------------------------------

    def make(self, case: Case[Make]) -> None:
        """The card's chip: personalised in the reader, or a virtual one for the drawer. TerminalError, ItemError."""
        told = case.told["make"]
        layout = layouts.load(case.request.layout)
        serial = bytes.fromhex(case.presented.chip)[-4:] if case.presented is not None else told["serial"]
        image = maker.image(case.holder, told["number"], serial, layout, case.request.algorithm, case.today)
        if case.presented is not None:
            _same_chip(image, case.presented.chip)
            for _ in Personaliser(case.presented.terminal.connection, image).steps():
                pass
        else:
            self.drawer.put(told["number"], image)
        told["image"] = image

    def number(self, case: Case[Make]) -> None:
        """Draws the card's number from its bank's; a number is never drawn twice."""
        bank = case.session.get_one(Bank, case.case_of.bank_code)
        bank.cards += 1
        case.told["make"] = {
            "number": numbers.card_number(bank.district, bank.cards),
            "serial": bank.district.encode() + bank.cards.to_bytes(3, "big"),
        }

    def made(self, case: Case[Make]) -> dict[str, str]:
        """What the register notes of the chip."""
        told = case.told.pop("make")
        image: Image = told["image"]
        return {
            "number": told["number"],
            "chip": image.chip_factor.hex().upper(),
            "identification": image.memory.records("SSSE/EF05")[0][2:].hex().upper(),
            "layout": case.request.layout,
            "algorithm": case.request.algorithm,
        }


def _same_chip(image: Image, chip: str) -> None:
    if image.chip_factor.hex().upper() != chip:
        raise ValueError("the blank chip was made for another region than the holder's")
