"""挂失与解挂 (articles 17-19), 补领与换领 (20, 21)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from harness.office.cards.in_reader import CardInReader
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.notice import Notice
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import AGENTS, ALIVE, IN_USE, NOT_HELD, NOT_PENDING, WITH_CARD, WITH_IDENTITY
from harness.office.measures.ages import ADULT, age
from harness.office.measures.articles import Citation
from harness.office.operations.apply import (
    BANK_CHOSEN,
    Accepted,
    accept,
    agrees_with_number,
    bank_agrees,
    last_day,
    right_document,
)
from harness.office.operations.corrections import OF_HOLDER, PROVED, corrected, held, on_chip, own_document
from harness.office.register import queries
from harness.office.register.tables import Card
from harness.office.requests.models import LiftLoss, Reissue, Replace, ReportLoss
from harness.office.vocabulary import AccountState, Kind, Life, Loss, Replacement

C = Citation
UNREADABLE = (Replacement.DAMAGED, Replacement.FACE_UNREADABLE)
"""Reasons why the chip may not answer: the clerk has the card in hand and types its number."""


class LossReported(Result):
    """``until``: when a temporary loss lapses."""

    until: datetime | None = None


class ReportLossOperation(Operation[ReportLoss, LossReported]):
    """挂失, at once effective; no card is needed, nothing is written on it."""

    result = LossReported
    request, zh, en, citation = ReportLoss, "挂失", "reporting loss", C(17)
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        WITH_IDENTITY.under(C(17)),
        IN_USE,
        Rule(
            "LOSS-KIND",
            C(18),
            "挂失分为正式挂失和临时挂失",
            "a loss is reported formally or for a time",
            lambda case: case.request.kind is not Loss.NONE,
        ),
        Rule(
            "NOT-LOST-YET",
            C(18),
            "该卡已挂失；临时挂失后可办理正式挂失",
            "the card is reported lost already; a temporary report may be made formal",
            lambda case: case.loss is Loss.NONE or (case.loss is Loss.TEMPORARY and case.request.kind is Loss.FORMAL),
            grade="D",
        ),
    )

    def enter(self, case: Case[ReportLoss]) -> LossReported:
        """Enters the loss, which holds from this moment on."""
        card = case.own_card
        card.loss, card.lost_at = case.request.kind, case.now
        card.electronic_goes_on = case.request.keep_electronic
        if bank.account(case.session, card.number) is AccountState.ACTIVE:
            case.tell(
                Notice(
                    C(17),
                    "应及时办理银行账户挂失，由发卡银行受理",
                    "the bank account is to be reported lost too, at the issuing bank",
                )
            )
        return LossReported(until=case.services.loss_ends(case.now)) if card.loss is Loss.TEMPORARY else LossReported()


def _no_reissue(case: Case[Any]) -> bool:
    application = case.open_application
    return application is None or application.kind is not Kind.REISSUE


class LiftLossOperation(Operation[LiftLoss, Result]):
    """解挂: with the card that was found, before a reissue."""

    request, zh, en, citation = LiftLoss, "解挂", "lifting a loss", C(19)
    card = CardUse.NEEDED
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        Rule(
            "NOT-REISSUED",
            C(19),
            "已办理补领的，不能办理解挂",
            "after a reissue the loss cannot be lifted",
            lambda case: case.own_card.life is not Life.REPLACED and _no_reissue(case),
        ),
        WITH_CARD.under(C(19)),
        WITH_IDENTITY.under(C(19)),
        IN_USE,
        Rule(
            "IS-LOST",
            C(19),
            "该卡未挂失",
            "the card is not reported lost",
            lambda case: case.loss is not Loss.NONE,
            grade="D",
        ),
    )

    def enter(self, case: Case[LiftLoss]) -> Result:
        """Enters that the card is usable again."""
        case.own_card.loss, case.own_card.lost_at = Loss.NONE, None
        case.own_card.electronic_goes_on = False
        return Result()


NONE_OPEN = Rule(
    "NO-OPEN-APPLICATION",
    C(8),
    "一人一卡：已有在办申请",
    "one person, one card: an application is open",
    lambda case: case.open_application is None,
)


TAKES_OVER = (NONE_OPEN, NOT_PENDING, BANK_CHOSEN)
"""What is asked last of an application for a card that takes over from another."""


def _of_holder(citation: Citation) -> tuple[Rule, ...]:
    """What an article on a new card asks first of all: of who comes, the holder, and their card."""
    return (*AGENTS, ALIVE, WITH_IDENTITY.under(citation), IN_USE, *NOT_HELD)


class ReissueOperation(Operation[Reissue, Accepted]):
    """补领."""

    result = Accepted
    request, zh, en, citation = Reissue, "补领", "reissue", C(20)
    roles = SOCIAL_FUNCTION
    demands = (
        *_of_holder(C(20)),
        Rule(
            "FORMALLY-LOST",
            C(20),
            "正式挂失后，方能补领社会保障卡",
            "a card is reissued only after it was formally reported lost",
            lambda case: case.loss is Loss.FORMAL,
        ),
        *TAKES_OVER,
    )

    def enter(self, case: Case[Reissue]) -> Accepted:
        """Accepted; the old card ends when the new one is handed out, and stays lost until then."""
        return renew(case, Kind.REISSUE, "")


def renew(case: Case[Any], kind: Kind, reason: str) -> Accepted:
    """An application for a card that takes over from the one the holder has."""
    old: Card = case.own_card
    code = case.request.bank or old.bank_code
    bank_agrees(case, code, case.holder)
    return accept(case, case.holder, code, kind, reason, old)


def _card_handed_in(case: Case[Replace]) -> bool:
    request = case.request
    typed = request.reason in UNREADABLE and request.card is not None and request.card == case.own_card.number
    return case.in_hand or typed or case.online


def _reason_holds(case: Case[Replace]) -> bool:
    """Those reasons of article 21 that the register can hold against what it knows."""
    request, card, person = case.request, case.own_card, case.holder
    match request.reason:
        case Replacement.EXPIRED:
            return card.valid_until < case.today or (card.valid_until - case.today).days <= case.services.renewal_days
        case Replacement.OF_AGE:
            return age(person.birth, case.today) >= ADULT and not of_age_when_made(card)
        case Replacement.NAME_OR_NUMBER:
            return (request.name or person.name) != person.name or request.document is not None
        case Replacement.BANK_CHANGED:
            return request.bank is not None and request.bank != card.bank_code
        case Replacement.INFORMATION_DIFFERS:
            return (
                bool(corrected(case))
                or request.document is not None
                or case.chip_items != on_chip(person, case.chip_items)
            )
        case _:
            return True


def _new_document_holds(case: Case[Replace]) -> bool:
    """Document, birth and sex agree, as they are to be from now on; a new document is this person's alone."""
    request, person = case.request, case.holder
    birth, sex = request.birth or person.birth, request.sex or person.sex
    new = request.document
    if new is None:
        # What has stood in the register is no matter of this case unless it is to change.
        return not (request.birth or request.sex) or agrees_with_number(own_document(person), birth, sex)
    known = queries.person(case.session, new.type, new.number)
    return (
        (known is None or known.id == person.id)
        and right_document(person.kind, new, age(birth, case.today))
        and agrees_with_number(new, birth, sex)
    )


def of_age_when_made(card: Card) -> bool:
    """True if the holder was an adult when the card was made."""
    return age(card.person.birth, card.made_at.date()) >= ADULT


class ReplaceOperation(Operation[Replace, Accepted]):
    """换领."""

    result, card = Accepted, CardUse.WELCOME
    request, zh, en, citation = Replace, "换领", "replacement", C(21)
    roles = SOCIAL_FUNCTION
    demands = (
        *_of_holder(C(21)),
        Rule(
            "CARD-HANDED-IN",
            C(21),
            "应持本人社会保障卡换领；芯片或卡面损坏的，由经办人员录入卡号",
            "the card is handed in; of a damaged one the clerk types the number",
            _card_handed_in,
        ),
        Rule(
            "NEW-DOCUMENT-SHOWN",
            C(21),
            "证件号码发生变化的，应出示新的有效身份证件",
            "where the number has changed, the new document is shown too",
            lambda case: case.request.document is None or case.request.document in case.request.shown,
            formerly="DOCUMENT-SHOWN",
        ),
        Rule(
            "NEW-DOCUMENT-CHECKED",
            C(11),
            "校核未通过：新证件与人员类别、出生日期、性别不符，或已为他人登记",
            "the check failed: the new document is not for this kind of person, birth and sex, or it is another's",
            _new_document_holds,
            grade="D",
            formerly="INFORMATION-CHECKED",
        ),
        PROVED,
        Rule(
            "REASON-HOLDS",
            C(21),
            "所述换领原因与登记信息不符",
            "the reason does not agree with what is registered",
            _reason_holds,
        ),
        Rule(
            "NOT-LOST-BUT-REPLACED",
            C(20),
            "已挂失的社会保障卡应办理补领",
            "a lost card is reissued, not replaced",
            lambda case: case.loss is Loss.NONE,
            grade="D",
        ),
        *TAKES_OVER,
    )

    def read_chip(self, request: Replace, card: CardInReader) -> dict[str, str]:
        """What the card says of its holder, where it is said to differ."""
        return held(card, OF_HOLDER) if request.reason is Replacement.INFORMATION_DIFFERS else {}

    def enter(self, case: Case[Replace]) -> Accepted:
        """Accepted, with what is new; the old card serves until the new one is handed out. [D]"""
        request, person = case.request, case.holder
        for name, value in corrected(case).items():
            setattr(person, name, value)
        if request.document is not None:
            person.document_type, person.document_number = request.document.type, request.document.number
        if request.document is not None or request.document_until is not None:
            person.document_until = last_day(request.document_until)
        return renew(case, Kind.REPLACE, str(request.reason))
