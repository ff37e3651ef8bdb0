"""制卡, 发放 (articles 11, 12), and what becomes of cards that cannot be handed out (27)."""

from __future__ import annotations

from typing import Any

from emulator import catalogue
from emulator.personas import numbers
from harness.office.cards import content
from harness.office.cards.jobs import Job
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import MANAGEMENT_BODY, SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.services import Deadline
from harness.office.case.shared_rules import AGENTS, ALIVE, WITH_IDENTITY
from harness.office.measures.articles import Citation
from harness.office.operations.cancel import end
from harness.office.register import queries
from harness.office.register.tables import Card
from harness.office.requests.models import DeliveryFailed, Dispose, Extend, HandOut, Make
from harness.office.vocabulary import OPEN, Disposal, Life, Progress

C = Citation
ATTEMPTS = 2


class CardNumbered(Result):
    """The card's number."""

    card: str


class FailedDeliveries(Result):
    """How often the card could not be handed out."""

    failed_deliveries: int


def _progress(id_: str, *expected: Progress) -> Rule:
    words = "、".join(one.zh for one in expected)
    return Rule(
        id_,
        C(12),
        f"申请应处于{words}状态",
        f"the application must be {' or '.join(expected)}",
        lambda case: case.case_of.progress in expected,
        grade="D",
        formerly="PROGRESS",
    )


NOT_MADE = _progress("NOT-MADE-YET", Progress.ACCEPTED)
NOT_HANDED_OUT = _progress("NOT-HANDED-OUT-YET", Progress.ACCEPTED, Progress.MADE)
CAN_BE_HANDED_OUT = _progress("MADE-AND-WAITING", Progress.MADE, Progress.UNDELIVERED)
IS_OPEN = _progress("APPLICATION-OPEN", *OPEN)


def _old(case: Case[Any]) -> Card | None:
    return case.case_of.old_card


STILL_ENTITLED = Rule(
    "STILL-ENTITLED",
    C(27),
    "制发卡期间原卡已注销，不应发放",
    "the old card was cancelled meanwhile: the new one must not be handed out",
    lambda case: (old := _old(case)) is None or old.life is Life.ISSUED,
    grade="D",
)
OLD_NOT_FROZEN = Rule(
    "OLD-CARD-FROZEN",
    C(30),
    "原卡已被冻结使用",
    "the old card is frozen",
    lambda case: (old := _old(case)) is None or old.frozen_at is None,
    formerly="FROZEN",
)
OLD_NOT_SUSPENDED = Rule(
    "OLD-CARD-SUSPENDED",
    C(30),
    "原卡已被暂停服务",
    "service for the old card is suspended",
    lambda case: (old := _old(case)) is None or old.suspended_at is None,
    formerly="SUSPENDED",
)
NOT_TWICE_FAILED = Rule(
    "FAILED-TWICE",
    C(27),
    "二次发放失败的社会保障卡不再发放，由卡管理机构会同发卡银行处置",
    "a card that could not be handed out twice is handed out no more: the management body disposes of it",
    lambda case: case.case_of.failed_deliveries < ATTEMPTS,
)
OLD_SETTLED = Rule(
    "OLD-CARD-HALF-WAY",
    C(30),
    "原卡有中断待续办的业务，应先续办或撤销",
    "work on the old card was interrupted: resume or undo it first",
    lambda case: (old := _old(case)) is None or queries.begun(case.session, old) is None,
    grade="D",
    formerly="HALF-WAY",
)


class MakeOperation(Operation[Make, CardNumbered]):
    """制卡, virtual or on the blank chip in the reader."""

    result, card = CardNumbered, CardUse.WELCOME
    request, zh, en, citation = Make, "制卡", "making the card", C(11, 2)
    roles = SOCIAL_FUNCTION
    demands = (
        Rule(
            "CAN-MAKE",
            C(11, 2),
            "即时制卡由制卡类网点或卡管理机构提供",
            "cards are made at outlets that make cards, or by the management body",
            lambda case: case.clerk.outlet.makes_cards,
        ),
        NOT_MADE,
        ALIVE,
        STILL_ENTITLED,
        OLD_SETTLED,
    )
    by_itself = True

    def plan(self, case: Case[Make]) -> Job | None:
        """The card is registered as being made before its chip is touched: what is cut off goes on with that one."""
        request, application = case.request, case.case_of
        bank.reach(case.session, application.bank_code)
        layout = catalogue.layout(request.layout)
        card = application.card
        if card is None or (case.in_reader is not None and card.chip != case.in_reader.chip):
            card = self._drawn(case, card)
        serial = bytes.fromhex(card.chip)[-4:] if card.chip else _serial(card)
        image = content.image(case.holder, card.number, serial, layout, request.algorithm, case.today)
        card.chip = image.chip_factor.hex().upper()
        card.identification = image.memory.records("SSSE/EF05")[0][2:].hex().upper()
        card.layout, card.algorithm = request.layout, request.algorithm
        case.session.add(card)
        case.session.flush()
        application.card_id = card.id
        case.card, case.image = card, image
        return None

    @staticmethod
    def _drawn(case: Case[Make], wasted: Card | None) -> Card:
        """A card with a number of its own, which is never drawn again; instead of one whose chip is left behind."""
        drawn_from = queries.bank(case.session, case.case_of.bank_code)
        assert drawn_from is not None, "an application's bank is a foreign key"
        drawn_from.cards += 1
        card = wasted or Card(
            person_id=case.case_of.person_id, bank_code=case.case_of.bank_code, life=Life.MAKING, made_at=case.now
        )
        card.number = numbers.card_number(drawn_from.district, drawn_from.cards)
        card.chip = case.in_reader.chip if case.in_reader else ""
        card.valid_until = content.valid_until(case.today)
        return card

    def chip(self, case: Case[Make]) -> None:
        """Fills the chip with the applicant's data."""
        assert case.image is not None, "plan comes first"
        case.services.make(case.in_reader, case.image, case.own_card.number)

    def enter(self, case: Case[Make]) -> CardNumbered:
        """Made, not handed out yet; the bank opens its account."""
        application, card = case.case_of, case.case_of.card
        assert card is not None, "plan comes first"
        NOT_MADE.demand(case)  # the chip took its time: others may have been here
        card.life, card.made_at = Life.MADE, case.now
        bank.open_account(case.session, card)
        application.progress = Progress.MADE
        case.card = card
        return CardNumbered(card=card.number)


def _serial(card: Card) -> bytes:
    """A virtual chip's serial number: its card number's district and count, so that no two banks draw the same."""
    return card.number[:1].encode() + int(card.number[1:8]).to_bytes(3, "big")


class HandOutOperation(Operation[HandOut, CardNumbered]):
    """发放."""

    result = CardNumbered
    request, zh, en, citation = HandOut, "发放", "handing out", C(12)
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        ALIVE,
        WITH_IDENTITY.under(C(13), "D"),
        CAN_BE_HANDED_OUT,
        NOT_TWICE_FAILED,
        STILL_ENTITLED,
        OLD_NOT_FROZEN,
        OLD_NOT_SUSPENDED,
        OLD_SETTLED,
    )

    def enter(self, case: Case[HandOut]) -> CardNumbered:
        """The new card is the holder's; the one that it takes over from serves no more."""
        application = case.case_of
        card, old = application.card, application.old_card
        assert card is not None
        if old is not None:
            end(case, old, Life.REPLACED, application.kind.zh)
            case.session.flush()
        card.life, card.issued_at = Life.ISSUED, case.now
        application.progress = Progress.DELIVERED
        case.card = card
        return CardNumbered(card=card.number)


class ExtendOperation(Operation[Extend, Deadline]):
    """顺延."""

    result = Deadline
    request, zh, en, citation = Extend, "顺延发放", "handing out later", C(12)
    roles = SOCIAL_FUNCTION
    demands = (NOT_HANDED_OUT,)

    def enter(self, case: Case[Extend]) -> Deadline:
        """Enters how many days more it takes, and why."""
        application = case.case_of
        application.delay_days, application.delay_reason = case.request.days, case.request.reason
        return case.services.due(application, case.today)


class DeliveryFailedOperation(Operation[DeliveryFailed, FailedDeliveries]):
    """发放失败."""

    result = FailedDeliveries
    request, zh, en, citation = DeliveryFailed, "发放失败登记", "delivery failed", C(27)
    roles = SOCIAL_FUNCTION
    demands = (CAN_BE_HANDED_OUT, NOT_TWICE_FAILED)

    def enter(self, case: Case[DeliveryFailed]) -> FailedDeliveries:
        """Enters one more attempt that failed."""
        case.case_of.failed_deliveries += 1
        case.case_of.progress = Progress.UNDELIVERED
        return FailedDeliveries(failed_deliveries=case.case_of.failed_deliveries)


class DisposeOperation(Operation[Dispose, Result]):
    """处置, by the management body together with the bank (article 27)."""

    request, zh, en, citation = Dispose, "未发放卡处置", "disposing of a card not handed out", C(27)
    roles = MANAGEMENT_BODY
    demands = (
        IS_OPEN,
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

    def enter(self, case: Case[Dispose]) -> Result:
        """Closed; a card that was made is cancelled and destroyed, and the bank hears of it."""
        application = case.case_of
        card = application.card
        application.progress = Progress.DISPOSED
        if case.request.reason is Disposal.DIED:
            case.holder.died_at = case.holder.died_at or case.now
        if card is not None:
            end(case, card, Life.ENDED, case.request.reason.zh)
            case.card = card
        return Result()
