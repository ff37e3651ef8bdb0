"""Card and register move together: power cut after every write of every operation that writes a chip, and the program
ended at every step between. Both sides are as they were, or as they are to be, or there is a note that makes them so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from emulator.chip import Chip
from emulator.filesystem.memory.cells import PIN_CELL, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.security import PIN
from harness.office.case.bank import BankDown
from harness.office.case.failed import Failed
from harness.office.case.rule import Refusal
from harness.office.desk.office import Done, HalfWay
from harness.office.register import seed
from harness.office.register.tables import Bank, Card, Pending
from harness.office.requests import models as requests
from harness.office.vocabulary import Cancellation, DocumentType, Life
from harness.readers.connection import InProcess
from harness.terminal import region as regions
from harness.terminal.terminal import Refused, Terminal
from tests.kit.offices import Desk, Torn, ask, citizen, moving

ME = citizen()
SHOWN = (ME.document,)
NEW_PIN = "246802"
NEW_HOME = ("00012345678", "新地址")
MIDDLE = 20
"""Writes after which a transfer is under way: those before win the right to read."""
OLD, NEW, NEITHER = "old", "new", "neither"


def terminal(image: Image) -> Terminal:
    found = Terminal(InProcess(Chip(image)))
    found.begin()
    return found


def refusal(image: Image, question: Callable[[Terminal], object] = lambda _: None) -> int:
    """The status word by which the card refuses a question, 0 where it answers."""
    try:
        question(terminal(image))
    except Refused as refused:
        return refused.sw
    return 0


def active(image: Image) -> str:
    return either(refusal(image, lambda asked: asked.pin_state()), 0x6985, 0)


def blocked(image: Image) -> str:
    return either(refusal(image), 0, 0x9303)


def dead(image: Image) -> str:
    return either(refusal(image), 0, 0x6A81)


@dataclass
class Deed:
    """An operation; ``chip`` and ``register`` say whether each side is old or new."""

    request: requests.Request
    chip: Callable[[Image], str]
    register: Callable[[Card], str]
    activated: bool = True
    clerk: str = ""
    pin: str = ""
    undoable: bool = False


def either(value: object, old: object, new: object) -> str:
    return OLD if value == old else NEW if value == new else NEITHER


def moved(image: Image) -> str:
    return either({one.code for one in regions.read(terminal(image))}, {"510100"}, {"510700"})


def changed(image: Image) -> str:
    read = terminal(image).read
    return either((read("DF01/EF06/28"), read("DF01/EF06/23")), (ME.phone, ME.address), NEW_HOME)


def has_pin(image: Image) -> str:
    return either(image.memory.text(PIN_CELL), "123456", NEW_PIN)


def tries(image: Image) -> str:
    return either(image.memory.counter(tries_cell(PIN)), 1, 3)


def same(_: Card) -> str:
    return "same"


CANCEL = ask(
    requests.Cancel, reason=Cancellation.PENSION_ENDED, shown=({"type": DocumentType.WRITTEN_REQUEST}, ME.document),
)  # fmt: skip
DEEDS = {
    "activate": Deed(
        ask(requests.Activate, shown=SHOWN, with_account=True),
        active,
        lambda card: NEW if card.activated_at else OLD,
        activated=False,
    ),
    "reset": Deed(ask(requests.ResetPin, shown=SHOWN, new=NEW_PIN), has_pin, same, pin=NEW_PIN),
    "unblock": Deed(ask(requests.ResetPin, shown=SHOWN), tries, same),
    "information": Deed(
        ask(requests.ChangeInformation, phone="00012345678", address="新地址"),
        changed,
        lambda card: either((card.person.phone, card.person.address), (ME.phone, ME.address), NEW_HOME),
        undoable=True,
    ),
    "transfer": Deed(
        moving("510700"), moved, lambda card: either(set(card.person.insured.values()), {"510100"}, {"510700"}),
        undoable=True,
    ),
    "cancel": Deed(
        CANCEL,
        blocked,
        lambda card: either(card.life, Life.ISSUED, Life.CANCELLED),
    ),
    "withdraw": Deed(
        ask(requests.Withdraw, why="测试"),
        dead,
        lambda card: either(card.life, Life.ISSUED, Life.CANCELLED),
        clerk=seed.OFFICER,
    ),
}  # fmt: skip
KINDS = [("3.00", "3des"), ("3.00", "sm4"), ("2.00", "3des")]


class Bench:
    """An office and a card in a known state, as often as wanted."""

    def __init__(self, folder: Path, deed: Deed, kind: tuple[str, str]) -> None:
        self.deed, self.desk = deed, Desk(folder)
        self.number = (self.desk.active if deed.activated else self.desk.issued)(ME, *kind)
        self.image = self.desk.services.card_store.image(self.number)
        if deed.chip is tries:
            self.image.memory.set_counter(tries_cell(PIN), 1)
        self.content = self.desk.content()

    def fresh(self) -> tuple[Desk, Image]:
        self.desk.restore(self.content)
        return self.desk, self.image.fork()

    def do(self, desk: Desk, connection: InProcess) -> Done:
        return desk.do(self.deed.request, self.deed.clerk, connection)

    def sides(self, desk: Desk, image: Image) -> tuple[str, str]:
        with desk.register.transaction() as session:
            card = session.scalars(select(Card).where(Card.number == self.number)).one()
            return self.deed.chip(image.fork()), self.deed.register(card)

    def agree(self, desk: Desk, image: Image, expected: str) -> None:
        chip, register = self.sides(desk, image)
        assert chip == expected
        assert register in (expected, "same")
        assert desk.office.pending() == []

    def interrupted(self, desk: Desk, image: Image, number: int, *, back: bool) -> None:
        """From a half-way state to one where both agree, and nothing else can be done to the card until then."""
        with pytest.raises(Refusal) as refused:
            desk.do(ask(requests.Withdraw, why="测试"), seed.OFFICER, InProcess(Chip(image)))
        assert refused.value.rule == "HALF-WAY"
        if back:
            try:
                desk.office.abandon(number, InProcess(Chip(image)))
            except Failed:
                assert not self.deed.undoable
            else:
                self.agree(desk, image, OLD)
                return
        pin = SecretStr(self.deed.pin) if self.deed.pin else None
        desk.office.resume(number, InProcess(Chip(image)), pin)
        self.agree(desk, image, NEW)


def cuts(bench: Bench, make: Callable[[Chip, int], InProcess]) -> Iterator[tuple[Desk, Image, int, int | None]]:
    """Every cut, from before the first write to after the last: office, card, writes, and the note's number."""
    after = 0
    while True:
        desk, image = bench.fresh()
        connection = make(Chip(image), after)
        number: int | None = None
        done = False
        try:
            bench.do(desk, connection)
            done = True
        except Failed:
            bench.agree(desk, image, OLD)
        except HalfWay as half_way:
            number = half_way.pending
        image.memory.nvm.cut_after = None
        Chip(image).power_on()
        yield desk, image, after, number
        desk.register.close()
        if done:
            return
        after += 1


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("name", DEEDS)
def test_every_tear_point(tmp_path: Path, name: str, kind: tuple[str, str]) -> None:
    bench = Bench(tmp_path, DEEDS[name], kind)
    found = 0
    for desk, image, after, number in cuts(bench, Torn):
        found = after
        if number is None:
            chip, register = bench.sides(desk, image)
            assert chip in (OLD, NEW)
            assert register in (chip, "same")
            assert desk.office.pending() == []
        else:
            bench.interrupted(desk, image, number, back=bool(after % 2))
    assert found >= 2, "it writes"


@pytest.mark.parametrize("name", DEEDS)
def test_every_flicker(tmp_path: Path, name: str) -> None:
    """Power goes for a moment, and the card stays in the reader."""
    bench = Bench(tmp_path, DEEDS[name], KINDS[0])

    def made(chip: Chip, after: int) -> InProcess:
        connection = InProcess(chip)
        chip.image.memory.nvm.cut_after = after
        return connection

    for desk, image, after, number in cuts(bench, made):
        if number is None:
            chip, register = bench.sides(desk, image)
            assert chip in (OLD, NEW)
            assert register in (chip, "same")
        else:
            bench.interrupted(desk, image, number, back=not after % 2)


class Ended(BaseException):
    """The program was ended here."""


class EndsThere(InProcess):
    """A card to which the program sends nothing any more once it has noted what it is about to do."""

    def __init__(self, chip: Chip, desk: Desk) -> None:
        super().__init__(chip)
        self._desk = desk

    def send(self, command: bytes) -> bytes:
        with self._desk.register.reading() as session:
            if session.scalars(select(Pending).where(Pending.ended_at.is_(None))).first():
                raise Ended
        return super().send(command)


def before_the_register(
    bench: Bench, image: Image, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]
) -> None:
    """Something that happens when the chip is done, before the register is."""
    transaction = bench.desk.register.transaction
    waiting = [happens]

    def watched() -> AbstractContextManager[Session]:
        if waiting and bench.deed.chip(image.fork()) == NEW:
            waiting.pop()()
        return transaction()

    monkeypatch.setattr(bench.desk.register, "transaction", watched)


@pytest.mark.parametrize("where", ["before the chip", "after the chip"])
@pytest.mark.parametrize("name", DEEDS)
def test_the_program_ends_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: str) -> None:
    bench = Bench(tmp_path, DEEDS[name], KINDS[0])
    desk, image = bench.fresh()

    def ended() -> None:
        raise Ended

    connection = EndsThere(Chip(image), desk) if where == "before the chip" else InProcess(Chip(image))
    with monkeypatch.context() as patch:
        if where == "after the chip":
            before_the_register(bench, image, patch, ended)
        with pytest.raises(Ended):
            bench.do(desk, connection)
    (note,) = desk.office.pending()
    assert bench.sides(desk, image)[0] == (OLD if where == "before the chip" else NEW)
    bench.interrupted(desk, image, note["pending"], back=where == "before the chip")


def test_the_bank_goes_down_between_chip_and_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, DEEDS["activate"], KINDS[0])
    desk, image = bench.fresh()
    whole = desk.register.transaction

    def goes(*, down: bool) -> None:
        with whole() as session:
            session.get_one(Bank, seed.BANK).down = down

    with monkeypatch.context() as patch:
        before_the_register(bench, image, patch, lambda: goes(down=True))
        with pytest.raises(HalfWay) as half_way:
            bench.do(desk, InProcess(Chip(image)))
    assert isinstance(half_way.value.__cause__, BankDown)
    assert bench.sides(desk, image) == (NEW, OLD)
    goes(down=False)
    bench.interrupted(desk, image, half_way.value.pending, back=False)


def test_a_note_is_about_one_card(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DEEDS["transfer"], KINDS[0])
    desk, image = bench.fresh()
    with pytest.raises(HalfWay) as half_way:
        bench.do(desk, Torn(Chip(image), MIDDLE))
    other = desk.active(citizen(31))
    with desk.card(other) as connection, pytest.raises(LookupError, match="not this one"):
        desk.office.resume(half_way.value.pending, connection)
    with pytest.raises(LookupError, match="waits"):
        desk.office.abandon(99, InProcess(Chip(image)))


def test_resetting_a_pin_is_resumed_with_the_pin(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DEEDS["reset"], KINDS[0])
    desk, image = bench.fresh()
    with pytest.raises(HalfWay) as half_way:
        bench.do(desk, Torn(Chip(image), 3))
    assert NEW_PIN not in str(half_way.value)
    image.memory.nvm.cut_after = None
    Chip(image).power_on()
    with pytest.raises(HalfWay, match="the new PIN once more"):
        desk.office.resume(half_way.value.pending, InProcess(Chip(image)))
    assert desk.office.pending()[0]["needs_pin"] is True


def test_a_torn_change_of_the_pin_leaves_one_of_the_two_and_says_so(tmp_path: Path) -> None:
    change = Deed(ask(requests.ChangePin, old="123456", new=NEW_PIN), has_pin, same)
    bench = Bench(tmp_path, change, KINDS[0])
    sides, said = set(), set()
    for after in range(12):
        desk, image = bench.fresh()
        try:
            bench.do(desk, Torn(Chip(image), after))
        except Failed as failed:
            said.add(str(failed))
        image.memory.nvm.cut_after = None
        Chip(image).power_on()
        sides.add(bench.sides(desk, image)[0])
        assert desk.office.pending() == []
        desk.register.close()
    assert sides == {OLD, NEW}
    assert all("the old PIN or the new" in text and NEW_PIN not in text for text in said)
    assert said
