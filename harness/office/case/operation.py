"""What an operation is: whom it is for, its article, its rules, what it does with the card, what it finds or makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import ClassVar, Generic, TypeVar

from harness.office.cards.in_reader import CardInReader
from harness.office.cards.jobs import Job
from harness.office.case.case import Case
from harness.office.case.result import Result
from harness.office.case.roles import Roles
from harness.office.case.rule import Rule
from harness.office.measures.articles import Citation
from harness.office.requests.models import Request

R = TypeVar("R", bound=Request)
T_co = TypeVar("T_co", bound=Result, covariant=True)


class CardUse(Enum):
    """What an operation wants of the card in the reader."""

    NONE = auto()
    """Nothing: no command is sent to it. Which card it is, its ATR says."""
    WELCOME = auto()
    """It is read where there is one; the operation is done without it too."""
    NEEDED = auto()
    """The holder's own card, or a rule refuses."""


class Operation(ABC, Generic[R, T_co]):
    """One operation, declared once: program, documents and scenarios read it."""

    request: ClassVar[type[Request]]
    result: ClassVar[type[Result]] = Result
    """What ``enter`` gives back; the shape of what HTTP and command line answer."""
    zh: ClassVar[str]
    en: ClassVar[str]
    citation: ClassVar[Citation]
    roles: ClassVar[Roles]
    demands: ClassVar[tuple[Rule, ...]] = ()
    """Its rules after that of its roles, in the order in which they are asked."""
    card: ClassVar[CardUse] = CardUse.NONE
    only_reads: ClassVar[bool] = False
    """Changes nothing in the register, whatever comes of it, but for its line of the trail."""
    by_itself: ClassVar[bool] = False
    """Works on the chip by ``chip`` alone: what it does there needs no resuming."""

    @property
    def name(self) -> str:
        """Returns the operation's name, as requests have it."""
        return self.request.operation

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All that it demands: first of who asks, then of the case."""
        return (self.roles.rule, *self.demands) if self.roles.rule is not None else self.demands

    def read_chip(self, request: R, card: CardInReader) -> dict[str, str]:
        """What must be known of the chip's content, by item, read before any transaction: a slow card keeps nobody
        waiting.
        """
        del request, card
        return {}

    def plan(self, case: Case[R]) -> Job | None:
        """What is to be written on the chip before ``enter``; None: nothing."""
        del case
        return None

    def chip(self, case: Case[R]) -> None:
        """Work on the chip outside any transaction, for operations ``by_itself``."""

    @abstractmethod
    def enter(self, case: Case[R]) -> T_co:
        """What changes in the register, once the chip has changed; what was found or made."""
