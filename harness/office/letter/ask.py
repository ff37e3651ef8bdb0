"""The letter filled for a request: the agent as told, the principal as told or as the register has them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import StringConstraints, field_validator, model_validator

from emulator.messages import _
from harness.messages.spoken import SpokenError
from harness.office.letter.form import Letter, Party
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.register import queries
from harness.office.register.audit import Act, Actor, Note
from harness.office.register.queries import Unknown
from harness.office.register.store import Register
from harness.office.requests.models import Document, Model, Name, Phone
from harness.office.vocabulary import Incapacity, Outcome, Relation

C = Citation(32, 2)


class Signatory(Model):
    """The principal or the agent."""

    name: Name
    document: Document
    phone: Phone

    def party(self) -> Party:
        """Returns the signatory as the form takes a party."""
        return Party(self.name, self.document.type.zh, self.document.number, self.phone)


class LetterRequest(Model):
    """``holder``: the principal by document, the rest from the register; or ``principal`` in full. ``operations``: by
    name, as ``report-loss``. ``cause`` as in requests; ``reason`` in words of one's own instead.
    """

    holder: Document | None = None
    principal: Signatory | None = None
    agent: Signatory
    relation: Relation
    operations: tuple[str, ...]
    cause: Incapacity = Incapacity.OTHER
    reason: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    day: date | None = None

    @field_validator("operations")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or any(name not in ALL for name in names):
            raise SpokenError(_("expected operations out of {all}").format(all=", ".join(ALL)))
        return names

    @model_validator(mode="after")
    def _one_principal(self) -> LetterRequest:
        if (self.holder is None) == (self.principal is None):
            raise SpokenError(_("expected holder (a document, the rest is in the register) or principal (in full)"))
        return self

    def filled(self, principal: Party, today: date) -> Letter:
        """The letter, signed by the agent."""
        return Letter(
            principal=principal,
            agent=self.agent.party(),
            relation=self.relation.zh,
            operation="、".join(ALL[name].zh for name in self.operations),
            reason=self.reason or self.cause.zh,
            signer=self.agent.name,
            day=self.day or today,
        )


def fill(register: Register, request: LetterRequest, clerk: Actor, now: datetime) -> Letter:
    """The letter; where the register told of the principal, the trail says so. Unknown."""
    if request.principal is not None:
        return request.filled(request.principal.party(), now.date())
    assert request.holder is not None
    with register.reading() as session:
        person = queries.person(session, request.holder.type, request.holder.number)
    if person is None:
        raise Unknown(_("登记库中无此人 no such person is registered: give the principal in full"))
    register.note(Note(now, clerk, Act("letter", C.label_zh, Outcome.DONE, person.id)))
    principal = Party(person.name, person.document_type.zh, person.document_number, person.phone)
    return request.filled(principal, now.date())
