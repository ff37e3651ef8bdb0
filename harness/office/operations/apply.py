"""申领 (articles 8-12): by oneself, by an agent, by an institution."""

from __future__ import annotations

from datetime import date
from typing import Any

from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import Operation
from harness.office.case.result import Result
from harness.office.case.roles import SOCIAL_FUNCTION
from harness.office.case.rule import Refusal, Rule
from harness.office.case.services import Deadline
from harness.office.case.shared_rules import AGENTS, ALIVE
from harness.office.electronic import card as electronic
from harness.office.measures.ages import ADULT, age
from harness.office.measures.articles import Citation
from harness.office.register import queries
from harness.office.register.tables import Application, Batch, Card, Guardian, Person
from harness.office.requests import models as requests
from harness.office.requests.models import Apply, ApplyBatch, Document, Personal
from harness.office.vocabulary import DocumentType, Kind, PersonKind, Progress
from harness.terminal.pin import is_pin

C = Citation
NO_PHOTO_BEFORE = 7
DOCUMENTS = {
    PersonKind.MAINLAND: (DocumentType.ID_CARD,),
    PersonKind.HKMT: (DocumentType.HKMT_RESIDENCE, DocumentType.TRAVEL_PERMIT, DocumentType.TAIWAN_PERMIT),
    PersonKind.OVERSEAS: (DocumentType.PASSPORT,),
    PersonKind.FOREIGNER: (DocumentType.PASSPORT, DocumentType.PERMANENT_RESIDENCE),
}
"""Article 9, paragraph 2; a minor without identity card shows the household register. The article's list is open (等):
that the permit for residents of Taiwan belongs to it is ours. [D]
"""


def _person(case: Case[Apply]) -> Personal:
    return case.request.person


def right_document(kind: PersonKind, document: Document, years: int) -> bool:
    """The kind of document that article 9 asks of this kind of person."""
    allowed = DOCUMENTS[kind]
    if kind is PersonKind.MAINLAND and years < ADULT:
        allowed = (*allowed, DocumentType.HOUSEHOLD)
    return document.type in allowed


def agrees_with_number(document: Document, birth: date, sex: str) -> bool:
    """A citizen id says birth and sex, and so do numbers built as it is."""
    number = document.number
    if not requests.is_checked(document.type, number):
        return True
    return number[6:14] == f"{birth:%Y%m%d}" and (sex == "1") == bool(int(number[16]) % 2)


def _years(case: Case[Any]) -> int:
    return age(case.request.person.birth, case.today)


def find(case: Case[Any], stated: Personal) -> Person | None:
    """The person in the register, by document."""
    return queries.person(case.session, stated.document.type, stated.document.number)


def holds_card(case: Case[Any]) -> bool:
    """Has a card, one waiting, or an application that is open (article 8)."""
    if case.person is None:
        return False
    return queries.has_card(case.session, case.person) or case.open_application is not None


def _agrees_with_itself(person: Personal) -> bool:
    return agrees_with_number(person.document, person.birth, person.sex)


def _agrees_with_register(case: Case[Any]) -> bool:
    known, stated = case.person, case.request.person
    return known is None or (known.name, known.birth, known.sex) == (stated.name, stated.birth, stated.sex)


def _local_bank(case: Case[Any]) -> bool:
    """Issues cards where the applicant is; none named: the bank stays the same."""
    request = case.request
    if request.bank is None:
        return True
    found = queries.bank(case.session, request.bank)
    region = request.person.region if isinstance(request, Apply) else case.holder.region
    return found is not None and region.startswith(found.region)


def _initial_pin(case: Case[Any]) -> bool:
    """Of the card that is applied for along with the physical one, or afterwards."""
    pin = case.request.electronic_pin if isinstance(case.request, Apply) else case.request.pin
    return pin is not None and is_pin(pin.get_secret_value())


BANK_CHOSEN = Rule(
    "BANK-CHOICE",
    C(8),
    "应自主选择当地社会保障卡发卡银行：所选银行不是申请人所在地的发卡银行",
    "one chooses freely among the banks that issue where one is; this is none of them",
    _local_bank,
)
BANK_KNOWN = Rule(
    "BANK-KNOWN",
    C(8),
    "无此发卡银行",
    "there is no such issuing bank",
    lambda case: queries.bank(case.session, case.request.bank) is not None,
    grade="D",
)
DOCUMENT_SHOWN = Rule(
    "DOCUMENT-SHOWN",
    C(9, 2),
    "应提供有效身份证件：未出示，或已过有效期",
    "the valid document must be shown: it was not, or has run out",
    lambda case: (
        _person(case).document in case.request.shown
        and (last_day(_person(case).document_until) or case.today) >= case.today
    ),
)
ELECTRONIC_PIN = Rule(
    "ELECTRONIC-PIN",
    C(16),
    "申领电子社会保障卡时应当设置初始密码，密码应为4至12位数字",
    "the electronic card is given its initial PIN, of 4 to 12 digits",
    _initial_pin,
)
APPLY_RULES = (
    Rule(
        "ELIGIBLE",
        C(8),
        "在我省就业、参保或享受其他民生服务权益的个人方可申领",
        "who works, is insured or has other entitlements in the province may apply",
        lambda case: case.request.entitlement != "none",
    ),
    BANK_CHOSEN,
    Rule(
        "DOCUMENT-KIND",
        C(9, 2),
        "应按人员类别提供有效身份证件；无居民身份证的未成年人提供居民户口簿",
        "each kind of person has its kind of document; a minor without identity card shows the household register",
        lambda case: right_document(_person(case).kind, _person(case).document, _years(case)),
    ),
    DOCUMENT_SHOWN,
    Rule(
        "PHOTO",
        C(10),
        "应采集照片；未满7周岁的未成年人可以不采集",
        "a photograph is taken; of children under seven it may be left out",
        lambda case: _years(case) < NO_PHOTO_BEFORE or _person(case).photo is not None,
    ),
    Rule(
        "GUARDIAN",
        C(10),
        "未成年人以及其他不具有完全民事行为能力的自然人，应登记其监护人信息",
        "of minors and people without full capacity the guardian is registered",
        lambda case: (_years(case) >= ADULT and _person(case).full_capacity) or _person(case).guardian is not None,
    ),
    Rule(
        "INFORMATION-CHECKED",
        C(11),
        "校核未通过：申请人信息与证件号码或登记信息不一致",
        "the check failed: what was told does not agree with the document's number or the register",
        lambda case: _agrees_with_itself(_person(case)) and _agrees_with_register(case),
    ),
    Rule(
        "ONE-CARD",
        C(8),
        "一人一卡：申请人已有社会保障卡或在办申请",
        "one person, one card: the applicant has a card, or an application that is open",
        lambda case: not holds_card(case),
    ),
    ELECTRONIC_PIN,
)


def last_day(stated: requests.Until | None) -> date | None:
    """As the register holds it: a document without a last day has none there."""
    return stated if isinstance(stated, date) else None


def occupation(stated: str) -> str:
    """As the register holds it: empty for none."""
    return "" if stated == requests.NO_OCCUPATION else stated


def register_person(case: Case[Any], stated: Personal) -> Person:
    """The person as told, new or brought up to date."""
    person = find(case, stated) or Person(document_type=stated.document.type, document_number=stated.document.number)
    given = stated.model_dump(exclude={"document", "document_until", "occupation", "guardian", "helps", "insured"})
    for name, value in given.items():
        setattr(person, name, value)
    person.document_until, person.occupation = last_day(stated.document_until), occupation(stated.occupation)
    person.helps, person.insured = list(map(str, stated.helps)), stated.insurances
    case.session.add(person)
    case.session.flush()
    if stated.guardian is not None:
        registered(case, person, stated.guardian)
    return person


def registered(case: Case[Any], person: Person, stated: requests.Guardian) -> None:
    """The person's guardian as told, new or brought up to date."""
    guardian = person.guardian or Guardian(person_id=person.id)
    guardian.name, guardian.phone, guardian.relation = stated.name, stated.phone, stated.relation
    guardian.document_type, guardian.document_number = stated.document.type, stated.document.number
    person.guardian = guardian
    case.session.add(guardian)
    case.session.flush()


def bank_agrees(case: Case[Any], code: str, person: Person) -> None:
    """Article 11: the bank's own check; the reason is told."""
    why = bank.refusal(case.session, code, person)
    if why:
        raise Refusal(
            "BANK-CHECK",
            C(11),
            f"银行核查未通过：{why}，不能受理",
            f"the bank's check failed: {why}; told to the applicant",
        )


class Accepted(Deadline):
    """``fee``: in fen."""

    application: int
    fee: int


class AcceptedOne(Result):
    """One of a batch, by its place in it."""

    at: int
    application: int


class RefusedOne(Result):
    """One of a batch that a rule forbids, and by which article."""

    at: int
    rule: str
    article: int
    why: str


class BatchAccepted(Result):
    """What became of each person of a batch."""

    batch: int
    accepted: list[AcceptedOne]
    refused: list[RefusedOne]


def accept(
    case: Case[Any], person: Person, code: str, kind: Kind, reason: str = "", old: Card | None = None
) -> Accepted:
    """An application, accepted now; the case is about it from here on. The first card is free (article 12); that later
    ones cost is ours. [D]
    """
    if kind is Kind.FIRST and queries.had_card(case.session, person):
        kind = Kind.ANEW
    application = Application(
        person_id=person.id,
        kind=kind,
        reason=reason,
        bank_code=code,
        outlet_id=case.clerk.outlet_id,
        accepted_at=case.now,
        progress=Progress.ACCEPTED,
        fee=0 if kind is Kind.FIRST else case.services.fee,
        old_card_id=old.id if old else None,
    )
    case.session.add(application)
    case.session.flush()
    case.application, case.person = application, person
    due = case.services.deadline(application, case.today)
    return Accepted.model_validate({"application": application.id, "fee": application.fee, **due})


class ApplyOperation(Operation[Apply, Accepted]):
    """申领."""

    result = Accepted
    request, zh, en, citation = Apply, "申领", "application", C(8)
    roles = SOCIAL_FUNCTION
    demands = (*AGENTS, ALIVE, *APPLY_RULES)

    def enter(self, case: Case[Apply]) -> Accepted:
        """Registers the person and accepts; the electronic card goes along."""
        request = case.request
        assert request.electronic_pin is not None
        person = register_person(case, request.person)
        bank_agrees(case, request.bank, person)
        accepted = accept(case, person, request.bank, Kind.FIRST)
        electronic.apply(case, person, request.electronic_pin.get_secret_value())
        return accepted


class ApplyBatchOperation(Operation[ApplyBatch, BatchAccepted]):
    """申领 by an institution: each person is accepted or refused on their own."""

    result = BatchAccepted
    request, zh, en, citation = ApplyBatch, "单位（学校）代为申领", "application by an institution", C(9)
    roles = SOCIAL_FUNCTION
    demands = (
        BANK_KNOWN,
        Rule(
            "LETTER",
            C(9, 2),
            "经机构代为申领的，应提供单位介绍信",
            "an institution hands in its letter of introduction",
            lambda case: bool(case.request.letter),
        ),
        Rule(
            "INSTITUTION-AGENT",
            C(9, 2),
            "应提供单位经办人居民身份证等有效身份证件",
            "whoever comes for the institution shows an identity document",
            lambda case: case.request.clerk_document in case.request.shown,
        ),
    )
    of_each = (ALIVE, *(rule for rule in APPLY_RULES if rule not in (DOCUMENT_SHOWN, ELECTRONIC_PIN)))
    """What is asked of each: who comes for them shows their own document, and sets no PIN of theirs."""

    def enter(self, case: Case[ApplyBatch]) -> BatchAccepted:
        """One application each; those that rules forbid are told with the article."""
        request = case.request
        batch = Batch(
            institution=request.institution,
            letter=request.letter,
            agent_name=request.clerk_name,
            agent_document_type=request.clerk_document.type,
            agent_document_number=request.clerk_document.number,
            outlet_id=case.clerk.outlet_id,
            accepted_at=case.now,
        )
        case.session.add(batch)
        case.session.flush()
        accepted: list[AcceptedOne] = []
        refused: list[RefusedOne] = []
        for at, stated in enumerate(request.people):
            single = Apply(person=stated, bank=request.bank)
            one = Case(case.session, case.services, case.clerk, single, case.now, person=find(case, stated))
            try:
                with case.session.begin_nested():
                    for rule in self.of_each:
                        rule.demand(one)
                    person = register_person(one, stated)
                    bank_agrees(one, request.bank, person)
                    done = accept(one, person, request.bank, Kind.FIRST)
                    one.case_of.batch_id = batch.id
                    case.note("apply", C(9), person.id)
            except Refusal as refusal:
                refused.append(RefusedOne(at=at, rule=refusal.rule, article=refusal.citation.article, why=str(refusal)))
            else:
                accepted.append(AcceptedOne(at=at, application=done.application))
        return BatchAccepted(batch=batch.id, accepted=accepted, refused=refused)
