"""启用 (article 13), 密码修改与重置 (14-16)."""

from __future__ import annotations

from typing import Any

from emulator.errors import CardFailure
from harness.keys.access import TerminalError
from harness.office.cards.jobs import Job, ReloadPin, TurnOn, UnblockPin
from harness.office.case import bank
from harness.office.case.case import Case
from harness.office.case.operation import Operation
from harness.office.case.rule import Rule
from harness.office.case.shared_rules import (
    ALIVE,
    IN_USE,
    NOT_HELD,
    NOT_LOST,
    NOT_PENDING,
    SERVICE,
    USE,
    with_card,
    with_identity,
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


class Activating(Operation[Activate]):
    """启用."""

    request, zh, en, citation = Activate, "启用（激活）", "activation", C(13)
    rules = (
        *SERVICE,
        ALIVE,
        with_card(C(13)),
        with_identity(C(13)),
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
        assert case.presented is not None
        return TurnOn() if case.presented.terminal.layout.activation is not None else None

    def enter(self, case: Case[Activate]) -> None:
        """Active from now on; the bank account too, if they go together."""
        case.own_card.activated_at = case.now
        if case.request.with_account:
            bank.set_state(case.session, case.own_card, AccountState.ACTIVE)
        state = bank.account(case.session, case.own_card.number)
        case.told["account"] = str(state) if state else ""


class ChangingPin(Operation[ChangePin]):
    """密码修改: with the card alone."""

    request, zh, en, citation = ChangePin, "密码修改", "changing the PIN", C(15)
    rules = (*SERVICE, with_card(C(15)), *USE, *NEW_PIN)
    by_itself = True

    def chip(self, case: Case[ChangePin]) -> None:
        """CHANGE PIN: one command, so old or new; where no answer came, nobody can say which."""
        assert case.presented is not None
        old, new = case.request.old.get_secret_value(), case.request.new.get_secret_value()
        try:
            case.presented.terminal.change_pin(old, new)
        except CardFailure as error:
            if error.answered:
                raise
            raise TerminalError(f"卡内为原密码或新密码，请验证 the card has the old PIN or the new: {error}") from error

    def enter(self, case: Case[ChangePin]) -> None:
        """The register holds no PIN of the chip."""


class ResettingPin(Operation[ResetPin]):
    """密码重置, or with no new PIN 解锁."""

    request, zh, en, citation = ResetPin, "密码重置", "resetting the PIN", C(15, 2)
    rules = (*SERVICE, with_card(C(15, 2)), with_identity(C(15, 2)), *USE, *NEW_PIN)

    def plan(self, case: Case[ResetPin]) -> Job | None:
        """Under PUK and STK."""
        return UnblockPin() if case.request.new is None else ReloadPin()

    def enter(self, case: Case[ResetPin]) -> None:
        """The register holds no PIN of the chip."""


OPERATIONS = (Activating, ChangingPin, ResettingPin)
