"""A scenario's steps done by an office over HTTP: what is sent for each, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any

from pydantic import BaseModel, SecretStr

from emulator.messages import _
from harness.office.measures.articles import Citation
from harness.office.measures.workdays import Workdays
from harness.office.register import seed
from harness.scenarios import asking, people, values
from harness.scenarios.against import client, naming
from harness.scenarios.against.client import Answer, Client
from harness.scenarios.against.lacking import Lacking, OfficeFault
from harness.scenarios.against.models import AdapterDocument, Ask
from harness.scenarios.model import Scenario
from harness.scenarios.models import (
    START,
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
from harness.scenarios.play import Ended

INSTANT, RESUME, ABANDON, LETTER, ENTER_PIN, WRITE = "instant", "resume", "abandon", "letter", "enter-pin", "write"
BANK = ("bank-line", "bank-refuses", "bank-accepts", "bank-account")
MORE = (INSTANT, RESUME, ABANDON, LETTER, ENTER_PIN, WRITE, *BANK)
"""What scenarios do besides the operations of the office, by the names that adapters call it."""
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ENDINGS = (
    (Ending.DONE, "done"), (Ending.HALF_WAY, "half_way"), (Ending.REFUSED, "refused"), (Ending.FAILED, "failed"),
    (Ending.UNKNOWN, "unknown"),
)  # fmt: skip
"""By which expression of ``answers`` an ending is known, in the order in which they are asked."""


class Remote:
    """One scenario at one office. ``names``: people, and what named steps told; ``answer``: the last step's."""

    def __init__(self, scenario: Scenario, profile: str, adapter: AdapterDocument, link: Client) -> None:
        layout, __, algorithm = profile.partition("-")
        self.scenario, self.adapter, self.link = scenario, adapter, link
        self.profile = (layout, algorithm)
        self.people = people.tables(scenario.people, layout)
        self.names: dict[str, Any] = dict(self.people)
        self.now = scenario.start
        self.answer: Answer | None = None
        self.route = ""
        self.omitted: list[str] = []
        """Fields of the last step's request that the office was not told."""
        self._words = adapter.words or {}
        self._workdays = Workdays()

    # --- before anything ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """An empty register, at the scenario's moment. Lacking, OfficeFault."""
        if self.adapter.reset is None:
            raise Lacking(
                "reset", _("the adapter has no reset: an office that knows these people already cannot be judged")
            )
        self._well(self.adapter.reset, self._setting())
        if self.adapter.clock is not None:
            self._set_clock()
        elif self.scenario.start != datetime.fromisoformat(START) or any(map(_dated, self.scenario.steps)):
            raise Lacking("clock", _("the adapter has no clock, and the scenario depends on days"))

    def _setting(self) -> dict[str, Any]:
        layout, algorithm = self.profile
        return {
            "moment": self.now.isoformat(timespec="seconds"), "layout": layout, "algorithm": algorithm,
            "scenario": self.scenario.id,
        }  # fmt: skip

    def _set_clock(self) -> None:
        if self.adapter.clock is None:
            raise Lacking("clock", _("the adapter has no clock"))
        self._well(self.adapter.clock, self._setting())
        self.link.forget()

    def _well(self, ask: Ask, names: Mapping[str, Any], clerk: str = "") -> Answer:
        """A request of the harness's own, which must be done. OfficeFault."""
        answer = self.link.ask(ask, names, clerk)
        if not client.holds(client.answers(self.adapter, ask).done, answer):
            raise OfficeFault(
                _("{route}: not done (HTTP {status}{unread})").format(
                    route=client.route(ask), status=answer.status, unread=answer.unread
                )
            )
        return answer

    def query(self, name: str, names: Mapping[str, Any]) -> dict[str, Any]:
        """What a query of the adapter gives, by our names. Lacking where there is none; OfficeFault."""
        ask: Ask | None = getattr(self.adapter.queries, name, None)
        if ask is None:
            raise Lacking(name, _("the adapter has no query {name}").format(name=name))
        return client.given(ask, self._well(ask, {**self._setting(), **names}, self.clerk(None)), self._words)

    # --- steps -------------------------------------------------------------------------------------------------------

    def step(self, step: Step) -> Ended:
        """Does one step, however it ends. Lacking, OfficeFault, LookupError."""
        self.answer, self.route, self.omitted = None, "", []
        ended = self._performed(step)
        ended.card = ended.card or str(ended.answer.get("card") or "") or self.number(step)
        if step.name:
            self.names[step.name] = ended.answer
        return ended

    def _performed(self, step: Step) -> Ended:
        does = step.does
        match does:
            case Look():
                return Ended()
            case Clock() | At():
                self.now = self._moved(does)
                self._set_clock()
                return Ended(answer={"now": f"{self.now:%Y-%m-%d %H:%M}"})
            case AtBank(deed):
                return self._asked(step, *self._bank(deed))
            case Do(operation):
                return self._asked(step, operation, {"request": self._request(step)})
            case Instant():
                whole = step.request_fields.get(asking.WITH_ACCOUNT, False)
                return self._asked(step, INSTANT, {"request": self._request(step), asking.WITH_ACCOUNT: whole})
            case Resume(job) | Abandon(job):
                pending = values.referred(job, self.names)
                names = {"pending": pending, "pin": step.request_fields.get("pin")}
                return self._asked(step, RESUME if isinstance(does, Resume) else ABANDON, names)
            case Letter():
                parties = {"principal": self.people[does.principal], "agent": self.people[does.agent]}
                fields = {name: getattr(does, name) for name in ("relation", "operation", "reason", "signer")}
                return self._asked(step, LETTER, {"letter": parties | fields})
            case EnterPin(pin):
                return self._asked(step, ENTER_PIN, {"pin": pin})
            case Write(items):
                return self._asked(step, WRITE, {"items": values.resolve(dict(items), self.names)})

    def _moved(self, does: Clock | At) -> datetime:
        if isinstance(does, At):
            return does.moment
        later = does.later
        if later.unit is Unit.WORKDAY:
            day = self._workdays.add(self.now.date(), later.number)
            return datetime.combine(day, time(self.now.hour, self.now.minute, self.now.second), self.now.tzinfo)
        return self.now + later.span

    def _bank(self, deed: BankDeed) -> tuple[str, dict[str, Any]]:
        match deed:
            case Down(code=code, down=down):
                return BANK[0], {"bank": code, "down": down}
            case Refuses(refuses=name, why=why):
                return BANK[1], {"person": self.people[name], "why": why}
            case Accepts(accepts=name):
                return BANK[2], {"person": self.people[name]}
            case Sets(account=account, state=state):
                return BANK[3], {"account": values.referred(account, self.names), "state": str(state)}

    def _request(self, step: Step) -> dict[str, Any]:
        """What the step says of its request, as JSON has it, secrets as they are: they are what is sent."""
        made = asking.request(step, self.people, self.profile, lambda value: values.resolve(value, self.names))
        told = _revealed(made)
        assert isinstance(told, dict)
        return told

    def number(self, step: Step) -> str:
        """The card in the reader, or the one that the request names; empty for a blank chip and without one."""
        card = step.around.card
        if isinstance(card, Blank):
            return ""
        named = card if card is not None else step.request_fields.get("card", "")
        return str(values.referred(card, self.names) if card is not None else values.resolve(named, self.names))

    def clerk(self, by: str | None) -> str:
        """How the office calls a clerk of ours. Lacking where the adapter names others and not this one."""
        ours = by or seed.MAKER
        if self.adapter.clerks is None:
            return ours
        if ours not in self.adapter.clerks:
            raise Lacking(f"clerk.{ours}", _("the adapter's clerks do not have {name}").format(name=ours))
        return self.adapter.clerks[ours]

    def _asked(self, step: Step, name: str, names: Mapping[str, Any]) -> Ended:
        ask = self.adapter.operations.get(name)
        if ask is None:
            raise Lacking(f"operation.{name}", _("the adapter does not have the operation {name}").format(name=name))
        self.route = client.route(ask)
        clerk = self.clerk(step.around.by)
        known = {**self._setting(), **names, **self._reader(step, ask, clerk)}
        if step.around.for_ is not None:
            known.setdefault("person", self.people[step.around.for_])
        if "request" in names:
            self.omitted = self._omitted(ask, names["request"], known["put_in"])
        self.answer = self.link.ask(ask, known, clerk)
        return self._ended(ask, self.answer)

    def _reader(self, step: Step, ask: Ask, clerk: str) -> dict[str, Any]:
        """The card in the reader, for templates: ``in_reader``, ``tear``, and what the adapter's reader gave."""
        card, tear = step.around.card, step.around.tear
        if card is None:
            return {"in_reader": None, "reader": {}, "put_in": False}
        in_reader = str(card) if isinstance(card, Blank) else self.number(step)
        names = {"in_reader": in_reader, "tear": tear.after if tear is not None else None}
        used = {one.name for one in naming.places(client.parts(ask))}
        told: dict[str, Any] = {}
        if self.adapter.reader is not None:
            used |= {one.name for one in naming.places(client.parts(self.adapter.reader))}
            answer = self._well(self.adapter.reader, {**self._setting(), **names}, clerk)
            told = client.given(self.adapter.reader, answer, self._words)
        if "in_reader" not in used:
            raise Lacking("reader", _("a card is in the reader, which the adapter tells the office nowhere"))
        if tear is not None and "tear" not in used:
            raise Lacking("tear", _("the card is torn out, which the adapter has no way to do"))
        return {**names, "reader": told, "put_in": True}

    def _omitted(self, ask: Ask, request: Mapping[str, Any], put_in: bool) -> list[str]:
        """Fields of the request that the office is not told. Lacking for one that the adapter says nothing of."""
        used = {one.name for one in naming.places(client.parts(ask))}
        if "request" in used:
            return []
        sent = {one.removeprefix("request.") for one in used if one.startswith("request.")}
        told_of = {**(ask.omits or {})}
        left = [one for one in _fields(request) if not _is_sent(one, sent)]
        unsaid = [one for one in left if one not in told_of and one.partition(".")[0] not in told_of]
        if put_in:  # whose card it is, the card tells
            unsaid = [one for one in unsaid if one.partition(".")[0] != "card"]
        if unsaid:
            raise Lacking(
                f"request.{unsaid[0]}",
                _("the adapter sends no {fields}, and does not say why (omits)").format(fields=", ".join(unsaid)),
            )
        return left

    def _ended(self, ask: Ask, answer: Answer) -> Ended:
        how = client.answers(self.adapter, ask)
        ending: Ending | None = None
        if how.ending is not None:
            named = client.one(how.ending, answer, self._words)
            ending = Ending(named) if named in [str(one) for one in Ending] else None
        if ending is None:
            ending = next((one for one, name in ENDINGS if client.holds(getattr(how, name), answer)), None)
        if ending is None:
            raise OfficeFault(
                _("{route}: HTTP {status}, an answer that the adapter does not know{unread}").format(
                    route=client.route(ask), status=answer.status, unread=answer.unread
                )
            )
        ended = Ended(ending)
        if how.why is not None:
            ended.why = str(client.value(how.why, answer) or "")
        if ending is Ending.REFUSED:
            ended.rule = str(client.value(how.code, answer) or "") if how.code is not None else ""
            return ended
        ended.answer = client.given(ask, answer, self._words)
        if how.notices is not None:
            ended.notices = tuple(Citation(int(one)) for one in client.value(how.notices, answer) or ())
        return ended


def _revealed(value: Any) -> Any:
    """A request as plain data: what is not said is not there, secrets are told."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        kept = {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
        dumped = value.model_dump(mode="json", exclude_unset=True)
        return {name: _revealed(one) if _is_deep(one) else dumped[name] for name, one in kept.items()}
    if isinstance(value, tuple | list):
        return [_revealed(one) if _is_deep(one) else str(one) for one in value]
    return value


def _is_deep(value: Any) -> bool:
    return isinstance(value, SecretStr | BaseModel) or (
        isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value)
    )


def _fields(request: Mapping[str, Any]) -> Iterator[str]:
    """What a request says, by names of up to two steps."""
    for name, value in request.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner, one in value.items() if one is not None)
        else:
            yield name


def _is_sent(name: str, sent: set[str]) -> bool:
    return any(
        one == name or one.startswith(f"{name}.") or name.startswith(f"{one}.") for one in sent
    )  # fmt: skip


def _dated(step: Step) -> bool:
    """Whether a step moves the clock, or expects a day."""
    told = values.plain([*(step.looks), step.around.told or {}])
    return isinstance(step.does, Clock | At) or MOMENT.search(repr(told)) is not None
