"""What operations lean on: the calendar, the tariff, the makers of cards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from emulator.crypto.keys import test_root
from emulator.errors import CardFailure, ErrorKind
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from harness.office.cards.in_reader import CardInReader
from harness.office.cards.store import Cards
from harness.office.case.result import Result
from harness.office.measures.workdays import UnknownYear, Workdays
from harness.office.register.queries import Found
from harness.office.register.tables import Application, Card
from harness.office.vocabulary import OPEN, Life, Loss
from harness.terminal.personalise import Personaliser

WORKING_DAYS = 30
"""Article 12."""
TEMPORARY_HOURS = 7 * 24
"""Article 18 says seven days; from which moment to which is [D]."""
FEE = 2000
"""Fen for a reissue or replacement; the Measures only say that the first is free. [D]"""
RENEWAL_DAYS = 60
"""A card may be replaced so long before it expires, as the ministry answers those who ask. [D]"""
NUMBER = "SSSE/EF05/07"
INITIAL_PIN = "123456"


def how_far(application: Application | Found) -> dict[str, Any]:
    """What an application is for, and how far it is."""
    return {
        "application": application.id,
        "kind": str(application.kind),
        "kind_zh": application.kind.zh,
        "progress": str(application.progress),
        "progress_zh": application.progress.zh,
        "accepted": application.accepted_at.isoformat(),
    }


class WrongCard(CardFailure):
    """The card in the reader is not the blank chip that the holder's data go onto."""

    kind = ErrorKind.REFUSED


class Deadline(Result):
    """By when the card must be handed out, and whether it is late; where no calendar says, why not."""

    deadline: date | None
    late: bool | None = None
    deadline_unknown: str | None = None


@dataclass(slots=True)
class Services:
    """``root`` gives a key's root, as an encryption machine would."""

    card_store: Cards
    workdays: Workdays = field(default_factory=Workdays)
    root: Callable[[str, int], bytes] = test_root
    fee: int = FEE
    temporary_loss_hours: int = TEMPORARY_HOURS
    renewal_days: int = RENEWAL_DAYS
    initial_pin: str = INITIAL_PIN
    fictitious_only: bool = True

    def due(self, application: Application, today: date) -> Deadline:
        """``deadline`` as a result of its own."""
        return Deadline.model_validate(self.deadline(application, today))

    def deadline(self, application: Application | Found, today: date) -> dict[str, Any]:
        """By when the card must be handed out, and whether it is late; where no calendar says, why not."""
        try:
            by = self.workdays.add(application.accepted_at.date(), WORKING_DAYS + application.delay_days)
        except UnknownYear as error:
            return {"deadline": None, "deadline_unknown": str(error)}
        return {"deadline": by.isoformat(), "late": application.progress in OPEN and today > by}

    def loss_ends(self, reported: datetime) -> datetime:
        """Returns the moment when a temporary loss that was reported then lapses."""
        return reported + timedelta(hours=self.temporary_loss_hours)

    def lapsed(self, now: datetime) -> datetime:
        """Returns the moment until which a temporary loss must have been reported to have lapsed by now."""
        return now - timedelta(hours=self.temporary_loss_hours)

    def days_left(self, application: Application | Found, today: date) -> int | None:
        """Working days until the deadline of an open application, 0 on its day, less than none when it is over; None
        where the application is ended or the calendar does not say.
        """
        if application.progress not in OPEN:
            return None
        try:
            by = self.workdays.add(application.accepted_at.date(), WORKING_DAYS + application.delay_days)
            return self.workdays.between(today, by)
        except UnknownYear:
            return None

    def loss(self, card: Card | Found, now: datetime) -> Loss:
        """Article 18: a temporary loss that was not made formal lapses; which seven days those are is [D]."""
        lapsed = card.loss is Loss.TEMPORARY and card.lost_at is not None and now >= self.loss_ends(card.lost_at)
        loss: Loss = card.loss
        return Loss.NONE if lapsed else loss

    def usable(self, card: Card | Found, now: datetime) -> bool:
        """The social security function may be used."""
        active, frozen = card.activated_at is not None, card.frozen_at is not None
        return card.life is Life.ISSUED and active and not frozen and self.loss(card, now) is Loss.NONE

    def make(self, blank: CardInReader | None, image: Image, number: str) -> None:
        """Brings a card into being: the blank chip in the reader is personalised, or a virtual card goes into the
        drawer. CardFailure; WrongCard where the chip is not the blank one that is meant.
        """
        if blank is None:
            with contextlib.suppress(FileExistsError):  # made before, or by another clerk this moment
                self.card_store.put(number, image)
            return
        if image.chip_factor.hex().upper() != blank.chip:
            raise WrongCard(_("该空白芯片属于其他地区 the blank chip was made for another region than the holder's"))
        personaliser = Personaliser(blank.terminal.connection, image)
        if not personaliser.complete():
            for __ in personaliser.steps():
                pass
        blank.terminal.begin()
        if blank.terminal.read(NUMBER) != number:
            raise WrongCard(_("读卡器中不是空白卡 the card in the reader is no blank one"))
