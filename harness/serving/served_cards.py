"""The cards of one ``sscard run`` in their slots: put in, taken out, swapped; one card in two readers or in one."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.chip import Chip
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.slot import Card, Slot
from harness.faults.chip import FaultyChip
from harness.readers import pcsc
from harness.serving.contactless import ContactlessReader
from harness.serving.in_reader import wait_taken
from harness.serving.options import BOTH, NAMED, Options, seats
from harness.serving.pcsc_service import Place, Service
from harness.serving.reader_profiles import Shaped
from harness.serving.timing import USUAL, usual_over
from harness.serving.two_sides import Side, TwoSides


@dataclass(frozen=True, slots=True)
class Served:
    """A card of this run, and what holds its file."""

    image: Image
    held: contextlib.ExitStack


@dataclass(frozen=True, slots=True)
class InSlot:
    """A card's side in a slot: its chip, as the slot takes it, and whose it is."""

    chip: Chip
    card: Card
    served: Served


class ServedCards:
    """The cards and slots of one ``sscard run``, from before they are in readers until they are let go."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.seats = seats(options)
        self.inside: list[InSlot | None] = [None] * len(self.seats)
        """What each slot holds, or held before it was taken out."""
        self.slots: list[Slot] = []
        self.service: Service | None = None
        self.places: list[Place] = []
        self._steering = threading.Lock()
        taken = 0
        for number, image in enumerate(options.images):
            at = {taken: self.seats[taken].interface}
            if (pair := self.seats[taken].pair) is not None:
                at[pair] = self.seats[pair].interface
            held = options.first_held if number == 0 else contextlib.ExitStack()
            self._seat(self._sides(at, Served(image, held)))
            taken += len(at)

    def _sides(self, at: Mapping[int, Interface], served: Served) -> dict[int, InSlot]:
        """A card as each of these slots takes it, by the side that the slot gets. NoSuchInterface."""
        chips = {slot: self.chip(served.image, slot, interface) for slot, interface in at.items()}
        sides: dict[Interface, Side] = {}
        if len(chips) > 1:
            by_interface = {chip.interface: chip for chip in chips.values()}
            both = TwoSides(by_interface[Interface.CONTACT], by_interface[Interface.CONTACTLESS])
            sides = {Interface.CONTACT: both.contact, Interface.CONTACTLESS: both.contactless}
        return {
            slot: InSlot(chip, self._as_card(chip, sides.get(chip.interface)), served) for slot, chip in chips.items()
        }

    def _seat(self, held: Mapping[int, InSlot | None]) -> None:
        """What these slots hold from now on. A card that is in none of them any more is let go."""
        before = [one for number in held if (one := self.inside[number]) is not None]
        for number, one in held.items():
            self.inside[number] = one
        for old in before:
            if not any(one and one.served is old.served for one in self.inside):
                old.served.held.close()

    def chip(self, image: Image, slot: int, interface: Interface = Interface.CONTACT) -> Chip:
        """A chip for this slot, traced if asked. NoSuchInterface."""
        trace = self.options.trace
        observer = trace.slot(slot, image) if trace else None
        if self.options.faults and image.layout.card is CardKind.USER:
            plan = replace(self.options.faults, seed=self.options.faults.seed + slot)
            return FaultyChip(image, plan, interface=interface, apdu_shape=self.options.apdu_shape, observer=observer)
        return Chip(image, interface=interface, apdu_shape=self.options.apdu_shape, observer=observer)

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

    def insert_all(self, service: Service) -> None:
        """Every card into its slot. PcscError where there are too few that are free."""
        self.service = service
        self.places = service.places([seat.wanted for seat in self.seats])
        for held, place in zip(self.inside, self.places, strict=True):
            slot = Slot(held.card if held else None, place.port)
            self.slots.append(slot)
            if held is not None:
                slot.insert()

    def wait(self, number: int) -> None:
        """Waits until PC/SC has powered this very card and says that it is there; PcscError."""
        wait_taken(self.slots[number], self.places[number].reader)

    def close(self) -> None:
        """All cards out, their files let go."""
        for slot in self.slots:
            slot.close()
        for _number, held in self.filled:
            held.served.held.close()

    def steer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of ``sscard card``. ValueError, LookupError, TimeoutError, PcscError."""
        if request.get("op") == "list":  # other runs ask this while they start: it waits for nothing
            return self._listed()
        with self._steering:
            return self._steer(request)

    def _listed(self) -> dict[str, Any]:
        rows = []
        for number, (place, slot) in enumerate(zip(self.places, self.slots, strict=True)):
            row = {"slot": number, "reader": place.reader, "port": place.port, "inserted": slot.inserted}
            held, pair = self.inside[number], self.seats[number].pair
            row["interface"] = held.chip.interface if held else self.seats[number].interface
            if pair is not None:
                row["pair"] = pair
            if held is not None:
                image = held.chip.image
                row |= {"atr": held.chip.atr.hex().upper(), "layout": image.layout.name, "algorithm": image.algorithm}
            rows.append(row)
        told = self.service.told if self.service else {}
        return {"pid": os.getpid(), "port": self.places[0].port, **told, "slots": rows}

    def _steer(self, request: dict[str, Any]) -> dict[str, Any]:
        number, operation = request.get("slot"), request.get("op")
        if not isinstance(number, int) or not 0 <= number < len(self.slots):
            raise ValueError(
                _("expected a slot from 0 to {last}, found {number!r}").format(last=len(self.slots) - 1, number=number)
            )
        slot, named = self.slots[number], {name: str(request[name]) for name in NAMED if request.get(name)}
        if operation not in ("insert", "remove", "swap", "reset"):
            raise ValueError(
                _("expected list, insert, remove, swap or reset, found {operation!r}").format(operation=operation)
            )
        if operation == "insert" and slot.inserted:
            raise ValueError(_("slot {number} has a card already: remove or swap it").format(number=number))
        if operation != "insert" and not slot.inserted:
            raise ValueError(_("slot {number} is empty").format(number=number))
        options = ", ".join(f"--{name}" for name in NAMED)
        if operation == "swap" and not named:
            raise ValueError(_("swap needs the card to put in: some of {options}").format(options=options))
        if operation in ("remove", "reset") and named:
            raise ValueError(
                _("{operation} is about the card that is there: leave {options} out").format(
                    operation=operation, options=options
                )
            )
        if operation in ("remove", "reset"):
            self._take_out([number])
        if operation == "reset":
            self._put_in([number])
        if operation in ("insert", "swap"):
            number = self._change(number, named, swap=operation == "swap")
        held, inserted = self.inside[number], self.slots[number].inserted
        told = {"slot": number, "inserted": inserted, "atr": held.chip.atr.hex().upper() if held and inserted else ""}
        return told | ({"interface": held.chip.interface} if held else {})

    def _change(self, number: int, named: Mapping[str, str], *, swap: bool) -> int:
        """Puts a card in: that of before, or the one that is named; with ``swap`` in place of the one that is there,
        which leaves every reader that it is in. Gives the slot that it is in now, of two the one that was named.
        """
        before = self.inside[number]
        mine = [one for one, held in self.filled if before and held.served is before.served] if swap else []
        at = self._meant(number, named.get("interface"), mine)
        for one in at:
            if one not in mine and self.slots[one].inserted:
                raise ValueError(_("slot {number} has a card already: remove or swap it").format(number=one))
        card = {name: value for name, value in named.items() if name != "interface"}
        with contextlib.ExitStack() as undone:
            served = before.served if before else None
            if card:
                held = undone.enter_context(contextlib.ExitStack())
                served = Served(held.enter_context(self.options.make(card)), held)
            if served is None:
                options = ", ".join(f"--{name}" for name in NAMED)
                raise ValueError(
                    _("slot {number} never had a card: name one by some of {options}").format(
                        number=number, options=options
                    )
                )
            elsewhere = [one for one, held in self.filled if held.served is served and one not in {*at, *mine}]
            if any(self.slots[one].inserted for one in elsewhere) and not self._is_seated(at, served):
                raise ValueError(_("the card is in slot {number}: swap it there").format(number=elsewhere[0]))
            # A layout that has no such side is refused here, while the card that is there is still in.
            sides = {} if self._is_seated(at, served) else self._sides(at, served)
            self._take_out([one for one in mine if self.slots[one].inserted])
            undone.pop_all()  # from now on the card's file is held for as long as the card is in a slot
            if sides:
                self._seat({**dict.fromkeys({*mine, *elsewhere} - set(at)), **sides})
        self._put_in(list(at))
        return number if number in at else min(at)

    def _is_seated(self, at: Mapping[int, Interface], served: Served) -> bool:
        """True if these slots have these very sides of a card already, in them or taken out."""
        held = {one: self.inside[one] for one in at}
        return all(one and one.served is served and one.chip.interface is at[slot] for slot, one in held.items())

    def _meant(self, number: int, interface: str | None, mine: Sequence[int]) -> dict[int, Interface]:
        """The slots that a card is to be in, and with which side. ``mine``: those of the card that it replaces.
        ValueError.
        """
        seat = self.seats[number]
        if interface is None:
            return {one: self.seats[one].interface for one in mine} or {number: seat.interface}
        if interface == BOTH:
            if seat.pair is None:
                raise ValueError(
                    _("slot {number} is one reader alone: `sscard run --interface both` gives a card two").format(
                        number=number
                    )
                )
            return {one: self.seats[one].interface for one in sorted((number, seat.pair))}
        side = Interface(interface)
        if seat.pair is not None and side is not seat.interface:
            return {seat.pair: side}
        return {number: side}

    def _take_out(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.slots[number].remove()
        for number in numbers:
            # A card that came back before the reader has looked would be taken for the old one.
            if not pcsc.wait_card(self.readers[number], present=False):
                raise TimeoutError(_("PC/SC still sees a card in slot {number}").format(number=number))

    def _put_in(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            held = self.inside[number]
            self.slots[number].card = held.card if held else None
            self.slots[number].insert()
        for number in numbers:
            self.wait(number)
