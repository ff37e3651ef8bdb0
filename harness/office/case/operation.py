"""What an operation is: its article, its rules, what it writes on the chip and what in the register."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from harness.office.cards.in_reader import Presented
from harness.office.cards.jobs import Job
from harness.office.case.case import Case
from harness.office.case.rule import Rule
from harness.office.measures.articles import Citation
from harness.office.requests.models import Request

R = TypeVar("R", bound=Request)


class Operation(ABC, Generic[R]):
    """One operation, declared once: program, documents and scenarios read it. ``rules`` in the order of demands."""

    request: ClassVar[type[Request]]
    zh: ClassVar[str]
    en: ClassVar[str]
    citation: ClassVar[Citation]
    rules: ClassVar[tuple[Rule, ...]] = ()
    only_reads: ClassVar[bool] = False
    """Changes nothing in the register, whatever comes of it, but for its line of the trail."""
    by_itself: ClassVar[bool] = False
    """Works on the chip by ``chip`` alone: what it does there needs no resuming."""

    @property
    def name(self) -> str:
        """As requests name it."""
        return self.request.operation

    def look(self, request: R, card: Presented) -> dict[str, str]:
        """What must be known of the chip's content, read before any transaction: a slow card keeps nobody waiting."""
        del request, card
        return {}

    def plan(self, case: Case[R]) -> Job | None:
        """What is to be written on the chip before ``enter``; None: nothing."""
        del case
        return None

    def chip(self, case: Case[R]) -> None:
        """Work on the chip outside any transaction, for operations ``by_itself``."""

    @abstractmethod
    def enter(self, case: Case[R]) -> None:
        """What changes in the register, once the chip has changed."""
