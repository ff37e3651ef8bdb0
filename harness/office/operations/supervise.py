"""What the management body does of itself: to a card (article 30), telling the banks (28), protecting data (29), and
comparing with the banks (30).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from emulator.messages import _
from harness.office.cards.jobs import BlockCard, Job
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import MANAGEMENT_BODY, SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import NOT_PENDING
from harness.office.measures.articles import Citation
from harness.office.people import protection
from harness.office.register import queries
from harness.office.register.tables import Anomaly, Card
from harness.office.requests.models import (
    Erase,
    Export,
    Freeze,
    Reconcile,
    Suspend,
    TellBanks,
    Unfreeze,
    Unsuspend,
    Withdraw,
)
from harness.office.vocabulary import AccountState, Life, Loss

C = Citation
Since = Callable[[Card], datetime | None]
OVER = (Life.REPLACED, Life.CANCELLED, Life.ENDED)


def _not_yet(id_: str, zh: str, en: str, since: Since) -> Rule:
    """Supervision has not done this to the card yet."""
    return Rule(id_, C(30), zh, en, lambda case: since(case.own_card) is None, grade="D")


def _is(id_: str, zh: str, en: str, since: Since) -> Rule:
    """Supervision has done this to the card, and not undone it."""
    return Rule(id_, C(30), zh, en, lambda case: since(case.own_card) is not None, grade="D")


def _suspended(card: Card) -> datetime | None:
    return card.suspended_at


def _frozen(card: Card) -> datetime | None:
    return card.frozen_at


class SuspendOperation(Operation[Suspend, Result]):
    """暂停服务."""

    request, zh, en, citation = Suspend, "暂停服务", "suspending service", C(30)
    roles = MANAGEMENT_BODY
    demands = (_not_yet("NOT-SUSPENDED-YET", "该卡已暂停服务", "service is suspended already", _suspended),)

    def enter(self, case: Case[Suspend]) -> Result:
        """Takes effect at once; there is nothing more to tell."""
        case.own_card.suspended_at, case.own_card.suspended_why = case.now, case.request.why
        return Result()


class UnsuspendOperation(Operation[Unsuspend, Result]):
    """恢复服务."""

    request, zh, en, citation = Unsuspend, "恢复服务", "resuming service", C(30)
    roles = MANAGEMENT_BODY
    demands = (_is("IS-SUSPENDED", "该卡未暂停服务", "service is not suspended", _suspended),)

    def enter(self, case: Case[Unsuspend]) -> Result:
        """Takes effect at once; there is nothing more to tell."""
        case.own_card.suspended_at, case.own_card.suspended_why = None, ""
        return Result()


class FreezeOperation(Operation[Freeze, Result]):
    """冻结使用."""

    request, zh, en, citation = Freeze, "冻结", "freezing", C(30)
    roles = MANAGEMENT_BODY
    demands = (_not_yet("NOT-FROZEN-YET", "该卡已冻结", "the card is frozen already", _frozen),)

    def enter(self, case: Case[Freeze]) -> Result:
        """Takes effect at once; there is nothing more to tell."""
        case.own_card.frozen_at, case.own_card.frozen_why = case.now, case.request.why
        return Result()


class UnfreezeOperation(Operation[Unfreeze, Result]):
    """解除冻结."""

    request, zh, en, citation = Unfreeze, "解除冻结", "unfreezing", C(30)
    roles = MANAGEMENT_BODY
    demands = (_is("IS-FROZEN", "该卡未冻结", "the card is not frozen", _frozen),)

    def enter(self, case: Case[Unfreeze]) -> Result:
        """Takes effect at once; there is nothing more to tell."""
        case.own_card.frozen_at, case.own_card.frozen_why = None, ""
        return Result()


class WithdrawOperation(Operation[Withdraw, Result]):
    """收回锁卡: the chip of a card that serves no more, or must not, is blocked for ever."""

    card = CardUse.NEEDED
    request, zh, en, citation = Withdraw, "收回锁卡", "withdrawing a card", C(30)
    roles = MANAGEMENT_BODY
    demands = (
        Rule(
            "CARD-AT-HAND",
            C(30),
            "卡不在读卡器中",
            "the card is not in the reader",
            lambda case: case.in_hand,
            grade="D",
        ),
        Rule(
            "HANDED-OUT",
            C(27),
            "未发放的社会保障卡应由卡管理机构处置",
            "a card that was not handed out is disposed of instead",
            lambda case: case.own_card.life not in (Life.MAKING, Life.MADE),
            grade="D",
            formerly="IN-USE",
        ),
        NOT_PENDING,
    )

    def plan(self, case: Case[Withdraw]) -> Job | None:
        """Returns the work on the chip: the card is blocked for ever."""
        del case
        return BlockCard()

    def enter(self, case: Case[Withdraw]) -> Result:
        """A card that was in use is cancelled by it."""
        card = case.own_card
        if card.life in (Life.ISSUED, Life.SURPLUS):
            bank.push(case.session, card, case.now)
        if card.life is not Life.ENDED:
            card.life, card.ended_at, card.ended_why = Life.CANCELLED, case.now, case.request.why
        card.loss = Loss.NONE
        return Result()


class BanksTold(Result):
    """How many cancellations the banks took, and how many wait on."""

    sent: int
    waiting: int


class TellBanksOperation(Operation[TellBanks, BanksTold]):
    """推送."""

    result = BanksTold
    request, zh, en, citation = TellBanks, "向发卡银行推送注销信息", "telling the banks of cancellations", C(28)
    roles = MANAGEMENT_BODY

    def enter(self, case: Case[TellBanks]) -> BanksTold:
        """All that waits; what a bank does not take now waits on."""
        sent, waiting = bank.deliver(case.session, case.now)
        return BanksTold(sent=sent, waiting=waiting)


class Found(Result):
    """A card that register and bank do not agree on, and whether it is frozen."""

    card: str
    what: str
    frozen: bool


class Anomalies(Result):
    """What was found and not known before."""

    anomalies: list[Found]


class ReconcileOperation(Operation[Reconcile, Anomalies]):
    """数据核查联动: what register and bank do not agree on is written down; a card that may be misused is frozen."""

    result = Anomalies
    request, zh, en, citation = Reconcile, "数据核查", "comparing with the banks", C(30)
    roles = MANAGEMENT_BODY

    def enter(self, case: Case[Reconcile]) -> Anomalies:
        """Returns every anomaly, each once."""
        found = []
        for card in queries.every_card(case.session):
            what = _anomaly(case, card)
            if _known(case, card, what) or not what:
                continue
            case.session.add(Anomaly(card_id=card.id, what=what, found_at=case.now))
            if card.life is Life.ISSUED and card.frozen_at is None:
                card.frozen_at, card.frozen_why = case.now, what
                case.note("freeze", C(30), card.person_id, card.id)
            found.append(Found(card=card.number, what=what, frozen=card.frozen_at is not None))
        return Anomalies(anomalies=found)


def _known(case: Case[Any], card: Card, what: str) -> bool:
    """Whether this was found before and is still so; what is so no more is settled, and counts anew if it returns."""
    still = False
    for one in queries.open_anomalies(case.session, card):
        if one.what == what:
            still = True
        else:
            one.settled_at = case.now
    return still


def _anomaly(case: Case[Any], card: Card) -> str:
    """What is wrong between register and bank, empty where nothing is."""
    account = bank.account(case.session, card.number)
    if card.life is Life.ISSUED and account in (None, AccountState.CLOSED):
        return _("卡在用而银行账户不存在或已注销 card in use, no bank account")
    if card.life is Life.ISSUED and account is AccountState.CONTROLLED:
        return _("卡在用而银行账户被管控 card in use, bank account controlled")
    open_ = account in (AccountState.OPENED, AccountState.ACTIVE)
    if card.life in OVER and open_ and queries.bank_was_notified(case.session, card):
        return _("社保功能已注销且已推送，银行账户仍未管控 cancelled and told, account not controlled")
    return ""


class Exported(Result):
    """All that is held of the holder."""

    export: protection.PersonalData


class ExportOperation(Operation[Export, Exported]):
    """个人信息导出."""

    result = Exported
    request, zh, en, citation = Export, "个人信息导出", "export of a person's data", C(29)
    only_reads = True
    roles = SOCIAL_FUNCTION
    demands = (
        Rule(
            "HOLDER-ONLY",
            C(29),
            "个人信息只向持本人有效身份证件的本人提供",
            "a person's data are given to that person, with a valid identity document",
            lambda case: case.identified and case.request.agent is None,
            grade="D",
        ),
    )

    def enter(self, case: Case[Export]) -> Exported:
        """All that the register holds of the holder."""
        return Exported(export=protection.export(case.session, case.holder))


class Erased(Result):
    """How many people were forgotten."""

    erased: int


class EraseOperation(Operation[Erase, Erased]):
    """到期删除."""

    result = Erased
    request, zh, en, citation = Erase, "到期删除个人信息", "forgetting people", C(29)
    roles = MANAGEMENT_BODY

    def enter(self, case: Case[Erase]) -> Erased:
        """Those whose time is up; how many."""
        found = protection.due(case.session, case.now)
        for person in found:
            protection.erase(case.session, person, case.now)
            case.note("erase", C(29), person.id)
            for card in queries.cards_of(case.session, person):
                case.services.card_store.forget(card.number)
        return Erased(erased=len(found))
