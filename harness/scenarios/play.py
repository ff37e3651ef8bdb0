"""Plays a scenario's steps on a stage, and holds what came of each against what the scenario says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
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
from harness.office.requests.models import Apply
from harness.office.vocabulary import AccountState
from harness.readers.connection import Connection
from harness.scenarios import asking, models, people, values
from harness.scenarios.checking import action
from harness.scenarios.model import Scenario
from harness.scenarios.stage import BLANK, Stage
from harness.terminal.terminal import PinRefused, Refused, Terminal

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
OTHERWISE = {"enter_pin": "right"}
"""How a step must end that does not say; else done."""


@dataclass(slots=True)
class Ended:
    """How a step ended. ``card``: the number of the card that it was about, empty where it was about none."""

    outcome: str = "done"
    told: dict[str, Any] = field(default_factory=dict)
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

    def step(self, step: Mapping[str, Any]) -> Ended:
        """Does one step, however it ends. LookupError for a reference to what an earlier step did not tell."""
        what = action(step)
        perform: Callable[[Mapping[str, Any]], Ended] = getattr(self, f"_{what}")
        try:
            ended = perform(step)
        except Refusal as refusal:
            ended = Ended("refused", rule=refusal.rule, citation=refusal.citation, why=str(refusal))
            ended.formerly = refusal.formerly
        except HalfWay as half:
            ended = Ended("half-way", {"pending": half.pending}, why=str(half))
        except Failed as failed:
            ended = Ended("failed", why=str(failed))
        except Unknown as unknown:
            ended = Ended("unknown", why=str(unknown))
        ended.card = ended.card or str(ended.told.get("card", "")) or self._number(step)
        if "step" in step:
            self.names[step["step"]] = ended.told
        return ended

    def _filled(self, value: Any) -> Any:
        return values.resolve(value, self.names)

    def _number(self, step: Mapping[str, Any]) -> str:
        """The card in the reader, or the one that the request names."""
        card = step.get("card", step.get("with", {}).get("card", ""))
        return "" if card in ("", BLANK) else str(self._filled(card))

    @contextlib.contextmanager
    def _reader(self, step: Mapping[str, Any]) -> Iterator[Connection | None]:
        """The card of a step in the reader, if it has one."""
        if "card" not in step:
            yield None
            return
        number = self.stage.blank() if step["card"] == BLANK else self._number(step)
        with self.stage.pocket.torn(number, step.get("tear", {}).get("after")) as connection:
            yield connection

    # --- the office --------------------------------------------------------------------------------------------------

    def request(self, step: Mapping[str, Any]) -> Any:
        """The request that a step makes."""
        return asking.request(step, self.people, self.stage.profile, self._filled)

    def _do(self, step: Mapping[str, Any]) -> Ended:
        with self._reader(step) as connection:
            done = self.stage.office.perform(self.request(step), step.get("by", seed.MAKER), connection)
        return self._done(step, done)

    def _instant(self, step: Mapping[str, Any]) -> Ended:
        request, said = self.request(step), []
        assert isinstance(request, Apply)
        layout, algorithm = self.stage.profile
        with self._reader(step) as connection:
            done = instant.issue(
                self.stage.office, request, step.get("by", seed.MAKER), connection, layout=layout, algorithm=algorithm,
                with_account=step.get("with", {}).get("with_account", False),
                say=lambda one: said.append(one.operation),
            )  # fmt: skip
        ended = self._done(step, done)
        ended.told["operations"] = said
        return ended

    def _done(self, step: Mapping[str, Any], done: Done) -> Ended:
        if step.get("card") == BLANK and done.card:
            self.stage.became(done.card)
        told = {**done.as_table(), **done.data}
        return Ended("done", told, tuple(one.citation for one in done.notices), card=done.card)

    def _resume(self, step: Mapping[str, Any]) -> Ended:
        pin = step.get("with", {}).get("pin")
        with self._reader(step) as connection:
            assert connection is not None, "the schema's check asks for a card"
            done = self.stage.office.resume(
                self._filled(step["resume"]), connection, SecretStr(pin) if pin is not None else None
            )
        return self._done(step, done)

    def _abandon(self, step: Mapping[str, Any]) -> Ended:
        with self._reader(step) as connection:
            assert connection is not None, "the schema's check asks for a card"
            self.stage.office.abandon(self._filled(step["abandon"]), connection)
        return Ended()

    def _letter(self, step: Mapping[str, Any]) -> Ended:
        told = models.letter(step["letter"])
        principal, agent = (_party(self.people[name]) for name in (told.principal, told.agent))
        try:
            page = letter.html(
                letter.Letter(
                    principal,
                    agent,
                    day=self.stage.clock.today(),
                    relation=told.relation,
                    operation=told.operation,
                    reason=told.reason,
                    signer=told.signer,
                )
            )
        except letter.LetterError as error:
            return Ended("refused", citation=Citation(32, 2), why=str(error))
        return Ended(told={"pages": page.count("<body")})

    # --- what happens besides ----------------------------------------------------------------------------------------

    def _clock(self, step: Mapping[str, Any]) -> Ended:
        number, _, unit = step["clock"].partition(" ")
        unit = unit.removesuffix("s")
        clock = self.stage.clock
        if unit == "workday":
            now = clock.now()
            day = self.stage.services.workdays.add(now.date(), int(number))
            clock.set(datetime.combine(day, time(now.hour, now.minute, now.second), CHINA))
        else:
            clock.step(timedelta(seconds=int(number) * UNITS[unit]))
        return Ended(told={"now": f"{clock.now():%Y-%m-%d %H:%M}"})

    def _at(self, step: Mapping[str, Any]) -> Ended:
        self.stage.clock.set(datetime.fromisoformat(step["at"]))
        return Ended()

    def _bank(self, step: Mapping[str, Any]) -> Ended:
        with self.stage.register.transaction() as session:
            match models.bank(step["bank"]):
                case models.Down(code=code, down=down):
                    session.get_one(Bank, code).down = down
                case models.Refuses(refuses=name, why=why):
                    number = self.people[name]["document"]["number"]
                    session.add(AccountRefusal(document_number=number, reason=why))
                case models.Accepts(accepts=name):
                    number = self.people[name]["document"]["number"]
                    session.delete(session.get_one(AccountRefusal, number))
                case models.Sets(account=account, state=state):
                    session.get_one(Account, self._filled(account)).state = AccountState(state)
        return Ended()

    def _enter_pin(self, step: Mapping[str, Any]) -> Ended:
        with self._reader(step) as connection:
            assert connection is not None, "the schema's check asks for a card"
            terminal = Terminal(connection)
            try:
                terminal.begin()
                terminal.verify_pin(step["enter_pin"])
            except PinRefused as refused:
                return Ended("wrong" if refused.tries_left else "locked", why=str(refused))
            except Refused as refused:
                return Ended("refused", why=str(refused))
        return Ended("right")

    def _write(self, step: Mapping[str, Any]) -> Ended:
        with self._reader(step) as connection:
            assert connection is not None, "the schema's check asks for a card"
            terminal = Terminal(connection)
            terminal.begin()
            for path, value in step["write"].items():
                terminal.update(path, value)
        return Ended()

    def _look(self, step: Mapping[str, Any]) -> Ended:
        del step
        return Ended()


def _party(person: Mapping[str, Any]) -> letter.Party:
    document = person["document"]
    return letter.Party(person["name"], str(document["type"]), document["number"], person["phone"])
