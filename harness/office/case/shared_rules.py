"""The rules that several operations share; an operation's own stand beside it."""

from __future__ import annotations

from typing import Any

from emulator.personas import numbers
from harness.office.case.case import Case
from harness.office.case.rule import Rule
from harness.office.measures.ages import ADULT, age
from harness.office.measures.articles import Citation, measures
from harness.office.requests.models import Apply, ChangeInformation, documents, is_checked
from harness.office.vocabulary import DocumentType, Incapacity, Life, Loss, OutletKind, Relation

C = Citation
OLD = 60
"""From when on the law on the elderly counts. [D]"""
SELF_SERVICE = frozenset(
    {"apply", "query", "reissue", "replace", "apply-electronic", "electronic-pin", "show-credential"}
)
"""What article 33 names for online channels and kiosks, and what the electronic card is for (2, 16)."""
OF_MAKERS = frozenset({"apply", "apply-batch", "make", "reissue", "replace"})

IN_FORCE = Rule(
    "IN-FORCE",
    C(34),
    "本办法自2023年9月1日起施行，有效期5年，当日不在有效期内",
    "the Measures are in force from 2023-09-01 for five years; this day lies outside",
    lambda case: measures().in_force(case.today),
    grade="D",  # article 34 says from when to when they bind, not that nothing is done outside
)
AT_COUNTER = Rule(
    "CHANNEL",
    C(33),
    "线上服务渠道、自助服务终端提供申领、查询、补领、换领等服务，该业务须在服务网点办理",
    "online channels and kiosks serve for application, query, reissue and replacement; this is done at an outlet",
    lambda case: not case.online or case.request.operation in SELF_SERVICE,
)
MAKES_CARDS = Rule(
    "OUTLET-MAKES-CARDS",
    C(6),
    "申领、补领、换领由制卡类银行经办服务网点提供，该银行网点不是制卡类网点",
    "among banks' outlets, those that make cards serve for application, reissue and replacement; this one does not",
    lambda case: (
        case.request.operation not in OF_MAKERS
        or case.clerk.outlet.kind is not OutletKind.BANK
        or case.clerk.outlet.makes_cards
    ),
    grade="D",  # the article says who must serve, not that others may not
)
MADE_UP = {
    DocumentType.ID_CARD: numbers.FICTITIOUS_CITIZEN,
    DocumentType.PERMANENT_RESIDENCE: numbers.FICTITIOUS_RESIDENT,
}
"""How numbers begin that no real person can have."""
FICTITIOUS = Rule(
    "FICTITIOUS",
    C(29),
    "本系统仅登记虚构人员：居民身份证号码须以519900开头，永久居留身份证号码须以999开头",
    "this register holds made-up people only: citizen ids begin 519900, permanent residence cards 999",
    lambda case: all(
        one.number.startswith(MADE_UP[one.type])
        for one in documents(case.request)
        if one.type in MADE_UP and is_checked(one.type, one.number) and case.services.fictitious_only
    ),
    grade="D",
)


WITH_CARD = Rule(
    "CARD-SHOWN",
    C(13),
    "应持本人社会保障卡办理：读卡器中没有持卡人本人的卡",
    "the holder's own card is needed; it is not in the reader",
    lambda case: case.in_hand,
)
"""Each operation demands it under its own article."""
WITH_IDENTITY = Rule(
    "IDENTITY-SHOWN",
    C(13),
    "应持本人居民身份证等有效身份证件：未出示，或与登记信息不符，或已过有效期",
    "the holder's valid identity document is needed: not shown, not the one registered, or run out",
    lambda case: case.identified,
)
"""The guardian or agent shows it for another. Each operation demands it under its own article, or as our reading where
the article does not name the operation.
"""


NOT_PENDING = Rule(
    "HALF-WAY",
    C(30),
    "该卡有中断待续办的业务，应先续办或撤销",
    "work on this card was interrupted: resume or undo it first",
    lambda case: case.pending is None,
    grade="D",
)
NOT_FROZEN = Rule(
    "FROZEN",
    C(30),
    "该卡已被冻结使用",
    "the card is frozen: it may not be used",
    lambda case: case.own_card.frozen_at is None,
)
NOT_SUSPENDED = Rule(
    "SUSPENDED",
    C(30),
    "该卡已被暂停服务，暂不办理业务",
    "service for this card is suspended: no business is done for it",
    lambda case: case.own_card.suspended_at is None,
)
NOT_HELD = (NOT_FROZEN, NOT_SUSPENDED)
"""What supervision may have done to a card: suspending stops business at the counter, freezing every use too; that they
differ so is ours. [D]
"""
NOT_LOST = Rule(
    "LOST",
    C(18),
    "该卡已挂失，挂失后的社会保障卡不可使用",
    "the card is reported lost; a lost card may not be used",
    lambda case: case.loss is Loss.NONE,
)
ACTIVATED = Rule(
    "ACTIVATED",
    C(13, 2),
    "社保功能未启用（激活）的社会保障卡，社保功能不可使用",
    "the social security function is not activated and may not be used",
    lambda case: case.own_card.activated_at is not None,
)
IN_USE = Rule(
    "IN-USE",
    C(25),
    "该卡未发放、已补换领或已注销；注销后的社会保障卡终止使用",
    "the card was not handed out, was replaced, or is cancelled; a cancelled card is no longer used",
    lambda case: case.own_card.life is Life.ISSUED,
)

ALIVE = Rule(
    "HOLDER-DEAD",
    C(27),
    "申请人（持卡人）死亡的，不应制发、启用社会保障卡",
    "the holder is dead: no card is made, handed out or activated",
    lambda case: _lives(case),
    grade="D",
)


def _lives(case: Case[Any]) -> bool:
    """Neither has the agent come because of the holder's death, nor does the register know of it."""
    agent = case.request.agent
    known = case.person is not None and case.person.died_at is not None
    return not known and (agent is None or agent.cause is not Incapacity.DEAD)


# --- agents (article 32) ---------------------------------------------------------------------------------------------


def _may_be_represented(case: Case[Any]) -> bool:
    agent = case.request.agent
    if agent is None:
        return True
    # Who applies for the first time is not registered yet: what was told of them counts.
    person = case.request.person if isinstance(case.request, Apply) else case.person
    if agent.cause is Incapacity.DEAD:
        return case.showed(DocumentType.DEATH, DocumentType.DEATH_JUDGMENT)
    if person is None:
        return True
    if agent.cause is Incapacity.MINOR:
        return age(person.birth, case.today) < ADULT
    if agent.cause is Incapacity.NO_CAPACITY:
        return not person.full_capacity
    if agent.cause is Incapacity.ELDERLY:
        return age(person.birth, case.today) >= OLD
    return True


def _agent_identified(case: Case[Any]) -> bool:
    agent = case.request.agent
    if agent is None:
        return True
    return agent.document in agent.shown or any(one.type is DocumentType.SOCIAL_CARD for one in agent.shown)


def _is_the_guardian(case: Case[Any]) -> bool:
    agent = case.request.agent
    if agent is None or agent.relation is not Relation.GUARDIAN:
        return True
    if isinstance(case.request, Apply):
        guardian = case.request.person.guardian
        return guardian is None or guardian.document == agent.document
    if isinstance(case.request, ChangeInformation) and case.request.guardian is not None:
        return bool(case.request.guardian.document == agent.document)  # the new one comes
    known = case.person.guardian if case.person else None
    return known is None or (known.document_type, known.document_number) == (
        agent.document.type,
        agent.document.number,
    )


def _guardian_proved(case: Case[Any]) -> bool:
    agent = case.request.agent
    if agent is None or agent.relation is not Relation.GUARDIAN:
        return True
    if case.request.operation not in ("apply", "reissue", "replace"):
        return True
    # Whatever cause the guardian gives: what counts is that the holder is a minor.
    person = case.request.person if isinstance(case.request, Apply) else case.person
    if person is None or age(person.birth, case.today) >= ADULT:
        return True
    return case.showed(DocumentType.HOUSEHOLD, DocumentType.BIRTH_CERTIFICATE)


AGENTS = (
    Rule(
        "AGENT-CAUSE",
        C(32),
        "代办仅限未成年人、不具有完全民事行为能力的个人、行动不便的老年人、残疾人，或持卡人死亡等本人无法办理的情形；所述原因与登记信息不符",
        "another may act only for minors, people without full capacity, old people with limited mobility, disabled "
        "people, the dead, and others who cannot come; the cause does not agree with the register",
        _may_be_represented,
    ),
    Rule(
        "AGENT-IDENTITY",
        C(32, 2),
        "应交验代理人社会保障卡或居民身份证等有效身份证件",
        "the agent's social security card or identity document is needed",
        _agent_identified,
    ),
    Rule(
        "AGENT-COMMITMENT",
        C(32, 2),
        "应由代理人签署代理承诺书",
        "the agent signs the letter of commitment",
        lambda case: case.request.agent is None or case.showed(DocumentType.COMMITMENT),
    ),
    Rule(
        "GUARDIAN-REGISTERED",
        C(32),
        "代理人不是登记的监护人",
        "the agent is not the guardian that is registered",
        _is_the_guardian,
        grade="D",
    ),
    Rule(
        "GUARDIANSHIP",
        C(32, 2),
        "监护人为未成年子女办理申领、补领或换领时，还应提供户口簿或出生医学证明",
        "a guardian who applies, reissues or replaces for a minor shows the household register or birth certificate",
        _guardian_proved,
    ),
)

BASE = (IN_FORCE, AT_COUNTER, MAKES_CARDS, FICTITIOUS)
"""What comes before everything."""
USE = (ALIVE, IN_USE, *NOT_HELD, NOT_LOST, ACTIVATED, NOT_PENDING)
"""What using the social security function asks of a card."""
