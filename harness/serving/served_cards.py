"""The cards of one ``sscard run`` in their slots: one card in two readers or in one, watched by trace and feed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from emulator import catalogue
from emulator.chip import Chip
from emulator.errors import NotFound
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.line import Line
from emulator.reader.slot import Card, Slot
from harness.faults.chip import Injector
from harness.faults.plan import Plan
from harness.serving import standing
from harness.serving.contactless import ContactlessReader
from harness.serving.feed import Feed, SlotFeed
from harness.serving.moments import Moment, Moments
from harness.serving.observers import Observers
from harness.serving.options import Options, Origin, seats
from harness.serving.pcsc_service import Place, Wanted
from harness.serving.reader_profiles import Shaped
from harness.serving.tear import Tear
from harness.serving.timing import USUAL, usual_over
from harness.serving.two_sides import Side, TwoSides

LOOK = 0.5
"""Seconds that a look at a card waits for the command that it is at; one that takes longer has not begun its work, or
has done it.
"""


class Readers(Protocol):
    """The readers that a run's cards go into: those of a PC/SC service of this machine, or of another one."""

    @property
    def told(self) -> dict[str, Any]:
        """Returns what the run's table says of them."""

    def places(self, wanted: Sequence[Wanted]) -> list[Place]:
        """A free one for each, in order. SscardError where there are too few."""

    def line(self, place: Place) -> Line:
        """How the driver of this place is reached."""

    def wait_taken(self, slot: Slot, place: Place) -> None:
        """Waits until this very card is there for programs. SscardError after a while."""

    def wait_left(self, place: Place) -> bool:
        """True once no card is there for programs, false after a while."""


@dataclass(frozen=True, slots=True)
class Served:
    """A card of this run, and what holds its file."""

    image: Image
    held: contextlib.ExitStack
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class InSlot:
    """A card's side in a slot: its chip, as the slot takes it, whose it is, and who watches it."""

    chip: Chip
    card: Card
    served: Served
    observers: Observers


class ServedCards:
    """The cards and slots of one ``sscard run``, from before they are in readers until they are let go."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.seats = seats(options)
        self.inside: list[InSlot | None] = [None] * len(self.seats)
        """What each slot holds, or held before it was taken out."""
        self.slots: list[Slot] = []
        self.service: Readers | None = None
        self.places: list[Place] = []
        self.feed = Feed(self.states, self.cards_told, self._listen)
        remembers = options.page is not None
        self._feeds = [
            SlotFeed(self.feed, number, Moments() if remembers else None) for number in range(len(self.seats))
        ]
        self._heard = self._remembers = remembers
        faults = options.faults
        self.plans: list[Plan | None] = [
            replace(faults, seed=faults.seed + number) if faults else None for number in range(len(self.seats))
        ]
        """The faults of the user card in each slot, whichever it is."""
        self.changes = [0] * len(self.seats)
        """How often each slot was steered."""
        taken = 0
        origins = [*options.origins, *[Origin()] * len(options.images)]
        for number, image in enumerate(options.images):
            at = {taken: self.seats[taken].interface}
            if (pair := self.seats[taken].pair) is not None:
                at[pair] = self.seats[pair].interface
            held = options.first_held if number == 0 else contextlib.ExitStack()
            self.seat(self.sides(at, Served(image, held, origins[number])))
            taken += len(at)

    def sides(self, at: Mapping[int, Interface], served: Served) -> dict[int, InSlot]:
        """A card as each of these slots takes it, by the side that the slot gets. NoSuchInterface."""
        trace = self.options.trace
        observers = {slot: Observers(*([trace.slot(slot, served.image)] if trace else [])) for slot in at}
        chips = {slot: self._chip(served.image, slot, interface) for slot, interface in at.items()}
        sides: dict[Interface, Side] = {}
        if len(chips) > 1:
            by_interface = {chip.interface: chip for chip in chips.values()}
            both = TwoSides(by_interface[Interface.CONTACT], by_interface[Interface.CONTACTLESS])
            sides = {Interface.CONTACT: both.contact, Interface.CONTACTLESS: both.contactless}
        return {
            slot: InSlot(chip, self._as_card(chip, sides.get(chip.interface)), served, observers[slot])
            for slot, chip in chips.items()
        }

    def seat(self, held: Mapping[int, InSlot | None]) -> None:
        """What these slots hold from now on. A card that is in none of them any more is let go."""
        before = [one for number in held if (one := self.inside[number]) is not None]
        for number, one in held.items():
            self.inside[number] = one
            if one is not None:
                self._hear(number, one)
                event = self.feed.put(number, "card", self._card_told(one))
                if (moments := self._feeds[number].moments) is not None:
                    moments.begin(event, one.chip, one.served.origin)
        for old in before:
            if not any(one and one.served is old.served for one in self.inside):
                old.served.held.close()

    def _chip(self, image: Image, slot: int, interface: Interface) -> Chip:
        """A chip for this slot, with the slot's faults. NoSuchInterface."""
        chip = Chip(image, interface=interface, apdu_shape=self.options.apdu_shape)
        plan = self.plans[slot]
        if plan is not None and image.layout.card is CardKind.USER:
            chip.interposer = Injector(plan, catalogue.over(image.layout, interface))
        return chip

    def _as_card(self, chip: Chip, side: Side | None) -> Card:
        """The chip as its reader's slot gets it: one side of two, under a system's habits, slow if asked, and behind
        what a contactless reader answers by itself.
        """
        options, card = self.options, side or chip
        through: Card = card
        if options.system.name != "linux" or options.timing is not None:
            timing = usual_over(chip.interface) if options.timing is USUAL else options.timing
            through = Shaped(card, options.system, timing=timing)
        if chip.interface is Interface.CONTACTLESS:
            return ContactlessReader(through, chip, side)
        return through

    @property
    def readers(self) -> list[str]:
        """The slots' readers, by their PC/SC names."""
        return [place.reader for place in self.places]

    @property
    def filled(self) -> list[tuple[int, InSlot]]:
        """The slots with a card, by number."""
        return [(number, held) for number, held in enumerate(self.inside) if held is not None]

    def take_places(self, service: Readers) -> None:
        """A place for every slot, with no card in it yet. SscardError where there are too few that are free."""
        self.service = service
        self.places = service.places([seat.wanted for seat in self.seats])
        for held, place in zip(self.inside, self.places, strict=True):
            self.slots.append(Slot(held.card if held else None, service.line(place)))

    def insert_all(self, *, wait: bool = True) -> None:
        """Every card into its slot; with ``wait``, until each is there for programs. SscardError."""
        for number, __ in self.filled:
            self.slots[number].insert()
        if wait:
            for number, __ in self.filled:
                self.wait_taken(number)
        self.feed.changed()

    def wait_taken(self, number: int) -> None:
        """Waits until this very card is there for programs. SscardError after a while."""
        assert self.service is not None
        self.service.wait_taken(self.slots[number], self.places[number])

    def wait_left(self, number: int) -> None:
        """Waits until programs see no card in this slot: one that came before would be taken for the old one.
        TimeoutError after a while.
        """
        assert self.service is not None
        if not self.service.wait_left(self.places[number]):
            raise TimeoutError(_("PC/SC still sees a card in slot {number}").format(number=number))

    def close(self) -> None:
        """All cards out, their files let go."""
        for slot in self.slots:
            slot.close()
        for _number, held in self.filled:
            held.served.held.close()

    def _listen(self, heard: bool) -> None:
        """The feed is heard from now on, or by nobody any more: chips that nobody watches are quicker."""
        self._heard = heard or self._remembers
        for number, held in self.filled:
            self._hear(number, held)

    def _hear(self, number: int, held: InSlot) -> None:
        if self._heard:
            held.observers.add(self._feeds[number])
        else:
            held.observers.remove(self._feeds[number])
        held.chip.observer = held.observers.shortest

    # --- what is told of them ------------------------------------------------------------------------------------

    def listed(self) -> dict[str, Any]:
        """What ``sscard card list`` shows, and what tells one run from another."""
        told = self.service.told if self.service else {}
        rows = [self._row(number) for number in range(len(self.slots))]
        return {"pid": os.getpid(), "port": self.places[0].port, **told, "slots": rows}

    def _row(self, number: int) -> dict[str, Any]:
        place, held, pair = self.places[number], self.inside[number], self.seats[number].pair
        row = {"slot": number, "reader": place.reader, "port": place.port, "inserted": self.slots[number].inserted}
        row["interface"] = held.chip.interface if held else self.seats[number].interface
        if pair is not None:
            row["pair"] = pair
        if held is not None:
            image = held.chip.image
            row |= {"atr": held.chip.atr.hex().upper(), "layout": image.layout.name, "algorithm": image.algorithm}
        return row

    def states(self) -> list[dict[str, Any]]:
        """How each slot stands, and the card that is in it or was taken out of it."""
        return [self.state(number) for number in range(len(self.slots))]

    def state(self, number: int) -> dict[str, Any]:
        """One slot: reader, what is in it, how often it was steered, and of its card all that is told."""
        place, held, pair = self.places[number], self.inside[number], self.seats[number].pair
        plan = self.plans[number]
        return {
            "slot": number,
            "reader": place.reader,
            "port": place.port,
            "inserted": self.slots[number].inserted,
            "interface": str(held.chip.interface if held else self.seats[number].interface),
            "pair": pair,
            "changes": self.changes[number],
            "last": self._feeds[number].last,
            "moments": moments.kept if (moments := self._feeds[number].moments) is not None else None,
            "faults": None if plan is None else {"faults": [str(one) for one in plan.faults], "seed": plan.seed},
            "tear": tear.left if held is not None and (tear := Tear.of(held.chip)) is not None else None,
            "card": None if held is None else {**held.served.origin.as_table(), **standing.of_chip(held.chip)},
        }

    def moment(self, number: int, event: int | None) -> Moment:
        """The card of a slot as it was once the event of this number had happened; for None as it is now. NotFound,
        TimeoutError.
        """
        held, moments = self.inside[number], self._feeds[number].moments
        if event is not None:
            if moments is None:
                raise NotFound(_("this run keeps no earlier moments: `sscard run --web` does"))
            if event > self.feed.number:
                raise NotFound(
                    _("no card is known at number {number}: the last so far is {last}").format(
                        number=event, last=self.feed.number
                    )
                )
            return moments.at(event)
        if held is None:
            raise NotFound(_("no card was in slot {number} yet").format(number=number))
        with self.still(number, held.chip):
            return Moment.now(self.feed.number, held.chip, held.served.origin)

    @staticmethod
    @contextlib.contextmanager
    def still(number: int, chip: Chip) -> Iterator[None]:
        """Within it the chip in this slot is at no command. TimeoutError where one takes too long."""
        with chip.between_commands(LOOK) as still:
            if not still:
                raise TimeoutError(
                    _("the card in slot {number} is still at a command after {seconds:g} s: try again").format(
                        number=number, seconds=LOOK
                    )
                )
            yield

    def cards_told(self) -> list[dict[str, Any]]:
        """Of each slot with a card what those need who decode what passes."""
        return [{"slot": number, **self._card_told(held)} for number, held in self.filled]

    @staticmethod
    def _card_told(held: InSlot) -> dict[str, Any]:
        layout, chip = held.chip.image.layout, held.chip
        told: dict[str, Any] = {"layout": layout.name, "fingerprint": layout.fingerprint}
        if not (layout.name in catalogue.layouts() and catalogue.layout(layout.name).fingerprint == layout.fingerprint):
            told["table"] = layout.table
        with chip.between_commands(LOOK):
            seen = standing.SessionSeen.of(chip.session)
        return {
            **told,
            "algorithm": chip.image.algorithm,
            "interface": str(chip.interface),
            "directory": seen.directory,
            "file": seen.file,
            "waiting": seen.waiting,
            **held.served.origin.as_table(),
        }
