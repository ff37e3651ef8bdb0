"""The office: one request at a time through its rules, onto the chip, into the register, and onto the trail.

A chip and a database cannot change in one instant. So work on a chip is written down before it begins (``Pending``),
the chip is written, then the register follows, in one transaction with the note's end. Whatever comes between leaves
both sides as they were, or a note from which ``resume`` or ``abandon`` makes them agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from emulator.errors import CardFailure, ErrorKind, SscardError
from emulator.filesystem.layouts.items import ItemError
from harness.clock import Clock
from harness.office.cards.in_reader import Presented
from harness.office.cards.jobs import ADAPTER, Job, Stage
from harness.office.case import roles, subject
from harness.office.case.case import Case, Look
from harness.office.case.failed import Failed
from harness.office.case.notice import Notice
from harness.office.case.operation import Operation
from harness.office.case.rule import Refusal
from harness.office.case.services import Services
from harness.office.case.shared_rules import BASE
from harness.office.desk import prompts
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.operations.activate_and_pin import NEW_PIN
from harness.office.register import audit, queries
from harness.office.register.audit import Act, Actor, Note
from harness.office.register.queries import Found, Unknown
from harness.office.register.store import Register, violated
from harness.office.register.tables import Agency, Clerk, Pending
from harness.office.requests.models import Model, Query, Request
from harness.office.vocabulary import Outcome
from harness.readers.connection import Connection
from harness.terminal.terminal import Refused

ONE_PERSON = ("card.person_id", "application.person_id")
"""How the database names what it holds a person to."""
SECRET = {"old", "new", "electronic_pin"}
UNTOLD = {"credential"}
"""What whoever has it may show as the holder's: not for the trail."""


class HalfWay(SscardError, RuntimeError):
    """Work was interrupted: card and register may differ until ``pending`` is resumed or abandoned."""

    kind = ErrorKind.BROKEN
    word = "half-way"

    def __init__(self, pending: int, why: str) -> None:
        super().__init__(f"业务中断，待续办（编号{pending}）interrupted, resume or abandon number {pending}: {why}")
        self.pending = pending

    @property
    def details(self) -> dict[str, Any]:
        """The number by which the work is taken up again."""
        return {"pending": self.pending}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request. ``told``: what the operation found or made, as JSON takes it."""

    operation: str
    article: Citation
    person: int | None
    card: str
    told: dict[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def as_table(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "operation": self.operation,
            "article": self.article.article,
            "person": self.person,
            "card": self.card,
            **self.told,
            "notices": [{"article": one.citation.article, "zh": one.zh, "en": one.en} for one in self.notices],
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
        presented = self._look(connection)
        look = self._read(operation, request, presented)
        if operation.only_reads and request.agent is None:  # who came for another is written down
            return self._read_only(operation, request, clerk, presented, look)
        refused: Refusal | Failed | None = None
        pending = 0
        with self.register.transaction() as session:
            case = self._case(session, request, clerk, presented)
            case.look = look
            job: Job | None = None
            try:
                with _savepoint(session):
                    for rule in (*BASE, *operation.rules):
                        rule.demand(case)
                    job = operation.plan(case)
                    if job is None and not operation.by_itself:
                        self._enter(operation, case)
            except Failed as failure:
                refused = failure
                self._note(case, operation, Outcome.FAILED)
            except Refusal as refusal:
                refused = refusal
                self._note(case, operation, Outcome.REFUSED, _refused(refusal))
            else:
                if job is not None:
                    pending = self._begin(case, operation, job)
                elif not operation.by_itself:
                    self._note(case, operation, Outcome.DONE)
        if refused is not None:
            raise refused
        if job is not None:
            assert presented is not None
            return self._on_chip(pending, job, presented, _pin(request))
        return self._by_itself(operation, case) if operation.by_itself else self._done(operation, case)

    def _read_only(
        self,
        operation: Operation[Any],
        request: Request,
        clerk: str,
        presented: Presented | None,
        look: Look | None,
    ) -> Done:
        """Under no lock: what the register holds at one moment. The line of the trail is written before the answer."""
        refused: Refusal | None = None
        with self.register.reading() as session:
            case = self._case(session, request, clerk, presented)
            case.look = look
            try:
                for rule in (*BASE, *operation.rules):
                    rule.demand(case)
                operation.enter(case)
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

    def _look(self, connection: Connection | None) -> Presented | None:
        if connection is None:
            return None
        try:
            return Presented.look(connection, self.services.root)
        except CardFailure as error:
            raise Failed(f"读卡失败 the card cannot be read: {error}") from error

    @staticmethod
    def _read(operation: Operation[Any], request: Request, presented: Presented | None) -> Look | None:
        if presented is None or presented.refused:
            return None
        try:
            return Look(operation.look(request, presented))
        except CardFailure as error:
            return Look({}, error)

    def _case(self, session: Session, request: Request, clerk: str, presented: Presented | None) -> Case[Any]:
        who = queries.clerk(session, clerk)
        case: Case[Any] = Case(session, self.services, who, request, self.clock.now(), presented=presented)
        subject.find(case)
        return case

    def _enter(self, operation: Operation[Any], case: Case[Any]) -> None:
        operation.enter(case)
        case.session.flush()
        _record_agent(case)
        prompts.prompt(case)

    def _note(
        self, case: Case[Any], operation: Operation[Any], outcome: Outcome, detail: dict[str, Any] | None = None
    ) -> None:
        audit.write(case.session, case.now, Actor.of(case.clerk), self._act(case, operation, outcome, detail))

    @staticmethod
    def _act(case: Case[Any], operation: Operation[Any], outcome: Outcome, detail: dict[str, Any] | None = None) -> Act:
        seen = _looked_at(case.request) if isinstance(case.request, Query) else {}
        plain = {
            name: value for name, value in case.told.items() if isinstance(value, str | int | bool) or name == "from"
        }
        told = {name: value for name, value in plain.items() if name not in UNTOLD}
        agent = {"agent": str(case.request.agent.relation)} if case.request.agent else {}
        return Act(
            operation.name,
            operation.citation.label_zh,
            outcome,
            case.person.id if case.person else None,
            case.card.id if case.card else None,
            {"channel": str(case.request.channel), **agent, **seen, **(told if outcome is not Outcome.REFUSED else {}),
             **(detail or {})},
        )  # fmt: skip

    @staticmethod
    def _done(operation: Operation[Any], case: Case[Any]) -> Done:
        return Done(
            operation.name,
            operation.citation,
            case.person.id if case.person else None,
            case.card.number if case.card else "",
            dict(case.told),
            tuple(case.notices),
        )

    # --- work on the chip --------------------------------------------------------------------------------------------

    def _by_itself(self, operation: Operation[Any], before: Case[Any]) -> Done:
        """Chip first, register after; what is cut here is done anew, as the register says nothing of it yet."""
        try:
            operation.chip(before)
        except Refusal:
            raise
        except SscardError as error:
            with self.register.transaction() as session:
                case = self._case(session, before.request, before.clerk.name, before.presented)
                self._note(case, operation, Outcome.FAILED, {"why": type(error).__name__})
            raise Failed(f"{operation.zh}失败 {operation.en} failed: {error}") from error
        with self.register.transaction() as session:
            case = self._case(session, before.request, before.clerk.name, before.presented)
            case.image = before.image
            self._enter(operation, case)
            self._note(case, operation, Outcome.DONE)
            return self._done(operation, case)

    def _begin(self, case: Case[Any], operation: Operation[Any], job: Job) -> int:
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

    def _on_chip(self, pending: int, job: Job, presented: Presented, pin: SecretStr | None) -> Done:
        try:
            job.run(presented, pin)
        except CardFailure as error:
            if self._untouched(job, presented, error):
                self._tell(pending, Outcome.FAILED, ends=True)
                raise Failed(f"{job.zh}失败，卡与登记均未改动 {job.en} failed, nothing has changed: {error}") from error
            self._tell(pending, Outcome.HALF_WAY, ends=False)
            raise HalfWay(pending, str(error)) from error
        return self._settle(pending, presented, Outcome.DONE)

    @staticmethod
    def _untouched(job: Job, presented: Presented, error: Exception) -> bool:
        """Whether the chip, which is still there, is as it was."""
        try:
            presented.terminal.begin()
            stage = job.stage(presented)
        except CardFailure:
            return False
        return stage is Stage.BEFORE or (stage is Stage.UNKNOWN and isinstance(error, Refused | ItemError))

    def _settle(self, number: int, presented: Presented | None, outcome: Outcome, clerk: str = "") -> Done:
        """The register follows the chip, and the note ends, in one transaction."""
        try:
            with self.register.transaction() as session:
                pending = session.get_one(Pending, number)
                case, operation = self._case_of(session, pending, presented, clerk)
                self._enter(operation, case)
                pending.ended_at, pending.outcome = case.now, outcome
                self._note(case, operation, outcome, {"pending": number})
                return self._done(operation, case)
        except SscardError as error:
            raise HalfWay(number, str(error)) from error

    def _case_of(
        self, session: Session, pending: Pending, presented: Presented | None, clerk: str = ""
    ) -> tuple[Case[Any], Operation[Any]]:
        """By whoever takes it up, else by whoever began."""
        operation = ALL[pending.operation]
        who = queries.clerk(session, clerk) if clerk else session.get_one(Clerk, pending.clerk_id)
        request = operation.request.model_validate(pending.request)
        case: Case[Any] = Case(session, self.services, who, request, self.clock.now(), presented=presented)
        case.card = pending.card
        case.person = pending.card.person
        return case, operation

    def _tell(self, number: int, outcome: Outcome, clerk: str = "", *, ends: bool) -> None:
        """What became of the work, on the trail; the note ends with it, or waits on."""
        with self.register.transaction() as session:
            pending = session.get_one(Pending, number)
            case, operation = self._case_of(session, pending, None, clerk)
            if ends:
                pending.ended_at, pending.outcome = case.now, outcome
            self._note(case, operation, outcome, {"pending": number})

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
        job, presented = self._taken_up(number, connection, clerk, pin)
        try:
            if job.stage(presented) is not Stage.AFTER:
                job.run(presented, pin)
        except CardFailure as error:
            self._tell(number, Outcome.HALF_WAY, clerk, ends=False)
            raise HalfWay(number, str(error)) from error
        return self._settle(number, presented, Outcome.RESUMED, clerk)

    def abandon(self, number: int, connection: Connection, *, clerk: str = "") -> None:
        """Makes the chip as it was, where that can be; the register was never changed. Failed where it cannot.
        ``clerk`` as in ``resume``.
        """
        job, presented = self._taken_up(number, connection, clerk)
        try:
            job.undo(presented)
        except CardFailure as error:
            raise Failed(f"不能撤销 it cannot be undone: {error}") from error
        self._tell(number, Outcome.ABANDONED, clerk, ends=True)

    def _taken_up(
        self, number: int, connection: Connection, clerk: str, pin: SecretStr | None = None
    ) -> tuple[Job, Presented]:
        """The work and its card; a PIN that is given anew is held against the same rules as the first."""
        presented = self._look(connection)
        assert presented is not None
        with self.register.transaction() as session:
            pending = session.get(Pending, number)
            if pending is None or pending.ended_at is not None:
                raise Unknown(f"无此待续办业务 nothing of number {number} waits to be resumed")
            if pending.card.chip != presented.chip:
                raise Unknown(
                    f"读卡器中不是该业务的卡 number {number} is about card {pending.card.number}, not this one"
                )
            if presented.refused:
                presented.with_layout(pending.card.layout)
            case, operation = self._case_of(session, pending, presented, clerk)
            case.request = case.request.model_copy(update={"new": pin} if pin else {})
            for rule in operation.rules:
                if rule.id in roles.BY_RULE or (pin and rule in NEW_PIN):
                    rule.demand(case)
            return _job(pending), presented


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


@contextmanager
def _savepoint(session: Session) -> Iterator[None]:
    """Undoes what an operation wrote before it was refused, unless the refusal says that it stays."""
    nested = session.begin_nested()
    try:
        yield
    except Refusal as refusal:
        if refusal.keep:
            nested.commit()
        else:
            nested.rollback()
        raise
    except IntegrityError as error:
        nested.rollback()
        if not any(one in violated(error) for one in ONE_PERSON):
            raise
        raise _taken(error) from error
    except BaseException:
        nested.rollback()
        raise
    nested.commit()


def _taken(error: IntegrityError) -> Refusal:
    """The database's own word on one person, one card."""
    return Refusal(
        "ONE-CARD",
        Citation(8),
        "一人一卡：登记库不允许第二张卡或第二份在办申请",
        f"one person, one card: the register takes no second card or open application ({error.orig})",
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
