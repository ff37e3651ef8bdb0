"""注销 (articles 25-28), and the bank account's business (7, 26)."""

from __future__ import annotations

from typing import Any

from harness.office.cards.jobs import BlockFunction, Job
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.notice import Notice
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import ISSUING_BANK, MANAGEMENT_BODY, SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import AGENTS, NOT_PENDING
from harness.office.measures.articles import Citation
from harness.office.operations.apply import BANK_KNOWN
from harness.office.register.tables import Card
from harness.office.requests.models import (
    BankBusiness,
    Cancel,
    CloseAccount,
    RecordSurplus,
)
from harness.office.vocabulary import (
    DEATHS,
    AccountState,
    BankDeed,
    Cancellation,
    DocumentType,
    Incapacity,
    Life,
)

C = Citation
PROOFS = {
    Cancellation.DEAD: (DocumentType.DEATH,),
    Cancellation.DECLARED_DEAD: (DocumentType.DEATH_JUDGMENT,),
    Cancellation.EMIGRATED: (DocumentType.SETTLED_ABROAD, DocumentType.NATIONALITY_LOST),
    Cancellation.PENSION_ENDED: (DocumentType.WRITTEN_REQUEST,),
}
"""What shows each reason, all of it: which paper shows what is ours. [D] Article 25 asks for both: settled abroad, and
the nationality lost.
"""


def end(case: Case[Any], card: Card, life: Life, why: str) -> None:
    """The card serves no more, and its bank hears of it at once, or when it can be reached (article 28)."""
    card.life, card.ended_at, card.ended_why = life, case.now, why
    bank.push(case.session, card, case.now)


def _for_the_dead(case: Case[Cancel]) -> bool:
    agent = case.request.agent
    return agent is not None and agent.cause is Incapacity.DEAD


class CancelOperation(Operation[Cancel, Result]):
    """注销 of the social security function; the bank account comes afterwards."""

    card = CardUse.WELCOME
    request, zh, en, citation = Cancel, "注销", "cancellation", C(25)
    roles = SOCIAL_FUNCTION
    demands = (
        *AGENTS,
        Rule(
            "CANCELLABLE",
            C(25),
            "该卡不在可注销状态",
            "the card is in no state to be cancelled",
            lambda case: case.own_card.life in (Life.ISSUED, Life.SURPLUS),
        ),
        Rule(
            "SURPLUS",
            C(25),
            "持有多卡的，注销多余卡；该卡不是多余卡",
            "of several cards the surplus one is cancelled; this is none",
            lambda case: (case.request.reason is Cancellation.SURPLUS) == (case.own_card.life is Life.SURPLUS),
        ),
        Rule(
            "REASON-SHOWN",
            C(25),
            "应出示注销情形的证明材料（死亡证明；宣告死亡判决；出国定居证明和丧失国籍证明；或本人书面申请）",
            "what shows the reason is needed: death certificate; judgment; proof of having settled abroad and of "
            "nationality lost; or written request",
            lambda case: all(case.showed(one) for one in PROOFS.get(case.request.reason, ())),
            grade="D",
        ),
        Rule(
            "BY-ANOTHER",
            C(32),
            "持卡人死亡的，由其亲属或法定代理人代办注销，并以此为代办原因",
            "the dead do not come themselves: a relative or legal representative cancels for them, and says so",
            lambda case: case.request.reason not in DEATHS or _for_the_dead(case),
        ),
        Rule(
            "IDENTITY-OR-CARD",
            C(25),
            "应持本人社会保障卡或有效身份证件办理注销",
            "the card or the identity document is needed",
            lambda case: case.in_hand or case.identified,
            grade="D",
        ),
        NOT_PENDING,
    )

    def plan(self, case: Case[Cancel]) -> Job | None:
        """Where the card is at hand, its social security environment is blocked for ever."""
        return BlockFunction() if case.in_hand else None

    def enter(self, case: Case[Cancel]) -> Result:
        """Ended; the bank hears of it, and the holder what is left to do."""
        card = case.own_card
        if case.request.reason in DEATHS:
            case.holder.died_at = case.holder.died_at or case.now
        end(case, card, Life.CANCELLED, case.request.reason.zh)
        if bank.account(case.session, card.number) not in (None, AccountState.CLOSED):
            case.tell(
                Notice(
                    C(28),
                    "需办理银行账户注销；如未主动办理，发卡银行将对银行账户进行管控",
                    "the bank account is to be closed too; otherwise the bank will control it",
                )
            )
        return Result()


DEEDS = {
    BankDeed.ACTIVATE: (AccountState.OPENED, AccountState.ACTIVE),
    BankDeed.REPORT_LOSS: (AccountState.ACTIVE, AccountState.LOST),
    BankDeed.LIFT_LOSS: (AccountState.LOST, AccountState.ACTIVE),
    BankDeed.RESET_PIN: (AccountState.ACTIVE, AccountState.ACTIVE),
}
"""From which state to which; the stub bank's own rules. [D]"""


class AccountChanged(Result):
    """The account's new state."""

    account: AccountState


class BankBusinessOperation(Operation[BankBusiness, AccountChanged]):
    """银行账户业务: the social security function is not touched, nor its PIN (articles 7, 14)."""

    result = AccountChanged
    request, zh, en, citation = BankBusiness, "银行账户业务", "the bank account's business", C(7)
    roles = ISSUING_BANK
    demands = (
        Rule(
            "ACCOUNT-STATE",
            C(7),
            "按银行规定，账户当前状态不能办理该业务",
            "by the bank's rules the account's state does not allow it",
            lambda case: bank.account(case.session, case.own_card.number) is DEEDS[case.request.deed][0],
            grade="D",
        ),
    )

    def enter(self, case: Case[BankBusiness]) -> AccountChanged:
        """Enters the account's new state."""
        _, state = DEEDS[case.request.deed]
        bank.set_state(case.session, case.own_card, state)
        return AccountChanged(account=state)


class AccountClosed(Result):
    """The card was destroyed along with it."""

    destroyed: bool


class CloseAccountOperation(Operation[CloseAccount, AccountClosed]):
    """银行账户注销: the bank's, after the social security function's end."""

    result = AccountClosed
    request, zh, en, citation = CloseAccount, "银行账户注销", "closing the bank account", C(26)
    roles = ISSUING_BANK
    demands = (
        Rule(
            "FUNCTION-FIRST",
            C(26),
            "应先注销社保功能，再办理银行账户注销",
            "the social security function is cancelled first, then the bank account",
            lambda case: case.own_card.life in (Life.CANCELLED, Life.REPLACED),
        ),
    )

    def enter(self, case: Case[CloseAccount]) -> AccountClosed:
        """Closed, and the card destroyed (损毁、销毁)."""
        bank.set_state(case.session, case.own_card, AccountState.CLOSED)
        case.own_card.life = Life.ENDED
        return AccountClosed(destroyed=True)


class SurplusRecorded(Result):
    """The surplus card's number."""

    card: str


class RecordSurplusOperation(Operation[RecordSurplus, SurplusRecorded]):
    """登记多余卡."""

    result = SurplusRecorded
    request, zh, en, citation = RecordSurplus, "登记多余卡", "recording a surplus card", C(25)
    roles = MANAGEMENT_BODY
    demands = (BANK_KNOWN,)

    def enter(self, case: Case[RecordSurplus]) -> SurplusRecorded:
        """It may not be used; it waits to be cancelled."""
        request = case.request
        holder = case.holder
        card = Card(
            person_id=holder.id,
            bank_code=request.bank,
            number=request.number,
            chip=request.chip,
            identification=request.identification,
            layout="2.00",
            algorithm="3des",
            life=Life.SURPLUS,
            made_at=case.now,
            valid_until=case.today,
        )
        case.session.add(card)
        case.session.flush()
        case.card = card
        return SurplusRecorded(card=card.number)
