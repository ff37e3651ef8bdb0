"""The issuing banks, as far as the office asks and tells (articles 7, 11, 26, 28).

Their books are their own: a stub that tests steer (whom it refuses, whether the line is up).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from emulator.messages import _
from harness.office.case.failed import Failed
from harness.office.register import queries
from harness.office.register.tables import Account, Card, Person, Push
from harness.office.vocabulary import AccountState


class BankDown(Failed):
    """Nothing reaches the bank now."""


def reach(session: Session, code: str) -> None:
    """BankDown unless the line to the bank is up."""
    bank = queries.bank(session, code)
    if bank is None or bank.down:
        raise BankDown(_("与银行{code}的连接中断 the line to bank {code} is down").format(code=code))


def refusal(session: Session, code: str, person: Person) -> str:
    """Why the bank would open no account for this person (article 11), empty where it would. BankDown."""
    reach(session, code)
    found = queries.account_refusal(session, person)
    return found.reason if found else ""


def account(session: Session, number: str) -> AccountState | None:
    """The state of a card's account, None where there is none."""
    found = queries.account(session, number)
    return found.state if found else None


def open_account(session: Session, card: Card) -> None:
    """An account for a new card, not active yet. BankDown."""
    reach(session, card.bank_code)
    session.add(Account(card_number=card.number, bank_code=card.bank_code, state=AccountState.OPENED))


def set_state(session: Session, card: Card, state: AccountState) -> None:
    """The bank's answer to something that concerns its account; a card without one is passed over. BankDown."""
    reach(session, card.bank_code)
    found = queries.account(session, card.number)
    if found is not None and found.state is not AccountState.CLOSED:
        found.state = state


def push(session: Session, card: Card, now: datetime) -> None:
    """The bank hears of a cancelled social security function (article 28), and of others that waited for the line; what
    it does not take now waits in turn.
    """
    session.add(Push(card_id=card.id, bank_code=card.bank_code, created_at=now))
    session.flush()
    deliver(session, now)


def deliver(session: Session, now: datetime) -> tuple[int, int]:
    """Tells the banks what they must hear, each once; how many were told and how many still wait."""
    sent = waiting = 0
    for one in queries.unsent(session):
        one.attempts += 1
        try:
            set_state(session, one.card, AccountState.CONTROLLED)
        except BankDown:
            waiting += 1
            continue
        one.sent_at = now
        sent += 1
    return sent, waiting
