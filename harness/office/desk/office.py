"""The office: one request at a time through its rules, onto the chip, into the register, and onto the trail.

A chip and a database cannot change in one instant. So work on a chip is written down before it begins (``Pending``),
the chip is written, then the register follows, in one transaction with the note's end. Whatever comes between leaves
both sides as they were, or a note from which ``resume`` or ``abandon`` makes them agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pydantic import SecretStr
from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from emulator.errors import CardFailure, ErrorKind, SscardError
from emulator.filesystem.layouts.items import ItemError
from emulator.messages import _
from harness.clock import Clock
from harness.office.cards.in_reader import CardInReader
from harness.office.cards.jobs import ADAPTER, Job, Stage, WriteItems
from harness.office.case import subject
from harness.office.case.case import Case, ChipContent
from harness.office.case.failed import Failed, NotDone
from harness.office.case.notice import Notice
from harness.office.case.operation import CardUse, Operation
from harness.office.case.result import Result
from harness.office.case.rule import Refusal
from harness.office.case.services import Services
from harness.office.case.shared_rules import BASE
from harness.office.desk import prompts
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.operations.activate_and_pin import NEW_PIN
from harness.office.register import audit, changes, queries
from harness.office.register.audit import Act, Actor, Note
from harness.office.register.base import Base
from harness.office.register.changes import Change
from harness.office.register.queries import Found, Unknown
from harness.office.register.store import Register, RegisterError
from harness.office.register.tables import Agency, Pending
from harness.office.requests.models import Model, Query, Request
from harness.office.vocabulary import Outcome
from harness.readers.connection import Connection
from harness.terminal.terminal import Refused

ONE_PERSON = ("card.person_id", "application.person_id")
"""How the database names what it holds a person to."""
SECRET = {"old", "new", "electronic_pin"}


class HalfWay(SscardError, RuntimeError):
    """Work was interrupted: card and register may differ until ``pending`` is resumed or abandoned."""

    kind = ErrorKind.BROKEN
    word = "half-way"

    def __init__(self, pending: int, why: str) -> None:
        super().__init__(
            _("业务中断，待续办（编号{pending}）interrupted, resume or abandon number {pending}: {why}").format(
                pending=pending, why=why
            )
        )
        self.pending = pending

    @property
    def details(self) -> dict[str, Any]:
        """The number by which the work is taken up again."""
        return {"pending": self.pending}


@dataclass(frozen=True, slots=True)
class OnCard:
    """What was written on the chip, and into which items, by their paths; never a value."""

    zh: str
    en: str
    items: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job) -> Self:
        """Returns what a job writes."""
        return cls(job.zh, job.en, tuple(one.path for one in job.items) if isinstance(job, WriteItems) else ())

    def as_table(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"zh": self.zh, "en": self.en, "items": list(self.items)}


@dataclass(frozen=True)
class Done:
    """What came of a request."""

    operation: str
    article: Citation
    person: int | None
    card: str
    result: Result
    notices: tuple[Notice, ...] = ()
    in_register: tuple[Change, ...] = ()
    """What was written in the register."""
    on_card: tuple[OnCard, ...] = ()
    """What was written on the chip."""

    @cached_property
    def data(self) -> dict[str, Any]:
        """What the operation found or made, as JSON takes it."""
        return self.result.data()

    def as_table(self) -> dict[str, Any]:
        """Returns what was done as JSON takes it."""
        return {
            "operation": self.operation,
            "article": self.article.article,
            "person": self.person,
            "card": self.card,
            **self.data,
            "notices": [{"article": one.citation.article, "zh": one.zh, "en": one.en} for one in self.notices],
            "changes": {
                "register": [one.as_table() for one in self.in_register],
                "card": [one.as_table() for one in self.on_card],
            },
        }


class Office:
    """The office over a register. One may be used by several threads, each with a card of its own."""

    def __init__(self, register: Register, services: Services, clock: Clock | None = None) -> None:
        self.register, self.services, self.clock = register, services, clock or Clock()

    # --- a request -------------------------------------------------------------------------------------------------

    def perform(self, request: Request, clerk: str, connection: Connection | None = None) -> Done:
        """Does it, or says why not: Refusal (with the article), Unknown, Failed, HalfWay. ``clerk``: who acts, by name;
        ``connection``: the card in the clerk's reader.
        """
        operation = ALL[request.operation]
        in_reader = self._inserted(connection, operation.card)
        content = self._content(operation, request, in_reader)
        if operation.only_reads and request.agent is None:  # who came for another is written down
            return self._read_only(operation, request, clerk, in_reader, content)
        case, job, pending, refused, note = self.register.write(
            lambda session: self._begun(session, operation, request, clerk, in_reader, content)
        )
        if note is not None:
            self.register.note(note)
        if refused is not None:
            raise refused
        if job is not None:
            assert in_reader is not None
            return self._on_chip(pending, job, in_reader, _pin(request))
        return self._by_itself(operation, case) if operation.by_itself else self._done(operation, case)

    def _begun(
        self,
        session: Session,
        operation: Operation[Any, Any],
        request: Request,
        clerk: str,
        in_reader: CardInReader | None,
        content: ChipContent | None,
    ) -> tuple[Case[Any], Job | None, int, NotDone | None, Note | None]:
        """The case, the work on the chip that is to follow with the number of its note, or why not with the line of the
        trail that is still to be written.
        """
        case = self._case(session, request, clerk, in_reader)
        case.chip_content = content
        pending = 0
        try:
            job = self._decided(operation, case)
        except NotDone as error:
            return case, None, pending, error, self._undone(operation, case, error)
        if job is not None:
            pending = self._begin(case, operation, job)
        elif not operation.by_itself:
            self._note(case, operation, Outcome.DONE)
        return case, job, pending, None, None

    def _decided(self, operation: Operation[Any, Any], case: Case[Any]) -> Job | None:
        """Asks the rules, then what is to be written on the chip; where that is nothing, the register changes. Returns
        the work on the chip. Raises Refusal or Failed, with whatever was written by then.
        """
        try:
            for rule in (*BASE, *operation.rules):
                rule.demand(case)
            job = operation.plan(case)
            if job is None and not operation.by_itself:
                self._enter(operation, case)
            case.session.flush()
        except IntegrityError as error:
            violated = self.register.violated(error)
            if not any(one in violated for one in ONE_PERSON):
                raise
            raise _taken(violated) from error
        return job

    def _undone(self, operation: Operation[Any, Any], case: Case[Any], error: NotDone) -> Note | None:
        """Takes back what the operation wrote before it was refused, unless the refusal says that it stays. Returns the
        line of the trail where it is still to be written.
        """
        if isinstance(error, Refusal) and error.keep:
            self._note(case, operation, Outcome.REFUSED, _refused(error))
            return None
        case.session.rollback()
        outcome, detail = (Outcome.REFUSED, _refused(error)) if isinstance(error, Refusal) else (Outcome.FAILED, None)
        return Note(case.now, Actor.of(case.clerk), self._act(case, operation, outcome, detail))

    def _read_only(
        self,
        operation: Operation[Any, Any],
        request: Request,
        clerk: str,
        in_reader: CardInReader | None,
        content: ChipContent | None,
    ) -> Done:
        """Under no lock: what the register holds at one moment. The line of the trail is written before the answer."""
        refused: Refusal | None = None
        with self.register.reading() as session:
            case = self._case(session, request, clerk, in_reader)
            case.chip_content = content
            try:
                for rule in (*BASE, *operation.rules):
                    rule.demand(case)
                case.result = operation.enter(case)
                prompts.prompt(case)
                act = self._act(case, operation, Outcome.DONE)
            except Refusal as refusal:
                refused = refusal
                act = self._act(case, operation, Outcome.REFUSED, _refused(refusal))
            actor = Actor.of(case.clerk)
        self.register.note(Note(case.now, actor, act))
        if refused is not None:
            raise refused
        return self._done(operation, case)

    def _inserted(self, connection: Connection | None, use: CardUse = CardUse.NEEDED) -> CardInReader | None:
        if connection is None:
            return None
        if use is CardUse.NONE:
            return CardInReader.unread(connection, self.services.root)
        try:
            return CardInReader.read(connection, self.services.root)
        except CardFailure as error:
            raise Failed(_("读卡失败 the card cannot be read: {error}").format(error=error)) from error

    @staticmethod
    def _content(
        operation: Operation[Any, Any], request: Request, in_reader: CardInReader | None
    ) -> ChipContent | None:
        if operation.card is CardUse.NONE or in_reader is None or in_reader.refused:
            return None
        try:
            return ChipContent(operation.read_chip(request, in_reader))
        except CardFailure as error:
            return ChipContent({}, error)

    def _case(self, session: Session, request: Request, clerk: str, in_reader: CardInReader | None) -> Case[Any]:
        who = queries.clerk(session, clerk)
        case: Case[Any] = Case(session, self.services, who, request, self.clock.now(), in_reader=in_reader)
        subject.find(case)
        return case

    def _enter(self, operation: Operation[Any, Any], case: Case[Any]) -> None:
        with changes.watched(case.session) as case.changes:
            case.result = operation.enter(case)
            case.session.flush()
        _record_agent(case)
        prompts.prompt(case)

    def _note(
        self, case: Case[Any], operation: Operation[Any, Any], outcome: Outcome, detail: dict[str, Any] | None = None
    ) -> None:
        audit.write(case.session, case.now, Actor.of(case.clerk), self._act(case, operation, outcome, detail))

    @staticmethod
    def _act(
        case: Case[Any], operation: Operation[Any, Any], outcome: Outcome, detail: dict[str, Any] | None = None
    ) -> Act:
        seen = _looked_at(case.request) if isinstance(case.request, Query) else {}
        found = case.result.for_trail() if case.result is not None and outcome is not Outcome.REFUSED else {}
        agent = {"agent": str(case.request.agent.relation)} if case.request.agent else {}
        return Act(
            operation.name,
            operation.citation.label_zh,
            outcome,
            _number(case.person),
            _number(case.card),
            {"channel": str(case.request.channel), **agent, **seen, **found, **(detail or {})},
        )

    @staticmethod
    def _done(operation: Operation[Any, Any], case: Case[Any], *on_card: OnCard) -> Done:
        return Done(
            operation.name,
            operation.citation,
            case.person.id if case.person else None,
            case.card.number if case.card else "",
            case.result or Result(),
            tuple(case.notices),
            tuple(case.changes),
            on_card,
        )

    # --- work on the chip --------------------------------------------------------------------------------------------

    def _by_itself(self, operation: Operation[Any, Any], before: Case[Any]) -> Done:
        """Chip first, register after; what is cut here is done anew, as the register says nothing of it yet."""
        try:
            operation.chip(before)
        except Refusal:
            raise
        except SscardError as error:
            with self.register.transaction() as session:
                case = self._case(session, before.request, before.clerk.name, before.in_reader)
                self._note(case, operation, Outcome.FAILED, {"why": type(error).__name__})
            raise Failed(
                _("{zh}失败 {en} failed: {error}").format(zh=operation.zh, en=operation.en, error=error)
            ) from error

        def entered(session: Session) -> Done:
            case = self._case(session, before.request, before.clerk.name, before.in_reader)
            case.image = before.image
            self._enter(operation, case)
            self._note(case, operation, Outcome.DONE)
            return self._done(operation, case, OnCard(operation.zh, operation.en))

        return self.register.write(entered)

    def _begin(self, case: Case[Any], operation: Operation[Any, Any], job: Job) -> int:
        pending = Pending(
            card_id=case.own_card.id,
            operation=operation.name,
            request=case.request.model_dump(mode="json", exclude=SECRET),
            job=job.model_dump(mode="json"),
            clerk_id=case.clerk.id,
            begun_at=case.now,
        )
        case.session.add(pending)
        case.session.flush()
        return pending.id

    def _on_chip(self, pending: int, job: Job, in_reader: CardInReader, pin: SecretStr | None) -> Done:
        try:
            job.run(in_reader, pin)
        except CardFailure as error:
            untouched = self._untouched(job, in_reader, error)
            try:
                self._tell(pending, Outcome.FAILED if untouched else Outcome.HALF_WAY, ends=untouched)
            except RegisterError:  # the note stands in the register, and has not ended
                raise HalfWay(pending, str(error)) from error
            if untouched:
                raise Failed(
                    _("{zh}失败，卡与登记均未改动 {en} failed, nothing has changed: {error}").format(
                        zh=job.zh, en=job.en, error=error
                    )
                ) from error
            raise HalfWay(pending, str(error)) from error
        return self._settle(pending, in_reader, Outcome.DONE)

    @staticmethod
    def _untouched(job: Job, in_reader: CardInReader, error: Exception) -> bool:
        """Whether the chip, which is still there, is as it was."""
        try:
            in_reader.terminal.begin()
            stage = job.stage(in_reader)
        except CardFailure:
            return False
        return stage is Stage.BEFORE or (stage is Stage.UNKNOWN and isinstance(error, Refused | ItemError))

    def _settle(self, number: int, in_reader: CardInReader | None, outcome: Outcome, clerk: str = "") -> Done:
        """The register follows the chip, and the note ends, in one transaction."""

        def settled(session: Session) -> Done:
            pending = session.get_one(Pending, number)
            case, operation = self._case_of(session, pending, in_reader, clerk)
            self._enter(operation, case)
            pending.ended_at, pending.outcome = case.now, outcome
            self._note(case, operation, outcome, {"pending": number})
            return self._done(operation, case, OnCard.of(_job(pending)))

        try:
            return self.register.write(settled)
        except SscardError as error:
            raise HalfWay(number, str(error)) from error

    def _case_of(
        self, session: Session, pending: Pending, in_reader: CardInReader | None, clerk: str = ""
    ) -> tuple[Case[Any], Operation[Any, Any]]:
        """By whoever takes it up, else by whoever began."""
        operation = ALL[pending.operation]
        who = queries.clerk(session, clerk) if clerk else queries.clerk_by_id(session, pending.clerk_id)
        request = operation.request.model_validate(pending.request)
        case: Case[Any] = Case(session, self.services, who, request, self.clock.now(), in_reader=in_reader)
        case.card = pending.card
        case.person = pending.card.person
        return case, operation

    def _tell(self, number: int, outcome: Outcome, clerk: str = "", *, ends: bool) -> None:
        """What became of the work, on the trail; the note ends with it, or waits on."""

        def told(session: Session) -> None:
            pending = session.get_one(Pending, number)
            case, operation = self._case_of(session, pending, None, clerk)
            if ends:
                pending.ended_at, pending.outcome = case.now, outcome
            self._note(case, operation, outcome, {"pending": number})

        self.register.write(told)

    # --- what was interrupted ----------------------------------------------------------------------------------------

    def pending(self) -> list[dict[str, Any]]:
        """Everything that was begun and not ended."""
        with self.register.reading() as session:
            return [
                {
                    "pending": one.id,
                    "card": one.card,
                    "operation": one.operation,
                    "job": one.job["kind"],
                    "needs_pin": _job(one).needs_pin,
                    "begun": one.begun_at.isoformat(),
                }
                for one in queries.pending(session)
            ]

    def resume(self, number: int, connection: Connection, pin: SecretStr | None = None, *, clerk: str = "") -> Done:
        """Finishes what was begun, on the same card; HalfWay again if that fails too. Refusal, Unknown, Failed.
        ``clerk``: who does it, by name; else whoever began.
        """
        job, in_reader = self._taken_up(number, connection, clerk, pin)
        try:
            if job.stage(in_reader) is not Stage.AFTER:
                job.run(in_reader, pin)
        except CardFailure as error:
            self._tell(number, Outcome.HALF_WAY, clerk, ends=False)
            raise HalfWay(number, str(error)) from error
        return self._settle(number, in_reader, Outcome.RESUMED, clerk)

    def abandon(self, number: int, connection: Connection, *, clerk: str = "") -> None:
        """Makes the chip as it was, where that can be; the register was never changed. Failed where it cannot.
        ``clerk`` as in ``resume``.
        """
        job, in_reader = self._taken_up(number, connection, clerk)
        try:
            job.undo(in_reader)
        except CardFailure as error:
            raise Failed(_("不能撤销 it cannot be undone: {error}").format(error=error)) from error
        self._tell(number, Outcome.ABANDONED, clerk, ends=True)

    def _taken_up(
        self, number: int, connection: Connection, clerk: str, pin: SecretStr | None = None
    ) -> tuple[Job, CardInReader]:
        """The work and its card; a PIN that is given anew is held against the same rules as the first."""
        in_reader = self._inserted(connection)
        assert in_reader is not None
        with self.register.transaction() as session:
            pending = session.get(Pending, number)
            if pending is None or pending.ended_at is not None:
                raise Unknown(_("无此待续办业务 nothing of number {number} waits to be resumed").format(number=number))
            if pending.card.chip != in_reader.chip:
                raise Unknown(
                    _("读卡器中不是该业务的卡 number {number} is about card {number_2}, not this one").format(
                        number=number, number_2=pending.card.number
                    )
                )
            if in_reader.refused:
                in_reader.with_layout(pending.card.layout)
            case, operation = self._case_of(session, pending, in_reader, clerk)
            case.request = case.request.model_copy(update={"new": pin} if pin else {})
            for rule in operation.rules:
                if rule is operation.roles.rule or (pin and rule in NEW_PIN):
                    rule.demand(case)
            return _job(pending), in_reader


def _record_agent(case: Case[Any]) -> None:
    """Who came for the holder, with whose documents."""
    agent = case.request.agent
    if agent is None or case.person is None:
        return
    case.session.add(
        Agency(
            person_id=case.person.id,
            operation=case.request.operation,
            at=case.now,
            name=agent.name,
            document_type=agent.document.type,
            document_number=agent.document.number,
            phone=agent.phone,
            relation=agent.relation,
            cause=agent.cause,
        )
    )


def _number(row: Base | None) -> int | None:
    """The register's number of a row; None where there is no row, or none any more."""
    state = inspect(row) if row is not None else None
    return state.identity[0] if state is not None and state.persistent and state.identity else None


def _taken(violated: str) -> Refusal:
    """The database's own word on one person, one card."""
    return Refusal(
        "ONE-CARD",
        Citation(8),
        "一人一卡：登记库不允许第二张卡或第二份在办申请",
        f"one person, one card: the register takes no second card or open application ({violated})",
    )


def _looked_at(request: Query) -> dict[str, Any]:
    """Whether data were seen in full, and what for."""
    return {"whole": request.whole} | ({"purpose": str(request.purpose)} if request.purpose else {})


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"rule": refusal.rule, "article": refusal.citation.article}


def _job(pending: Pending | Found) -> Job:
    return ADAPTER.validate_python(pending.job)


def _pin(request: Model) -> SecretStr | None:
    found = getattr(request, "new", None)
    return found if isinstance(found, SecretStr) else None
