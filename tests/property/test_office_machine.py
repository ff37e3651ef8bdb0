"""Random mornings at the office: any clerk, any operation, on a few people and their virtual cards, with power cuts,
programs that end, and days that pass. Whatever comes: one usable card per person, register and chip agree or a note
makes them agree, the trail's seal holds, no PIN is in the file, and nothing but the declared errors is raised.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import SecretStr
from sqlalchemy import select

from emulator.chip import Chip
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.image import Image
from harness.office.cards.in_reader import CardInReader
from harness.office.cards.jobs import TurnOn
from harness.office.cards.store import CardStore
from harness.office.case.bank import BankDown
from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.desk.office import HalfWay, Office
from harness.office.register import audit, seed
from harness.office.register.queries import Unknown
from harness.office.register.tables import Bank, Card, Person
from harness.office.requests import models as requests
from harness.office.requests.models import Document
from harness.office.vocabulary import DocumentType, Incapacity, Life, Loss, Relation
from harness.readers.connection import Connection
from harness.terminal import region as regions
from tests.kit.offices import PHOTO, Desk, Torn, agent, ask, child, citizen, moving
from tests.kit.sampled import DEEP

DECLARED = (Refusal, Unknown, Failed, HalfWay, BankDown)
PINS = ("864209753", "864209754", "864209755")
"""None of them is part of any number that the register holds."""
PEOPLE = (citizen(11), citizen(14, date(1950, 1, 2), name="测试老"), child(21, date(2007, 3, 20), photo=PHOTO))
"""An adult, an old person, and one who comes of age in March 2025."""
CLERKS = (seed.MAKER, seed.MAKER, seed.MAKER, seed.OFFICER, seed.OFFICER, seed.COUNTER, seed.BANKER)
HOMES = st.sampled_from(["新地址一", "新地址二"])
COUNTER = ("report-loss", "temporary", "reissue", "replace", "cancel", "query", "export")
OFFICER = ("freeze", "unfreeze", "reconcile", "tell-banks", "close", "line", "erase")
REGIONS = ("510100", "510700", "440100")
PAPERS = tuple(Document(type=one) for one in (DocumentType.WRITTEN_REQUEST, DocumentType.DEATH))

person = st.integers(0, len(PEOPLE) - 1)
clerks = st.sampled_from(CLERKS)
cut = st.none() | st.integers(0, 40)


class Ended(BaseException):
    """The program ends here, at once."""


class TornOrEnded(Torn):
    """A card torn out after so many writes; where the program ends with it, nobody catches that."""

    def __init__(self, image: Image, after: int | None, *, ends: bool) -> None:
        super().__init__(Chip(image), after)
        self._ends = ends

    def seen(self) -> BaseException:
        return Ended() if self._ends else super().seen()

    def close(self) -> None:
        super().close()
        self.chip.image.memory.nvm.cut_after = None


class Torned(CardStore):
    """The drawer, whose reader loses power when it is told to."""

    after: int | None = None
    ends = False

    @contextlib.contextmanager
    def inserted(self, number: str) -> Iterator[Connection]:
        if not self.path(number).exists():
            raise LookupError(number)
        with images.held(self.path(number), durable=False) as image:
            connection = TornOrEnded(image, self.after, ends=self.ends)
            try:
                yield connection
            finally:
                connection.close()
                if connection.out:
                    Chip(image).power_on()  # what was cut ends when power comes back


class Mornings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sscard-office-"))
        self.desk = Desk(self.folder)
        self.drawer = Torned(self.folder / "drawer", durable=False)
        self.desk.services.card_store = self.drawer

    def teardown(self) -> None:
        self.settled()
        self.desk.register.close()
        shutil.rmtree(self.folder)

    # --- what clerks do ---

    def do(
        self, request: requests.Request, clerk: str, card: str = "", after: int | None = None, ends: bool = False
    ) -> None:
        """However it ends, as long as it is one of the declared ways."""
        with contextlib.suppress(*DECLARED, Ended):
            if card:
                with self.reader(card, after, ends=ends) as connection:
                    self.desk.office.perform(request, clerk, connection)
            else:
                self.desk.office.perform(request, clerk)

    @contextlib.contextmanager
    def reader(self, number: str, after: int | None = None, *, ends: bool = False) -> Iterator[Connection]:
        self.drawer.after, self.drawer.ends = after, ends
        try:
            with self.drawer.inserted(number) as connection:
                yield connection
        except Ended:
            self.office_anew()
            raise
        finally:
            self.drawer.after, self.drawer.ends = None, False

    def office_anew(self) -> None:
        self.desk.office = Office(self.desk.register, self.desk.services, self.desk.clock)

    def cards(self, *lives: Life) -> list[Card]:
        with self.desk.register.transaction() as session:
            rows = session.scalars(select(Card).order_by(Card.id))
            return [one for one in rows if (not lives or one.life in lives) and self.drawer.path(one.number).exists()]

    def number(self, data: st.DataObject) -> str:
        """Any card of the drawer, also an old one."""
        return str(data.draw(st.sampled_from([one.number for one in self.cards()])))

    def who(self, at: int) -> dict[str, Any]:
        """One of the people, as they come to the counter."""
        return {"holder": PEOPLE[at].document, "shown": (PEOPLE[at].document, *PAPERS)}

    @initialize(at=person)
    def begins(self, at: int) -> None:
        self.desk.active(PEOPLE[at])

    @rule(at=person, clerk=clerks)
    def applies(self, at: int, clerk: str) -> None:
        told = {"person": PEOPLE[at], "bank": seed.BANK, "electronic_pin": PINS[0]}
        self.do(ask(requests.Apply, **told, shown=(PEOPLE[at].document,)), clerk)

    @rule(number=st.integers(1, 8), clerk=clerks)
    def makes(self, number: int, clerk: str) -> None:
        self.do(ask(requests.Make, application=number), clerk)

    @rule(number=st.integers(1, 8), clerk=clerks, at=person, dead=st.booleans())
    def hands_out(self, number: int, clerk: str, at: int, *, dead: bool) -> None:
        comes = agent(Incapacity.DEAD, Relation.CHILD) if dead else None
        self.do(ask(requests.HandOut, application=number, shown=self.who(at)["shown"], agent=comes), clerk)

    @rule(number=st.integers(1, 8), kind=st.sampled_from(["fails", "died-meanwhile", "undelivered-twice", "extend"]))
    def is_not_handed_out(self, number: int, kind: str) -> None:
        if kind == "fails":
            self.do(ask(requests.DeliveryFailed, application=number), seed.MAKER)
        elif kind == "extend":
            self.do(ask(requests.Extend, application=number, days=20, reason="traffic"), seed.MAKER)
        else:
            self.do(ask(requests.Dispose, application=number, reason=kind), seed.OFFICER)

    @precondition(lambda self: self.cards())
    @rule(data=st.data(), clerk=clerks, after=cut, ends=st.booleans(), what=st.integers(0, 8), at=person)
    def works_on_a_card(
        self, data: st.DataObject, clerk: str, after: int | None, *, ends: bool, what: int, at: int
    ) -> None:
        who = self.who(at)
        shown = {"shown": who["shown"]}
        kinds: tuple[Callable[[], requests.Request], ...] = (
            lambda: ask(requests.Activate, **shown, with_account=data.draw(st.booleans())),
            lambda: ask(requests.ResetPin, **shown, new=PINS[1]),
            lambda: ask(requests.ResetPin, **shown),
            lambda: ask(requests.ChangePin, old=data.draw(st.sampled_from(["123456", *PINS])), new=PINS[2]),
            lambda: ask(
                requests.ChangeInformation,
                address=data.draw(st.sampled_from(["新地址一", "新地址二"])),
                phone="00012345678",
            ),
            lambda: moving(data.draw(st.sampled_from(REGIONS))),
            lambda: ask(requests.LiftLoss, **shown),
            lambda: ask(requests.Cancel, **shown, reason="pension-ended"),
            lambda: ask(requests.Withdraw, why="测试"),
        )
        self.do(kinds[what](), clerk, self.number(data), after, ends=ends)

    @rule(at=person, what=st.sampled_from(COUNTER))
    def comes_without_card(self, at: int, what: str) -> None:
        who = self.who(at)
        kinds: dict[str, Callable[[], requests.Request]] = {
            "report-loss": lambda: ask(requests.ReportLoss, **who),
            "temporary": lambda: ask(requests.ReportLoss, **who, kind="temporary"),
            "reissue": lambda: ask(requests.Reissue, **who),
            "replace": lambda: ask(requests.Replace, **who, reason="looks-changed", channel="online"),
            "cancel": lambda: ask(requests.Cancel, **who, reason="dead"),
            "query": lambda: ask(requests.Query, **who),
            "export": lambda: ask(requests.Export, **who),
        }
        self.do(kinds[what](), seed.MAKER)

    @precondition(lambda self: self.cards())
    @rule(
        data=st.data(),
        what=st.sampled_from(OFFICER),
    )
    def is_supervised(self, data: st.DataObject, what: str) -> None:
        if what == "line":
            with self.desk.register.transaction() as session:
                bank = session.get_one(Bank, seed.BANK)
                bank.down = not bank.down
        elif what == "close":
            self.do(ask(requests.CloseAccount, card=self.number(data)), seed.BANKER)
        else:
            kinds: dict[str, Callable[[], requests.Request]] = {
                "freeze": lambda: ask(requests.Freeze, card=self.number(data), why="测试"),
                "unfreeze": lambda: ask(requests.Unfreeze, card=self.number(data)),
                "reconcile": requests.Reconcile,
                "tell-banks": requests.TellBanks,
                "erase": requests.Erase,
            }
            self.do(kinds[what](), seed.OFFICER)

    @rule(days=st.sampled_from([0, 1, 7, 20]))
    def time_passes(self, days: int) -> None:
        self.desk.clock.step(timedelta(days=days, minutes=1))

    @precondition(lambda self: self.desk.office.pending())
    @rule(data=st.data(), after=cut, abandon=st.booleans(), ends=st.booleans(), clerk=clerks)
    def is_taken_up(self, data: st.DataObject, after: int | None, clerk: str, *, abandon: bool, ends: bool) -> None:
        one = data.draw(st.sampled_from(self.desk.office.pending()))
        with contextlib.suppress(*DECLARED, Ended), self.reader(one["card"], after, ends=ends) as connection:
            if abandon:
                self.desk.office.abandon(one["pending"], connection, clerk=clerk)
            else:
                self.desk.office.resume(one["pending"], connection, SecretStr(PINS[1]), clerk=clerk)

    # --- what must be so, whatever they did ---

    @invariant()
    def one_person_one_usable_card(self) -> None:
        now = self.desk.clock.now()
        usable = [
            one.person_id
            for one in self.cards(Life.ISSUED)
            if one.activated_at and not one.frozen_at and self.desk.services.loss(one, now) is Loss.NONE
        ]
        assert len(usable) == len(set(usable))

    @invariant()
    def register_and_chip_agree_or_a_note_waits(self) -> None:
        noted = {one["card"] for one in self.desk.office.pending()}
        for one in self.cards():
            if one.number not in noted:
                self.agrees(one)

    def agrees(self, card: Card) -> None:
        with self.drawer.inserted(card.number) as connection:
            presented = CardInReader.read(connection, self.desk.services.root)
            if presented.refused:
                assert presented.blocked
                assert card.life in (Life.CANCELLED, Life.ENDED), card.life
                return
            assert presented.chip == card.chip
            if card.life is Life.ISSUED:
                on = TurnOn().stage(presented).value == "after"
                assert on == (card.activated_at is not None)
                if not on:
                    return  # before activation its files answer nobody (article 13)
                with self.desk.register.transaction() as session:
                    holder = session.get_one(Person, card.person_id)
                    homes, address = set(holder.insured.values()), holder.address
                assert {found.code for found in regions.read(presented.terminal)} == homes
                assert str(presented.terminal.read("DF01/EF06/23")) == address

    @invariant()
    def the_trails_seal_holds(self) -> None:
        with self.desk.register.transaction() as session:
            assert audit.broken(session) is None

    @invariant()
    def no_pin_is_in_the_file(self) -> None:
        for file in self.folder.glob("register.db*"):
            held = file.read_bytes()
            assert not any(pin.encode() in held for pin in PINS), file

    def settled(self) -> None:
        """Every note can be settled, and then register and chip agree."""
        with self.desk.register.transaction() as session:
            for bank in session.scalars(select(Bank)):
                bank.down = False
        for one in self.desk.office.pending():
            with self.reader(one["card"]) as connection:
                self.desk.office.resume(one["pending"], connection, SecretStr(PINS[1]))
        assert not self.desk.office.pending()
        self.register_and_chip_agree_or_a_note_waits()


def test_mornings() -> None:
    Mornings.TestCase.settings = settings(
        max_examples=120 if DEEP else 8,
        stateful_step_count=60 if DEEP else 25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Mornings.TestCase("runTest").runTest()
