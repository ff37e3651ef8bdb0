"""``sscard run``: cards in readers, served until someone ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.chip import Chip
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from emulator.reader.slot import Card, Slot
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.readers import pcsc
from harness.readers.connection import InProcess, Pcsc
from harness.serving import control, demo
from harness.serving.in_reader import wait_taken
from harness.serving.pcsc_service import Place, Service, pcsc_service
from harness.serving.reader_profiles import SYSTEMS, Shaped, System
from harness.serving.timing import Timing
from harness.trace.record import TraceFile

NO_READER = pcsc.PcscError.exit_code
"""Exit code where this machine can have no virtual reader."""
NAMED = ("persona", "image", "layout", "algorithm")
"""What a request may say of the card that is to be put in."""


@dataclass(slots=True)
class Options:
    """What to serve and how. ``images`` go into slots 0, 1…; ``make`` makes the card that ``card insert`` and ``card
    swap`` name, by the options of ``NAMED``, and holds its file. ``port``: of the first slot; None: any that is free.
    """

    images: list[Image]
    pin: str
    make: Callable[[Mapping[str, str]], AbstractContextManager[Image]]
    slots: int
    port: int | None = None
    first_held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What holds the first card's file; closed when another card takes its slot."""
    apdu_shape: bool = False
    system: System = SYSTEMS["linux"]
    timing: Timing | None = None
    """How slow the cards are; None: as fast as they can."""
    private: bool = False
    demo: bool = False
    once: bool = False
    trace: TraceFile | None = None
    faults: Plan | None = None
    """For the user cards in all slots, each with a seed of its own; a terminal's own card stays right."""


def say(text: str) -> None:
    """One line on stdout, at once."""
    print(text, flush=True)


class Ended(BaseException):
    """SIGINT or SIGTERM came."""


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """Ends what it holds, in order, at SIGINT or SIGTERM."""

    def end(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # once is enough: what follows is orderly
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Run:
    """The chips and slots of one ``sscard run``."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.chips: list[Chip | None] = [None] * options.slots
        self.slots: list[Slot] = []
        self.service: Service | None = None
        self.places: list[Place] = []
        self._held = [options.first_held, *(contextlib.ExitStack() for _ in range(1, options.slots))]
        self._steering = threading.Lock()
        for number, image in enumerate(options.images):
            self.chips[number] = self.chip(image, number)

    def chip(self, image: Image, slot: int) -> Chip:
        """A chip for this slot, traced if asked."""
        trace = self.options.trace
        observer = trace.slot(slot, image) if trace else None
        if self.options.faults and image.layout.card is CardKind.USER:
            plan = replace(self.options.faults, seed=self.options.faults.seed + slot)
            return FaultyChip(image, plan, apdu_shape=self.options.apdu_shape, observer=observer)
        return Chip(image, apdu_shape=self.options.apdu_shape, observer=observer)

    def shaped(self, chip: Chip | None) -> Card | None:
        """The chip as its reader's slot gets it: under a system's habits, slow if asked."""
        options = self.options
        if chip is None or (options.system.name == "linux" and options.timing is None):
            return chip
        return Shaped(chip, options.system, timing=options.timing)

    @property
    def readers(self) -> list[str]:
        """The slots' readers, by their PC/SC names."""
        return [place.reader for place in self.places]

    def insert_all(self, service: Service) -> None:
        """Every card into its slot. PcscError where there are too few that are free."""
        self.service = service
        self.places = service.places(self.options.slots)
        for chip, place in zip(self.chips, self.places, strict=True):
            slot = Slot(self.shaped(chip), place.port)
            self.slots.append(slot)
            if chip is not None:
                slot.insert()

    def wait(self, number: int) -> None:
        """Waits until PC/SC has powered this very card and says that it is there; PcscError."""
        wait_taken(self.slots[number], self.places[number].reader)

    def close(self) -> None:
        """All cards out, their files let go."""
        for slot in self.slots:
            slot.close()
        for held in self._held:
            held.close()

    def steer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of ``sscard card``. ValueError, LookupError, TimeoutError, PcscError."""
        if request.get("op") == "list":  # other runs ask this while they start: it waits for nothing
            return self._listed()
        with self._steering:
            return self._steer(request)

    def _listed(self) -> dict[str, Any]:
        rows = []
        for number, (place, slot) in enumerate(zip(self.places, self.slots, strict=True)):
            chip = self.chips[number]
            row = {"slot": number, "reader": place.reader, "port": place.port, "inserted": slot.inserted}
            if chip is not None:
                image = chip.image
                row |= {"atr": chip.atr.hex().upper(), "layout": image.layout.name, "algorithm": image.algorithm}
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
        with contextlib.ExitStack() as stack:
            made = self.chip(stack.enter_context(self.options.make(named)), number) if named else None
            chip = made or self.chips[number]
            if chip is None:
                raise ValueError(
                    _("slot {number} never had a card: name one by some of {options}").format(
                        number=number, options=options
                    )
                )
            if operation != "insert":
                slot.remove()
                # A card that came back before the reader has looked would be taken for the old one.
                if not pcsc.wait_card(self.readers[number], present=False):
                    raise TimeoutError(_("PC/SC still sees a card in slot {number}").format(number=number))
            if made is not None:
                self._held[number].close()
                self._held[number] = stack.pop_all()
        if operation != "remove":
            self.chips[number], slot.card = chip, self.shaped(chip)
            slot.insert()
            self.wait(number)
        return {"slot": number, "inserted": slot.inserted, "atr": chip.atr.hex().upper() if slot.inserted else ""}


@contextlib.contextmanager
def _service(options: Options) -> Iterator[Service]:
    """PC/SC for a run's cards, told where it has a socket of its own. PcscError."""
    with pcsc_service(options.slots, options.port, private=options.private) as service:
        if options.private:
            say(f"{pcsc.SOCKET_VARIABLE}={service.path}")
        yield service


def run(options: Options) -> int:
    """Serves until SIGINT or SIGTERM; the exit code. PcscError, ControlError."""
    lacking = list(map(str, pcsc.missing()))
    if lacking:
        return _without_reader(options, "; ".join(lacking))
    worked = True
    with ended(), contextlib.ExitStack() as stack:
        card_run = Run(options)
        cards = [(number, chip) for number, chip in enumerate(card_run.chips) if chip is not None]
        with control.starting():
            try:
                service = stack.enter_context(_service(options))
            except pcsc.PcscError as error:
                return _without_reader(options, str(error))
            stack.callback(card_run.close)
            card_run.insert_all(service)
            for number, _chip in cards:
                card_run.wait(number)
            stack.enter_context(control.serve(card_run.steer))
        readers = card_run.readers
        if options.demo or options.once:
            with Pcsc(readers[0]) as connection:
                say(
                    _("A terminal session through PC/SC, reader {reader!r} 通过PC/SC的终端会话").format(
                        reader=readers[0]
                    )
                )
                worked = demo.run(connection, say, pin=options.pin, known=options.images[0].layout)
        for number, chip in cards:
            say(f"ready {number} {chip.atr.hex().upper()} {readers[number]}")
        if not options.once:
            _note(_("serving; Ctrl-C ends 服务中，按Ctrl-C结束"))
            if service.process is None:
                threading.Event().wait()
            else:
                code = service.process.wait()
                raise pcsc.PcscError(
                    _("its pcscd ended by itself (exit code {code}): the readers are gone").format(code=code)
                )
    return 0 if worked else 1


def _without_reader(options: Options, why: str) -> int:
    _note(
        _(
            "No virtual reader can be had here, so no PC/SC program will find a card: {why}. On Debian, "
            "`make run` as root installs all that is needed; `sscard doctor` checks it. 本机无法提供虚拟读卡器。"
        ).format(why=why)
    )
    if options.demo or options.once:
        say(_("The same session in this process, without any reader 以下为进程内会话，未使用读卡器"))
        chip = Chip(options.images[0], apdu_shape=options.apdu_shape)
        demo.run(InProcess(chip), say, pin=options.pin, known=options.images[0].layout)
    return NO_READER


def _note(text: str) -> None:
    print(f"sscard: {text}", file=sys.stderr, flush=True)
