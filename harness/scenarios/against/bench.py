"""Our own office over HTTP, with what scenarios need besides its operations: an empty register, a clock, cards that are
put into its reader and torn out, banks, and a look at what is the case. For tests, on this machine alone.
"""

# No annotations as text here: FastAPI reads those of routes within functions, whose names it could not find again.
import contextlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from emulator.override import override
from harness.office import letter
from harness.office.desk import tokens
from harness.office.register import audit, queries
from harness.office.register.tables import Account, AccountRefusal, Bank, Card, Person
from harness.office.requests.models import Document
from harness.office.vocabulary import AccountState
from harness.readers.connection import Connection
from harness.scenarios import facts, outcome, values
from harness.scenarios.checking import PROFILES
from harness.scenarios.stage import BLANK, Drawn, Pocket, Stage
from harness.terminal.terminal import PinRefused, Refused, Terminal
from harness.verdicts.log import Log
from harness.web import app as web
from harness.web.branch import Branch
from harness.web.office import create

RATE = "1000000/minute"
BODY_LIMIT = 1024 * 1024
TITLE = "场景所需 what scenarios need"
DESCRIPTION = """清空登记库、调整时间、放卡拔卡、银行侧、查看状态。仅供测试。

An empty register, the time, cards in the reader, banks, and what is the case. For tests alone."""
EMPTY = "B0000000X"
"""What the blank chip is called in the drawer: a card's number by its form, and no card's."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reset(_Asked):
    """``profile``: as 3.00-3des; ``scenario``: what challenges are drawn from."""

    moment: datetime
    layout: str
    algorithm: str
    scenario: str


class Moment(_Asked):
    """When it is, in China's time."""

    moment: datetime


class Clerk(_Asked):
    """Who signs in."""

    clerk: str


class InReader(_Asked):
    """``tear``: after so many non-volatile writes of the next request the card is torn out."""

    card: str
    tear: Annotated[int | None, Field(ge=0)] = None


class Deed(_Asked):
    """What a bank does: one of it."""

    bank: str | None = None
    down: bool | None = None
    refuses: str | None = None
    accepts: str | None = None
    why: str = ""
    account: str | None = None
    state: AccountState | None = None


class Look(_Asked):
    """Whose, or which card's, state is asked for."""

    card: str | None = None
    document: Document | None = None
    items: tuple[str, ...] = ()


class Text(_Asked):
    """A text that is looked for in the register."""

    text: Annotated[str, Field(min_length=1)]


class Pin(_Asked):
    """A PIN that is entered at a terminal."""

    card: str
    pin: str


class Items(_Asked):
    """What another system writes on a card, by path."""

    card: str
    items: dict[str, str]


class Letter(_Asked):
    """The annex, with two people as applications have them."""

    principal: dict[str, Any]
    agent: dict[str, Any]
    relation: str
    operation: str
    reason: str
    signer: str


class BenchPocket(Pocket):
    """Cards by number, the blank chip by the name that the drawer knows it by; torn as it was said before."""

    def __init__(self, folder: Path, drawn: Drawn, log: Log) -> None:
        super().__init__(folder, drawn, log)
        self.tear: int | None = None
        self.stage: Stage | None = None

    @override
    def has(self, number: str) -> bool:
        return (BLANK if number == EMPTY else number) in self.chips

    @override
    @contextlib.contextmanager
    def inserted(self, number: str) -> Iterator[Connection]:
        named, tear = BLANK if number == EMPTY else number, self.tear
        self.tear = None
        with self.torn(named, tear) as connection:
            yield connection
        if named == BLANK and self.stage is not None:
            self._became(self.stage)

    def _became(self, stage: Stage) -> None:
        """The blank chip is the card that the register has and the pocket has not."""
        with stage.register.transaction() as session:
            made = {one.number for one in queries.every_card(session)} - set(self.chips)
        for number in made:
            stage.became(number)


class Bench:
    """The office that is served, its stage renewed by each reset."""

    def __init__(self) -> None:
        self._held = contextlib.ExitStack()
        self.stage = self._stage(datetime.fromisoformat("2025-03-03 09:00"), PROFILES[2], "bench")
        self.office = self.stage.office

    def _stage(self, moment: datetime, profile: str, name: str) -> Stage:
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="sscard-office-")))
        stage = self._held.enter_context(Stage(folder, moment, profile, name, BenchPocket))
        assert isinstance(stage.pocket, BenchPocket)
        stage.pocket.stage = stage
        return stage

    def reset(self, asked: Reset) -> None:
        """An empty register, no card, at that moment."""
        waited = self.office.register.waited
        self._held.close()
        self.stage = self._stage(asked.moment, f"{asked.layout}-{asked.algorithm}", asked.scenario)
        # The routes know the office that they were made with.
        self.office.register, self.office.services = self.stage.register, self.stage.services
        self.office.clock = self.stage.clock
        self.office.register.waited = waited
        self.stage.office = self.office

    def close(self) -> None:
        """Nothing of it is left."""
        self._held.close()


@contextlib.contextmanager
def served() -> Iterator[FastAPI]:
    """The service, with the bench's routes below /bench."""
    bench = Bench()
    try:
        app = create(bench.office, rate=RATE)
        own = web.create(TITLE, DESCRIPTION, rate=RATE, body_limit=BODY_LIMIT)
        own.include_router(_routes(bench))
        app.add_middleware(Branch, path="/bench", service=own)
        yield app
    finally:
        bench.close()


def _routes(bench: Bench) -> APIRouter:
    router = APIRouter()

    @router.post("/reset")
    def reset(asked: Reset) -> dict[str, bool]:
        bench.reset(asked)
        return {"done": True}

    @router.post("/clock")
    def clock(asked: Moment) -> dict[str, bool]:
        bench.stage.clock.set(asked.moment)
        return {"done": True}

    @router.post("/token")
    def token(asked: Clerk) -> dict[str, str]:
        with bench.stage.register.transaction() as session:
            return {"token": tokens.give(session, asked.clerk, bench.stage.clock.now(), tokens.LONGEST)}

    @router.post("/reader")
    def reader(asked: InReader) -> dict[str, str]:
        pocket = bench.stage.pocket
        assert isinstance(pocket, BenchPocket)
        pocket.tear = asked.tear
        if asked.card == BLANK:
            bench.stage.blank()
        return {"drawer": EMPTY if asked.card == BLANK else asked.card}

    @router.post("/bank")
    def bank(asked: Deed) -> dict[str, bool]:
        with bench.stage.register.transaction() as session:
            if asked.bank is not None:
                session.get_one(Bank, asked.bank).down = bool(asked.down)
            if asked.refuses is not None:
                session.add(AccountRefusal(document_number=asked.refuses, reason=asked.why))
            if asked.accepts is not None:
                session.delete(session.get_one(AccountRefusal, asked.accepts))
            if asked.account is not None and asked.state is not None:
                session.get_one(Account, asked.account).state = asked.state
        return {"done": True}

    @router.post("/look")
    def look(asked: Look) -> dict[str, Any]:
        return _look(bench.stage, asked)

    @router.post("/chips")
    def chips() -> dict[str, dict[str, str]]:
        told = {
            number: sha256(repr(sorted((str(key), repr(cell)) for key, cell in cells.items())).encode()).hexdigest()
            for number, cells in bench.stage.pocket.snapshot().items()
        }
        return {"cards": told}

    @router.post("/unwritten")
    def unwritten(asked: Text) -> dict[str, bool]:
        with bench.stage.register.transaction() as session:
            return {"found": next(outcome.written(session, (asked.text,)), None) is not None}

    @router.post("/seal")
    def seal() -> dict[str, int | None]:
        with bench.stage.register.transaction() as session:
            return {"broken": audit.broken(session)}

    @router.post("/pin")
    def pin(asked: Pin) -> dict[str, str]:
        with bench.stage.pocket.torn(asked.card, None) as connection:
            terminal = Terminal(connection)
            try:
                terminal.begin()
                terminal.verify_pin(asked.pin)
            except PinRefused as refused:
                return {"ending": "wrong" if refused.tries_left else "locked"}
            except Refused:
                return {"ending": "refused"}
        return {"ending": "right"}

    @router.post("/write")
    def write(asked: Items) -> dict[str, bool]:
        with bench.stage.pocket.torn(asked.card, None) as connection:
            terminal = Terminal(connection)
            terminal.begin()
            for path, value in asked.items.items():
                terminal.update(path, value)
        return {"done": True}

    @router.post("/letter")
    def annex(asked: Letter) -> dict[str, Any]:
        principal, agent = (
            letter.Party(one["name"], one["document"]["type"], one["document"]["number"], one["phone"])
            for one in (asked.principal, asked.agent)
        )
        try:
            page = letter.html(
                letter.Letter(
                    principal, agent, day=bench.stage.clock.today(), relation=asked.relation,
                    operation=asked.operation, reason=asked.reason, signer=asked.signer,
                )
            )  # fmt: skip
        except letter.LetterError:
            return {"ending": "refused"}
        return {"ending": "done", "pages": page.count("<body")}

    return router


def _look(stage: Stage, asked: Look) -> dict[str, Any]:
    with stage.register.transaction() as session:
        person = None
        if asked.document is not None:
            person = queries.person(session, asked.document.type, asked.document.number)
        card = _card(session, asked.card, person)
        person = person or (card.person if card is not None else None)
        register = facts.of_card(session, card, stage.services, stage.clock.now()) if card is not None else None
        number = card.number if card is not None else ""
        told = {
            "register": values.plain(register) if register is not None else None,
            "person": values.plain(facts.of_person(session, person)),
            "lines": [values.plain(facts.of_line(one)) for one in queries.trail_about(session, person, card)],
            "outlets": values.plain(facts.of_outlets(session)),
        }
    chip = stage.pocket.chips.get(number)
    return {**told, "chip": values.plain(facts.of_chip(chip.image, asked.items)) if chip is not None else None}


def _card(session: Any, number: str | None, person: Person | None) -> Card | None:
    if number is not None:
        return queries.card(session, number)
    return queries.card_of(session, person) if person is not None else None
