"""Plays a scenario's steps on a stage, and holds what came of each against what the scenario says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from pydantic import SecretStr

from harness.clock import CHINA
from harness.office import letter
from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.desk import instant
from harness.office.desk.office import Done, HalfWay
from harness.office.measures.articles import Citation
from harness.office.register import seed
from harness.office.register.queries import Unknown
from harness.office.register.tables import Account, AccountRefusal, Bank
from harness.office.requests.models import Apply, Personal, Request
from harness.readers.connection import Connection
from harness.scenarios import asking, people, values
from harness.scenarios.model import Scenario
from harness.scenarios.models import (
    Abandon,
    Accepts,
    At,
    AtBank,
    Blank,
    Clock,
    Do,
    Down,
    Ending,
    EnterPin,
    Instant,
    Later,
    Letter,
    Look,
    Refuses,
    Resume,
    Sets,
    Step,
    Unit,
    Write,
)
from harness.scenarios.models import Bank as BankDeed
from harness.scenarios.references import Reference
from harness.scenarios.stage import Stage
from harness.terminal.terminal import PinRefused, Refused, Terminal


@dataclass(slots=True)
class Ended:
    """How a step ended. ``answer``: what it told, by name; ``card``: the number of the card that it was about, empty
    where it was about none.
    """

    ending: Ending = Ending.DONE
    answer: dict[str, Any] = field(default_factory=dict)
    notices: tuple[Citation, ...] = ()
    rule: str = ""
    formerly: str = ""
    """The id that the rule had while it shared one with another."""
    citation: Citation | None = None
    why: str = ""
    card: str = ""


class Play:
    """One scenario on one stage. ``names``: people, and what named steps told."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        self.scenario, self.stage = scenario, stage
        self.people = people.tables(scenario.people, stage.profile[0])
        self.names: dict[str, Any] = dict(self.people)
        self._personal = {name: Personal.model_validate(table) for name, table in self.people.items()}

    def holder(self, name: str) -> Personal:
        """What is collected of one of the scenario's people."""
        return self._personal[name]

    def step(self, step: Step) -> Ended:
        """Does one step, however it ends. LookupError for a reference to what an earlier step did not tell."""
        try:
            ended = self._perform(step)
        except Refusal as refusal:
            ended = Ended(Ending.REFUSED, rule=refusal.rule, citation=refusal.citation, why=str(refusal))
            ended.formerly = refusal.formerly
        except HalfWay as half:
            ended = Ended(Ending.HALF_WAY, {"pending": half.pending}, why=str(half))
        except Failed as failed:
            ended = Ended(Ending.FAILED, why=str(failed))
        except Unknown as unknown:
            ended = Ended(Ending.UNKNOWN, why=str(unknown))
        ended.card = ended.card or str(ended.answer.get("card", "")) or self._number(step)
        if step.name:
            self.names[step.name] = ended.answer
        return ended

    def _perform(self, step: Step) -> Ended:
        match step.does:
            case Do():
                return self._do(step)
            case Instant():
                return self._instant(step)
            case Resume(job):
                return self._resume(step, job)
            case Abandon(job):
                return self._abandon(step, job)
            case Letter():
                return self._letter(step.does)
            case Clock(later):
                return self._clock(later)
            case At():
                self.stage.clock.set(step.does.moment)
                return Ended()
            case AtBank(deed):
                return self._bank(deed)
            case EnterPin(pin):
                return self._enter_pin(step, pin)
            case Write(items):
                return self._write(step, items)
            case Look():
                return Ended()

    def _filled(self, value: Any) -> Any:
        return values.resolve(value, self.names)

    def _referred(self, reference: Reference) -> Any:
        return values.referred(reference, self.names)

    def card_name(self, step: Step) -> str:
        """The card in the reader: its number, or the name of a blank chip, which is put there; empty without one."""
        return self.stage.blank() if step.around.card is Blank.BLANK else self._number(step)

    def _number(self, step: Step) -> str:
        """The card in the reader, or the one that the request names; empty for a blank chip and without one."""
        card = step.around.card
        if isinstance(card, Blank):
            return ""
        return str(self._referred(card) if card is not None else self._filled(step.request_fields.get("card", "")))

    @contextlib.contextmanager
    def _reader(self, step: Step) -> Iterator[Connection | None]:
        """The card of a step in the reader, if it has one."""
        if step.around.card is None:
            yield None
            return
        after = step.around.tear.after if step.around.tear is not None else None
        with self.stage.pocket.torn(self.card_name(step), after) as connection:
            yield connection

    @contextlib.contextmanager
    def _card(self, step: Step) -> Iterator[Connection]:
        """The card of a step that cannot be without one."""
        with self._reader(step) as connection:
            assert connection is not None, "the check of scenarios asks for a card"
            yield connection

    # --- the office --------------------------------------------------------------------------------------------------

    def request(self, step: Step) -> Request:
        """The request that a step makes."""
        return asking.request(step, self.people, self.stage.profile, self._filled)

    def _do(self, step: Step) -> Ended:
        with self._reader(step) as connection:
            done = self.stage.office.perform(self.request(step), _clerk(step), connection)
        return self._answered(step, done)

    def _instant(self, step: Step) -> Ended:
        request, operations = self.request(step), []
        assert isinstance(request, Apply)
        layout, algorithm = self.stage.profile
        with self._reader(step) as connection:
            done = instant.issue(
                self.stage.office, request, _clerk(step), connection, layout=layout, algorithm=algorithm,
                with_account=step.request_fields.get(asking.WITH_ACCOUNT, False),
                say=lambda one: operations.append(one.operation),
            )  # fmt: skip
        ended = self._answered(step, done)
        ended.answer["operations"] = operations
        return ended

    def _answered(self, step: Step, done: Done) -> Ended:
        if step.around.card is Blank.BLANK and done.card:
            self.stage.became(done.card)
        answer = {**done.as_table(), **done.data}
        return Ended(Ending.DONE, answer, tuple(one.citation for one in done.notices), card=done.card)

    def _resume(self, step: Step, job: Reference) -> Ended:
        pin = step.request_fields.get("pin")
        with self._card(step) as connection:
            done = self.stage.office.resume(
                self._referred(job), connection, SecretStr(pin) if pin is not None else None
            )
        return self._answered(step, done)

    def _abandon(self, step: Step, job: Reference) -> Ended:
        with self._card(step) as connection:
            self.stage.office.abandon(self._referred(job), connection)
        return Ended()

    def _letter(self, form: Letter) -> Ended:
        principal, agent = (_party(self.holder(name)) for name in (form.principal, form.agent))
        try:
            page = letter.html(
                letter.Letter(
                    principal,
                    agent,
                    day=self.stage.clock.today(),
                    relation=form.relation,
                    operation=form.operation,
                    reason=form.reason,
                    signer=form.signer,
                )
            )
        except letter.LetterError as error:
            return Ended(Ending.REFUSED, citation=Citation(32, 2), why=str(error))
        return Ended(answer={"pages": page.count("<body")})

    # --- what happens besides ----------------------------------------------------------------------------------------

    def _clock(self, later: Later) -> Ended:
        clock = self.stage.clock
        if later.unit is Unit.WORKDAY:
            now = clock.now()
            day = self.stage.services.workdays.add(now.date(), later.number)
            clock.set(datetime.combine(day, time(now.hour, now.minute, now.second), CHINA))
        else:
            clock.step(later.span)
        return Ended(answer={"now": f"{clock.now():%Y-%m-%d %H:%M}"})

    def _bank(self, deed: BankDeed) -> Ended:
        with self.stage.register.transaction() as session:
            match deed:
                case Down(code=code, down=down):
                    session.get_one(Bank, code).down = down
                case Refuses(refuses=name, why=why):
                    number = self.holder(name).document.number
                    session.add(AccountRefusal(document_number=number, reason=why))
                case Accepts(accepts=name):
                    session.delete(session.get_one(AccountRefusal, self.holder(name).document.number))
                case Sets(account=account, state=state):
                    session.get_one(Account, self._referred(account)).state = state
        return Ended()

    def _enter_pin(self, step: Step, pin: str) -> Ended:
        with self._card(step) as connection:
            terminal = Terminal(connection)
            try:
                terminal.begin()
                terminal.verify_pin(pin)
            except PinRefused as refused:
                return Ended(Ending.WRONG if refused.tries_left else Ending.LOCKED, why=str(refused))
            except Refused as refused:
                return Ended(Ending.REFUSED, why=str(refused))
        return Ended(Ending.RIGHT)

    def _write(self, step: Step, items: Mapping[str, str]) -> Ended:
        with self._card(step) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            for path, value in items.items():
                terminal.update(path, value)
        return Ended()


def _clerk(step: Step) -> str:
    return step.around.by or seed.MAKER


def _party(person: Personal) -> letter.Party:
    document = person.document
    return letter.Party(person.name, str(document.type), document.number, person.phone)
