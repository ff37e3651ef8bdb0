"""Steering the cards of one ``sscard run``: what is asked for over its control socket, and done with its cards."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator import catalogue, personas
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.terms import CardKind
from emulator.interface import Interface
from emulator.messages import _
from harness.faults import plan as fault_plans
from harness.faults.chip import Injector
from harness.faults.plan import Plan
from harness.serving.options import BOTH, NAMED, PERSONA_TEXT, Origin
from harness.serving.served_cards import Served, ServedCards
from harness.serving.standing import SessionSeen
from harness.serving.tear import Tear

BY_OPTIONS = ", ".join(f"--{name}" for name in NAMED if name != "persona_text")
REMEMBERED = 50
"""Of what was done to a slot, the last so many are told to who comes too late."""
Request = dict[str, Any]


class ChangedMeanwhile(SscardError, ValueError):
    """Another steered the slot since the one who asks has seen it: what was done."""

    kind = ErrorKind.REFUSED
    word = "changed"


def origin(named: Mapping[str, str]) -> Origin:
    """Where a card comes from that a request names. PersonaError."""
    if "image" in named:
        return Origin(file=named["image"])
    if "persona_text" in named:
        return Origin(persona=personas.from_text(named["persona_text"], PERSONA_TEXT).name)
    return Origin(persona=catalogue.persona(named.get("persona", personas.DEFAULT)).name)


class Steering:
    """Does what is asked of a run's cards, one request at a time; those that only look wait for nobody."""

    def __init__(self, cards: ServedCards) -> None:
        self._cards = cards
        self._busy = threading.Lock()
        self._done: dict[int, deque[tuple[int, str]]] = {}
        """By slot: which change it was, and what was done."""
        self._looks: dict[str, Callable[[Request], dict[str, Any]]] = {
            "list": lambda _: cards.listed(),
            "state": self._state,
            "moment": self._moment,
            "check": self._check,
        }
        self._acts: dict[str, Callable[[int, Request, Mapping[str, str]], int]] = {
            "insert": self._insert,
            "remove": self._remove,
            "swap": self._swap,
            "reset": self._reset,
            "tear": self._tear,
            "faults": self._faults,
            "branch": self._branch,
        }

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Within it who asks for something to be done waits; who only looks does not."""
        with self._busy:
            yield

    def __call__(self, request: Request) -> dict[str, Any]:
        """One request of ``sscard card``, or of a page. ValueError, LookupError, TimeoutError, PcscError."""
        look = self._looks.get(str(request.get("op")))
        if look is not None:  # other runs ask for the list while they start
            return look(request)
        with self.held():
            return self._act(request)

    def _act(self, request: Request) -> dict[str, Any]:
        operation, number = request.get("op"), self._slot(request)
        act = self._acts.get(str(operation))
        if act is None:
            names = [*self._looks, *self._acts]
            raise ValueError(
                _("expected {names} or {last}, found {operation!r}").format(
                    names=", ".join(names[:-1]), last=names[-1], operation=operation
                )
            )
        named = {name: str(request[name]) for name in NAMED if request.get(name)}
        if operation not in ("insert", "swap") and named:
            raise ValueError(
                _("{operation} is about the card that is there: leave {options} out").format(
                    operation=operation, options=BY_OPTIONS
                )
            )
        self._as_expected(self._slot(request, "to") if operation == "branch" else number, request.get("expects"))
        cards = self._cards
        number = act(number, request, named)
        cards.feed.changed()
        held, inserted = cards.inside[number], cards.slots[number].inserted
        told = {"slot": number, "inserted": inserted, "atr": held.chip.atr.hex().upper() if held and inserted else ""}
        return told | ({"interface": held.chip.interface} if held else {}) | {"changes": cards.changes[number]}

    def _slot(self, request: Request, name: str = "slot") -> int:
        """The slot that a request is about. ValueError."""
        number, last = request.get(name), len(self._cards.slots) - 1
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= last:
            raise ValueError(_("expected a slot from 0 to {last}, found {number!r}").format(last=last, number=number))
        return number

    def _as_expected(self, number: int, expects: object) -> None:
        """ChangedMeanwhile where the slot was steered since the one who asks has seen it. ``expects``: the number of
        changes that it had then; None: whatever it is.
        """
        now = self._cards.changes[number]
        if expects is None or expects == now:
            return
        since = [what for count, what in self._done.get(number, ()) if not isinstance(expects, int) or count > expects]
        raise ChangedMeanwhile(
            _("slot {number} was changed meanwhile ({what}): look at it, and ask again").format(
                number=number, what="; ".join(since) or _("{now} changes in all").format(now=now)
            )
        )

    def _changed(self, numbers: Sequence[int], what: str) -> None:
        """Counts a change of these slots, and keeps what was done."""
        for number in numbers:
            self._cards.changes[number] += 1
            done = self._done.setdefault(number, deque(maxlen=REMEMBERED))
            done.append((self._cards.changes[number], what))

    # --- looks ---------------------------------------------------------------------------------------------------

    def _state(self, request: Request) -> dict[str, Any]:
        """Of the slot that is named, or of all of them."""
        cards = self._cards
        numbers = range(len(cards.slots)) if request.get("slot") is None else [self._slot(request)]
        return {"n": cards.feed.number, "slots": [cards.state(number) for number in numbers]}

    def _moment(self, request: Request) -> dict[str, Any]:
        """The card of a slot after the event of number ``n``, or as it is now: its image file, in base64, and what is
        told of a slot's card.
        """
        moment = self._cards.moment(self._slot(request), _event(request))
        content = moment.image().to_text().encode()
        return {"slot": request["slot"], **moment.as_table(), "image": base64.b64encode(content).decode()}

    def _check(self, request: Request) -> dict[str, Any]:
        """The card that ``insert`` would put in, made and thrown away: what it is, or why it cannot be."""
        named = {name: str(request[name]) for name in NAMED if request.get(name)}
        asked = named.pop("interface", str(Interface.CONTACT))
        sides = list(Interface) if asked == BOTH else [Interface(asked)]
        with self._cards.options.make(named) as image:
            for side in sides:
                catalogue.over(image.layout, side)
            told = {"card": str(image.layout.card), "layout": image.layout.name, "algorithm": image.algorithm}
            return told | {"atr": image.atr_over(sides[0]).hex().upper(), **origin(named).as_table()}

    # --- the card in its reader ----------------------------------------------------------------------------------

    def _there(self, number: int) -> None:
        """ValueError where no card is in."""
        if not self._cards.slots[number].inserted:
            raise ValueError(_("slot {number} is empty").format(number=number))

    def _insert(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        del request
        if self._cards.slots[number].inserted:
            raise ValueError(_("slot {number} has a card already: remove or swap it").format(number=number))
        return self._change(number, named, swap=False)

    def _swap(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        del request
        self._there(number)
        if not named:
            raise ValueError(_("swap needs the card to put in: some of {options}").format(options=BY_OPTIONS))
        return self._change(number, named, swap=True)

    def _remove(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        del request, named
        self._there(number)
        self._take_out([number])
        self._changed([number], _("taken out"))
        return number

    def _reset(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        del request, named
        self._there(number)
        self._take_out([number])
        self._put_in([number])
        self._changed([number], _("out and in again"))
        return number

    def _branch(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        """Puts a card into the free slot ``to`` whose memory is as that of this slot's was after event ``n``, or is."""
        del named
        cards, to = self._cards, self._slot(request, "to")
        if cards.slots[to].inserted:
            raise ValueError(
                _("slot {number} has a card already: remove it, or branch into a free slot").format(number=to)
            )
        moment = cards.moment(number, _event(request))
        came = replace(moment.origin, file="", branch=(number, moment.number))
        served = Served(moment.image(), contextlib.ExitStack(), came)
        cards.seat(cards.sides({to: cards.seats[to].interface}, served))
        self._put_in([to])
        self._changed([to], _("a branch of the card in slot {number} put in").format(number=number))
        return to

    # --- what goes wrong -----------------------------------------------------------------------------------------

    def _tear(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        """Power goes once after the k-th non-volatile write from now; for ``k`` None it does not."""
        del named
        self._there(number)
        count, held = request.get("k"), self._cards.inside[number]
        assert held is not None
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise ValueError(_("expected the number of a write from 1, found {count!r}").format(count=count))
        with self._cards.still(number, held.chip):
            Tear.off(held.chip)
            if count is not None:
                Tear.on(held.chip, count)
        self._changed([number], _("to be torn after write {count}").format(count=count) if count else _("no tear"))
        return number

    def _faults(self, number: int, request: Request, named: Mapping[str, str]) -> int:
        """The slot's plan of faults from now on, or none; of the card that is in it and of those that follow."""
        del named
        cards, plan = self._cards, _plan(request)
        held = cards.inside[number]
        if held is not None and held.chip.image.layout.card is not CardKind.USER:
            raise ValueError(_("slot {number} has a terminal's own card, which has no faults").format(number=number))
        if held is not None:
            chip = held.chip
            if plan is not None:
                fault_plans.check(plan, [chip.image.layout])
            with cards.still(number, chip):
                seen = SessionSeen.of(chip.session)
                layout = catalogue.over(chip.image.layout, chip.interface)
                inner = Injector(plan, layout, stands=(seen.directory, seen.file)) if plan is not None else None
                Tear.within(chip, inner)
        cards.plans[number] = plan
        self._changed([number], _("faults on") if plan is not None else _("faults off"))
        return number

    # --- which card is where -------------------------------------------------------------------------------------

    def _change(self, number: int, named: Mapping[str, str], *, swap: bool) -> int:
        """Puts a card in: that of before, or the one that is named; with ``swap`` in place of the one that is there,
        which leaves every reader that it is in. Gives the slot that it is in now, of two the one that was named.
        """
        before = self._cards.inside[number]
        mine = [one for one, held in self._cards.filled if before and held.served is before.served] if swap else []
        at = self._meant(number, named.get("interface"), mine)
        for one in at:
            if one not in mine and self._cards.slots[one].inserted:
                raise ValueError(_("slot {number} has a card already: remove or swap it").format(number=one))
        card = {name: value for name, value in named.items() if name != "interface"}
        with contextlib.ExitStack() as undone:
            served = before.served if before else None
            if card:
                held = undone.enter_context(contextlib.ExitStack())
                served = Served(held.enter_context(self._cards.options.make(card)), held, origin(card))
            if served is None:
                raise ValueError(
                    _("slot {number} never had a card: name one by some of {options}").format(
                        number=number, options=BY_OPTIONS
                    )
                )
            elsewhere = [one for one, held in self._cards.filled if held.served is served and one not in {*at, *mine}]
            if any(self._cards.slots[one].inserted for one in elsewhere) and not self._is_seated(at, served):
                raise ValueError(_("the card is in slot {number}: swap it there").format(number=elsewhere[0]))
            # A layout that has no such side is refused here, while the card that is there is still in.
            sides = {} if self._is_seated(at, served) else self._cards.sides(at, served)
            self._take_out([one for one in mine if self._cards.slots[one].inserted])
            undone.pop_all()  # from now on the card's file is held for as long as the card is in a slot
            if sides:
                self._cards.seat({**dict.fromkeys({*mine, *elsewhere} - set(at)), **sides})
        self._put_in(list(at))
        put_in = _("another card put in") if card else _("put in")
        self._changed(sorted({*at, *mine}), put_in)
        return number if number in at else min(at)

    def _is_seated(self, at: Mapping[int, Interface], served: Served) -> bool:
        """True if these slots have these very sides of a card already, in them or taken out."""
        held = {one: self._cards.inside[one] for one in at}
        return all(one and one.served is served and one.chip.interface is at[slot] for slot, one in held.items())

    def _meant(self, number: int, interface: str | None, mine: Sequence[int]) -> dict[int, Interface]:
        """The slots that a card is to be in, and with which side. ``mine``: those of the card that it replaces.
        ValueError.
        """
        seat = self._cards.seats[number]
        if interface is None:
            return {one: self._cards.seats[one].interface for one in mine} or {number: seat.interface}
        if interface == BOTH:
            if seat.pair is None:
                raise ValueError(
                    _("slot {number} is one reader alone: `sscard run --interface both` gives a card two").format(
                        number=number
                    )
                )
            return {one: self._cards.seats[one].interface for one in sorted((number, seat.pair))}
        side = Interface(interface)
        if seat.pair is not None and side is not seat.interface:
            return {seat.pair: side}
        return {number: side}

    def _take_out(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._cards.slots[number].remove()
        for number in numbers:
            self._cards.wait_left(number)

    def _put_in(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            held = self._cards.inside[number]
            self._cards.slots[number].card = held.card if held else None
            self._cards.slots[number].insert()
        for number in numbers:
            self._cards.wait_taken(number)


def _event(request: Request) -> int | None:
    """The number of an event in a request, None where there is none. ValueError."""
    number = request.get("n")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
        raise ValueError(_("expected the number of an event as n, found {number!r}").format(number=number))
    return number


def _plan(request: Request) -> Plan | None:
    """The plan of faults in a request: ``plan`` in YAML, or ``faults``, a list of ``kind,field=value…``, with ``seed``;
    None for neither. FaultError.
    """
    content, texts, seed = request.get("plan"), request.get("faults"), request.get("seed")
    if content is not None and texts is not None:
        raise ValueError(_("expected faults as a plan or as a list, found both"))
    if isinstance(content, str):
        loaded = fault_plans.loads(content, "plan")
    elif isinstance(texts, list) and all(isinstance(one, str) for one in texts):
        loaded = Plan(tuple(map(fault_plans.from_text, texts)))
    elif content is None and texts is None:
        return None
    else:
        raise ValueError(_("expected a plan of faults as text, or a list of texts"))
    if isinstance(seed, int) and not isinstance(seed, bool):
        loaded = Plan(loaded.faults, seed)
    return loaded if loaded.faults else None
