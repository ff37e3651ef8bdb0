"""What a card was after each event: as copies say that another hand made on the way, however many came since."""

from __future__ import annotations

import pytest

from emulator import catalogue
from emulator.chip import Chip, Exchange
from emulator.errors import NotFound
from emulator.filesystem.memory.cells import Cell, CellKey
from emulator.filesystem.memory.image import Image
from emulator.filesystem.memory.nvm import PowerCut
from harness.readers.connection import InProcess
from harness.serving import moments as keeping
from harness.serving.feed import Feed, SlotFeed
from harness.serving.moments import Moments
from harness.serving.options import Origin
from harness.serving.standing import SessionSeen
from harness.terminal import personalise, region
from harness.terminal.personalise import Personaliser
from harness.terminal.terminal import Terminal
from tests.kit.cards import DF, SSSE, VERIFY, WRONG_PIN

ORIGIN = Origin(persona="adult-chengdu")
LOOKS = ("00A4040000", SSSE, VERIFY, "00B2070C00", "0084000008", DF["DF04"], "B026000104", WRONG_PIN)


class Watched:
    """A card whose moments are kept, and which is copied whole after each event."""

    def __init__(self, image: Image, moments: Moments, feed: Feed) -> None:
        self._slot = SlotFeed(feed, 0, moments)
        self._feed = feed
        self.copies: dict[int, tuple[dict[CellKey, Cell], SessionSeen]] = {}
        self.chip = Chip(image, observer=self)
        moments.begin(feed.put(0, "card", {}), self.chip, ORIGIN)
        self._copy()
        self.connection = InProcess(self.chip)

    def _copy(self) -> None:
        self.copies[self._feed.number] = self.chip.image.memory.snapshot(), SessionSeen.of(self.chip.session)

    def exchanged(self, exchange: Exchange) -> None:
        self._slot.exchanged(exchange)
        self._copy()

    def powered(self, event: str, atr: bytes) -> None:
        self._slot.powered(event, atr)
        self._copy()

    def play(self, *commands: str) -> None:
        for one in commands:
            self.connection.send(bytes.fromhex(one))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chapters that are over soon."""
    monkeypatch.setattr(keeping, "CHAPTER", 20)


@pytest.mark.usefixtures("short")
def test_every_moment_of_two_cards_in_a_slot_is_as_it_was_then() -> None:
    """A card that is personalised, and one that is moved to another region, blocked, torn and recovered."""
    moments, feed = Moments(), Feed(list, list)
    goal = catalogue.card("adult-chengdu", "3.00", "3des")
    blank = catalogue.card("blank", "3.00", "3des")
    first = Watched(blank, moments, feed)
    goal = personalise.for_chip(catalogue.persona("adult-chengdu"), goal.layout, "3des", blank.atr)
    for __ in Personaliser(first.connection, goal).steps():
        pass
    second = Watched(catalogue.card("adult-chengdu", "3.00", "3des"), moments, feed)
    second.play(*LOOKS)
    terminal = Terminal(second.connection)
    terminal.begin()
    region.move(terminal, "510700", "510100")
    second.play(SSSE, VERIFY)
    second.chip.image.memory.nvm.cut_after = 4
    with pytest.raises(PowerCut):
        second.play("00D6000002FFFF", "805E010007123456FF876543", VERIFY, VERIFY, VERIFY)
    second.connection.reset()
    second.play(SSSE, *[WRONG_PIN] * 4, VERIFY)
    copies = first.copies | second.copies
    assert list(copies) == list(range(1, feed.number + 1)), "events of every kind, none left out"
    assert len({str(cells) for cells, __ in copies.values()}) > 50
    for number, (cells, seen) in copies.items():
        moment = moments.at(number)
        assert moment.cells == cells, number
        assert moment.session == seen, number
    for number in list(copies)[::100]:
        image = Image.from_text(moments.at(number).image().to_text(), "as a file")
        assert image.memory.snapshot() == copies[number][0]
    assert moments.kept == (1, feed.number)


@pytest.mark.usefixtures("short")
def test_the_oldest_moments_go_and_who_asks_for_them_hears_which_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "CHAPTERS", 3)
    moments, feed = Moments(), Feed(list, list)
    card = Watched(catalogue.card("adult-chengdu", "3.00", "3des"), moments, feed)
    card.play(SSSE, *[WRONG_PIN, VERIFY] * 50)
    assert moments.kept is not None
    oldest, newest = moments.kept
    assert newest == feed.number
    assert feed.number - oldest in range(40, 61)
    for number in range(oldest, newest + 1):
        assert (moments.at(number).cells, moments.at(number).session) == card.copies[number]
    with pytest.raises(NotFound, match=f"the oldest that is kept is {oldest}"):
        moments.at(oldest - 1)


def test_a_moment_is_asked_for_by_the_number_of_an_event_in_another_slot_too() -> None:
    moments, feed = Moments(), Feed(list, list)
    card = Watched(catalogue.card("adult-chengdu", "3.00", "3des"), moments, feed)
    card.play(SSSE)
    between = feed.put(1, "apdu", None)
    card.play(VERIFY)
    assert moments.at(between).session.rights == frozenset()
    assert moments.at(feed.number).session.rights == {"PIN"}
    with pytest.raises(NotFound, match="no card was in this slot"):
        Moments().at(1)
