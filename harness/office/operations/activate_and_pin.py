"""启用 (article 13), 密码修改与重置 (14-16)."""

from __future__ import annotations

from typing import Any, Literal

from emulator.errors import CardFailure
from emulator.messages import _
from harness.keys.access import TerminalError
from harness.office.cards.jobs import Job, ReloadPin, TurnOn, UnblockPin
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.roles import SOCIAL_FUNCTION
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import (
    AGENTS,
    ALIVE,
    IN_USE,
    NOT_HELD,
    NOT_LOST,
    NOT_PENDING,
    USE,
    WITH_CARD,
    WITH_IDENTITY,
)
from harness.office.measures.articles import Citation
from harness.office.requests.models import Activate, ChangePin, ResetPin
from harness.office.vocabulary import AccountState
from harness.terminal.pin import is_pin

C = Citation


def new_pin(case: Case[Any]) -> str:
    """The new PIN's digits; empty also where none is given."""
    return case.request.new.get_secret_value() if case.request.new is not None else ""


PIN_FORM = Rule(
    "PIN-FORM",
    C(14),
    "密码应为4至12位数字",
    "a PIN has 4 to 12 digits",
    lambda case: case.request.new is None or is_pin(new_pin(case)),
    grade="D",
)
NOT_INITIAL = Rule(
    "PIN-NOT-INITIAL",
    C(14),
    "不能设置为初始密码",
    "the initial PIN may not be set again",
    lambda case: new_pin(case) != case.services.initial_pin,
    grade="D",
)
NEW_PIN = (PIN_FORM, NOT_INITIAL)
"""What is asked of a chip's new PIN, each time that it is given."""


class Activated(Result):
    """``account``: the bank account's state, empty where there is none."""

    account: AccountState | Literal[""]


class ActivateOperation(Operation[Activate, Activated]):
    """启用."""

    result = Activated
    request, zh, en, citation = Activate, "启用（激活）", "activation", C(13)
    roles, card = SOCIAL_FUNCTION, CardUse.NEEDED
    demands = (
        *AGENTS,
        ALIVE,
        WITH_CARD.under(C(13)),
        WITH_IDENTITY.under(C(13)),
        IN_USE,
        *NOT_HELD,
        NOT_LOST,
        NOT_PENDING,
        Rule(
            "NOT-YET-ACTIVE",
            C(13),
            "社保功能已启用",
            "the social security function is activated already",
            lambda case: case.own_card.activated_at is None,
            grade="D",
        ),
    )

    def plan(self, case: Case[Activate]) -> Job | None:
        """The chip's flag, where its layout has one."""
        if case.request.with_account:
            bank.reach(case.session, case.own_card.bank_code)
        assert case.in_reader is not None
        return TurnOn() if case.in_reader.terminal.layout.activation is not None else None

    def enter(self, case: Case[Activate]) -> Activated:
        """Active from now on; the bank account too, if they go together."""
        case.own_card.activated_at = case.now
        if case.request.with_account:
            bank.set_state(case.session, case.own_card, AccountState.ACTIVE)
        return Activated(account=bank.account(case.session, case.own_card.number) or "")


class ChangePinOperation(Operation[ChangePin, Result]):
    """密码修改: with the card alone."""

    request, zh, en, citation = ChangePin, "密码修改", "changing the PIN", C(15)
    roles, card = SOCIAL_FUNCTION, CardUse.NEEDED
    demands = (*AGENTS, WITH_CARD.under(C(15)), *USE, *NEW_PIN)
    by_itself = True

    def chip(self, case: Case[ChangePin]) -> None:
        """CHANGE PIN: one command, so old or new; where no answer came, nobody can say which."""
        assert case.in_reader is not None
        old, new = case.request.old.get_secret_value(), case.request.new.get_secret_value()
        try:
            case.in_reader.terminal.change_pin(old, new)
        except CardFailure as error:
            if error.answered:
                raise
            raise TerminalError(
                _("卡内为原密码或新密码，请验证 the card has the old PIN or the new: {error}").format(error=error)
            ) from error

    def enter(self, case: Case[ChangePin]) -> Result:
        """The register holds no PIN of the chip."""
        del case
        return Result()


class ResetPinOperation(Operation[ResetPin, Result]):
    """密码重置, or with no new PIN 解锁."""

    request, zh, en, citation = ResetPin, "密码重置", "resetting the PIN", C(15, 2)
    roles, card = SOCIAL_FUNCTION, CardUse.NEEDED
    demands = (*AGENTS, WITH_CARD.under(C(15, 2)), WITH_IDENTITY.under(C(15, 2)), *USE, *NEW_PIN)

    def plan(self, case: Case[ResetPin]) -> Job | None:
        """Returns the work on the chip, under PUK and STK: a new PIN, or tries set back alone."""
        return UnblockPin() if case.request.new is None else ReloadPin()

    def enter(self, case: Case[ResetPin]) -> Result:
        """The register holds no PIN of the chip."""
        del case
        return Result()
