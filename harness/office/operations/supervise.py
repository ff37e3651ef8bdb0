"""What the management body does of itself: telling the banks (article 28), protecting data (29), comparing and freezing
(30).
"""

from __future__ import annotations

from typing import Any

from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import Operation
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import ADMINISTRATOR, NOT_BANK_ROLE
from harness.office.measures.articles import Citation
from harness.office.people import protection
from harness.office.register import queries
from harness.office.register.tables import Anomaly, Card
from harness.office.requests.models import Erase, Export, Reconcile, TellBanks
from harness.office.vocabulary import AccountState, Life

C = Citation
OVER = (Life.REPLACED, Life.CANCELLED, Life.ENDED)


class TellingBanks(Operation[TellBanks]):
    """推送."""

    request, zh, en, citation = TellBanks, "向发卡银行推送注销信息", "telling the banks of cancellations", C(28)
    rules = (ADMINISTRATOR,)

    def enter(self, case: Case[TellBanks]) -> None:
        """All that waits; what a bank does not take now waits on."""
        case.told["sent"], case.told["waiting"] = bank.deliver(case.session, case.now)


class Reconciling(Operation[Reconcile]):
    """数据核查联动: what register and bank do not agree on is written down; a card that may be misused is frozen."""

    request, zh, en, citation = Reconcile, "数据核查", "comparing with the banks", C(30)
    rules = (ADMINISTRATOR,)

    def enter(self, case: Case[Reconcile]) -> None:
        """Each anomaly once."""
        found = []
        for card in queries.every_card(case.session):
            what = _anomaly(case, card)
            if _known(case, card, what) or not what:
                continue
            case.session.add(Anomaly(card_id=card.id, what=what, found_at=case.now))
            if card.life is Life.ISSUED and card.frozen_at is None:
                card.frozen_at, card.frozen_why = case.now, what
                case.note("freeze", C(30), card.person_id, card.id)
            found.append({"card": card.number, "what": what, "frozen": card.frozen_at is not None})
        case.told["anomalies"] = found


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
        return "卡在用而银行账户不存在或已注销 card in use, no bank account"
    if card.life is Life.ISSUED and account is AccountState.CONTROLLED:
        return "卡在用而银行账户被管控 card in use, bank account controlled"
    open_ = account in (AccountState.OPENED, AccountState.ACTIVE)
    if card.life in OVER and open_ and queries.bank_was_told(case.session, card):
        return "社保功能已注销且已推送，银行账户仍未管控 cancelled and told, account not controlled"
    return ""


class Exporting(Operation[Export]):
    """个人信息导出."""

    request, zh, en, citation = Export, "个人信息导出", "export of a person's data", C(29)
    only_reads = True
    rules = (
        NOT_BANK_ROLE,
        Rule(
            "HOLDER-ONLY",
            C(29),
            "个人信息只向持本人有效身份证件的本人提供",
            "a person's data are given to that person, with a valid identity document",
            lambda case: case.identified and case.request.agent is None,
            grade="D",
        ),
    )

    def enter(self, case: Case[Export]) -> None:
        """All of it."""
        case.told["export"] = protection.export(case.session, case.holder)


class Erasing(Operation[Erase]):
    """到期删除."""

    request, zh, en, citation = Erase, "到期删除个人信息", "forgetting people", C(29)
    rules = (ADMINISTRATOR,)

    def enter(self, case: Case[Erase]) -> None:
        """Those whose time is up; how many."""
        found = protection.due(case.session, case.now)
        for person in found:
            protection.erase(case.session, person, case.now)
            case.note("erase", C(29), person.id)
            for card in queries.cards_of(case.session, person):
                case.services.drawer.forget(card.number)
        case.told["erased"] = len(found)


OPERATIONS = (TellingBanks, Reconciling, Exporting, Erasing)
