"""A case: one request at one outlet, with all that rules look at and operations act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy.orm import Session

from emulator.messages import _
from harness.office.case.failed import Failed
from harness.office.case.notice import Notice
from harness.office.case.result import Result
from harness.office.case.services import Services
from harness.office.measures.articles import Citation
from harness.office.register import audit, queries
from harness.office.register.audit import Act, Actor
from harness.office.register.changes import Change
from harness.office.register.queries import ServingClerk, Unknown
from harness.office.register.tables import Application, Card, Pending, Person
from harness.office.requests.models import Document, Request
from harness.office.vocabulary import Channel, DocumentType, Loss, Outcome

if TYPE_CHECKING:
    from emulator.filesystem.memory.image import Image
    from harness.office.cards.in_reader import CardInReader


R_co = TypeVar("R_co", bound=Request, covariant=True)


@dataclass(frozen=True, slots=True)
class ChipContent:
    """What an operation read of the chip before its transaction, by item, or why it could not."""

    items: dict[str, str]
    failure: Exception | None = None


@dataclass(slots=True)
class Case(Generic[R_co]):
    """``card``: the one in the reader, or the holder's; None where there is none. ``in_reader``: the one in the reader,
    which the register may not know.
    """

    session: Session
    services: Services
    clerk: ServingClerk
    request: R_co
    now: datetime
    person: Person | None = None
    card: Card | None = None
    application: Application | None = None
    in_reader: CardInReader | None = None
    chip_content: ChipContent | None = None
    image: Image | None = None
    """What a chip that is being made is to hold."""
    notices: list[Notice] = field(default_factory=list)
    result: Result | None = None
    """What the operation found or made, once it has."""
    changes: list[Change] = field(default_factory=list)
    """What the operation wrote in the register, once it has."""

    @property
    def today(self) -> date:
        """Returns the present day in China."""
        return self.now.date()

    @property
    def holder(self) -> Person:
        """Returns the person whom it is about. Unknown where nobody is registered."""
        if self.person is None:
            raise Unknown(
                _("登记库中无此人 no such person is registered: name the holder's document, or put the card in")
            )
        return self.person

    @property
    def own_card(self) -> Card:
        """Returns the card that it is about. Unknown where none is registered."""
        if self.card is None:
            raise Unknown(_("登记库中无此卡 the register knows no such card"))
        return self.card

    @property
    def case_of(self) -> Application:
        """Returns the application that it is about. Unknown where none is registered."""
        if self.application is None:
            raise Unknown(_("无此申请 there is no such application"))
        return self.application

    def tell(self, notice: Notice) -> None:
        """Something the holder must be told."""
        self.notices.append(notice)

    def note(self, what: str, citation: Citation, person: int | None, card: int | None = None) -> None:
        """A line of the trail for somebody whom an operation on many concerns."""
        act = Act(what, citation.label_zh, Outcome.DONE, person, card, {"by": self.request.operation})
        audit.write(self.session, self.now, Actor.of(self.clerk), act)

    # --- what was shown ------------------------------------------------------------------------------------------

    @property
    def in_hand(self) -> bool:
        """The holder's own card is in the reader."""
        return self.in_reader is not None and self.card is not None and self.in_reader.chip == self.card.chip

    def showed(self, *types: DocumentType) -> bool:
        """A document of one of these kinds was shown by holder or agent."""
        agent = self.request.agent
        shown = {one.type for one in (*self.request.shown, *(agent.shown if agent else ()))}
        return bool(shown & set(types))

    @property
    def chip_items(self) -> dict[str, str]:
        """What was read of the chip beforehand, by item. Failed where it could not be: rules that come before have had
        their say.
        """
        if self.chip_content is None:
            return {}
        if (failure := self.chip_content.failure) is not None:
            raise Failed(
                _("读卡失败，卡与登记均未改动 the card cannot be read, nothing has changed: {failure}").format(
                    failure=failure
                )
            ) from failure
        return self.chip_content.items

    @property
    def identified(self) -> bool:
        """The holder's valid identity document was shown: its number is the register's, and it has not run out."""
        person = self.person
        if person is None:
            return False
        own = Document(type=person.document_type, number=person.document_number)
        valid = person.document_until is None or person.document_until >= self.today
        return own in self.request.shown and valid

    # --- the card's state ------------------------------------------------------------------------------------------

    @property
    def loss(self) -> Loss:
        """The card's loss as it stands now: a temporary one lapses (article 18)."""
        return self.services.loss(self.own_card, self.now)

    @property
    def pending(self) -> Pending | None:
        """Work on this card that was begun and not ended."""
        return queries.begun(self.session, self.card) if self.card is not None else None

    @property
    def open_application(self) -> Application | None:
        """The person's application that is not ended."""
        return queries.open_application(self.session, self.person) if self.person is not None else None

    @property
    def online(self) -> bool:
        """True if it was not asked for at a counter."""
        return self.request.channel is not Channel.COUNTER
