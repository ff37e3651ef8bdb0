"""制卡, 发放 (articles 11, 12), and what becomes of cards that cannot be handed out (27)."""

from __future__ import annotations

from emulator.filesystem import layout as layouts
from emulator.personas import numbers
from harness.office import bank, maker
from harness.office.case import Case, Drawn
from harness.office.jobs import Job
from harness.office.measures import Citation
from harness.office.operation import Operation
from harness.office.register.tables import Bank, Card
from harness.office.requests import (
    DeliveryFailed,
    Dispose,
    Extend,
    HandOut,
    Make,
)
from harness.office.rule import Rule
from harness.office.rules import ADMINISTRATOR, NOT_BANK_ROLE, SERVICE, with_identity
from harness.office.words import Disposal, Life, Progress

C = Citation
ATTEMPTS = 2


def progress(*expected: Progress) -> Rule:
    """The application is that far."""
    words = "、".join(one.zh for one in expected)
    return Rule(
        "PROGRESS",
        C(12),
        f"申请应处于{words}状态",
        f"the application must be {' or '.join(expected)}",
        lambda case: case.case_of.progress in expected,
        grade="D",
    )


class Making(Operation[Make]):
    """制卡, virtual or on the blank chip in the reader."""

    request, zh, en, citation = Make, "制卡", "making the card", C(11, 2)
    rules = (
        NOT_BANK_ROLE,
        Rule(
            "CAN-MAKE",
            C(11, 2),
            "即时制卡由制卡类网点或卡管理机构提供",
            "cards are made at outlets that make cards, or by the management body",
            lambda case: case.clerk.outlet.makes_cards,
        ),
        progress(Progress.ACCEPTED),
    )
    by_itself = True

    def plan(self, case: Case[Make]) -> Job | None:
        """The number is drawn before the chip is made, and never again."""
        bank_ = case.session.get_one(Bank, case.case_of.bank_code)
        bank_.cards += 1
        case.drawn = Drawn(
            numbers.card_number(bank_.district, bank_.cards),
            bytes.fromhex(case.presented.chip)[-4:] if case.presented else _serial(bank_),
        )
        return None

    def chip(self, case: Case[Make]) -> None:
        """Fills the chip."""
        drawn, request = case.drawn, case.request
        assert drawn is not None, "plan comes first"
        layout = layouts.load(request.layout)
        image = maker.image(case.holder, drawn.number, drawn.serial, layout, request.algorithm, case.today)
        case.services.make(case.presented, image, drawn.number)
        drawn.chip = image.chip_factor.hex().upper()
        drawn.identification = image.memory.records("SSSE/EF05")[0][2:].hex().upper()

    def enter(self, case: Case[Make]) -> None:
        """A card, not handed out yet; the bank opens its account."""
        drawn, application = case.drawn, case.case_of
        assert drawn is not None, "chip comes first"
        card = Card(
            person_id=application.person_id,
            bank_code=application.bank_code,
            number=drawn.number,
            chip=drawn.chip,
            identification=drawn.identification,
            layout=case.request.layout,
            algorithm=case.request.algorithm,
            life=Life.MADE,
            made_at=case.now,
            valid_until=maker.valid_until(case.today),
        )
        case.session.add(card)
        case.session.flush()
        bank.open_account(case.session, card)
        application.card_id, application.progress = card.id, Progress.MADE
        case.card = card
        case.told["card"] = card.number


def _serial(bank_: Bank) -> bytes:
    """A virtual chip's serial number: its bank's district and count, so that no two banks draw the same."""
    return bank_.district.encode() + bank_.cards.to_bytes(3, "big")


class HandingOut(Operation[HandOut]):
    """发放."""

    request, zh, en, citation = HandOut, "发放", "handing out", C(12)
    rules = (*SERVICE, with_identity(C(13)), progress(Progress.MADE, Progress.UNDELIVERED))

    def enter(self, case: Case[HandOut]) -> None:
        """The new card is the holder's; the one that it takes over from serves no more."""
        application = case.case_of
        card, old = application.card, application.old_card
        assert card is not None
        if old is not None:
            old.life, old.ended_at, old.ended_why = Life.REPLACED, case.now, application.kind.zh
            bank.push(case.session, old, case.now)
            case.session.flush()
        card.life, card.issued_at = Life.ISSUED, case.now
        application.progress = Progress.DELIVERED
        case.card = card
        case.told["card"] = card.number


class Extending(Operation[Extend]):
    """顺延."""

    request, zh, en, citation = Extend, "顺延发放", "handing out later", C(12)
    rules = (NOT_BANK_ROLE, progress(Progress.ACCEPTED, Progress.MADE))

    def enter(self, case: Case[Extend]) -> None:
        """Days more, and why."""
        application = case.case_of
        application.delay_days, application.delay_reason = case.request.days, case.request.reason
        case.told |= case.services.deadline(application, case.today)


class FailingDelivery(Operation[DeliveryFailed]):
    """发放失败."""

    request, zh, en, citation = DeliveryFailed, "发放失败登记", "delivery failed", C(27)
    rules = (NOT_BANK_ROLE, progress(Progress.MADE, Progress.UNDELIVERED))

    def enter(self, case: Case[DeliveryFailed]) -> None:
        """One more attempt that failed."""
        case.case_of.failed_deliveries += 1
        case.case_of.progress = Progress.UNDELIVERED
        case.told["failed_deliveries"] = case.case_of.failed_deliveries


class Disposing(Operation[Dispose]):
    """处置, by the management body together with the bank (article 27)."""

    request, zh, en, citation = Dispose, "未发放卡处置", "disposing of a card not handed out", C(27)
    rules = (
        ADMINISTRATOR,
        progress(Progress.MADE, Progress.UNDELIVERED),
        Rule(
            "UNDELIVERED-TWICE",
            C(27),
            "二次发放失败的社会保障卡方可注销",
            "a card is disposed of when handing out failed twice",
            lambda case: (
                case.request.reason is not Disposal.UNDELIVERED_TWICE or case.case_of.failed_deliveries >= ATTEMPTS
            ),
        ),
    )

    def enter(self, case: Case[Dispose]) -> None:
        """Cancelled and destroyed; the bank hears of it."""
        application = case.case_of
        card = application.card
        assert card is not None
        application.progress = Progress.DISPOSED
        card.life, card.ended_at, card.ended_why = Life.ENDED, case.now, case.request.reason.zh
        bank.push(case.session, card, case.now)
        case.card = card


OPERATIONS = (Making, HandingOut, Extending, FailingDelivery, Disposing)
