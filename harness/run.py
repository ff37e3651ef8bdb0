"""``sscard run``: cards in readers, served until someone ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emulator.chip import Chip
from emulator.filesystem.image import Image
from emulator.reader.slot import Card, Slot
from harness import control, demo, pcsc
from harness.connection import InProcess, Pcsc
from harness.faults.chip import FaultyChip
from harness.faults.plan import Plan
from harness.shapes import SYSTEMS, Shaped, System
from harness.trace.record import TraceFile

NO_READER = 3
"""Exit code where this machine can have no virtual reader."""


@dataclass(slots=True)
class Options:
    """What to serve and how. ``images`` go into slots 0, 1…; ``make`` issues a persona's card for ``card swap``."""

    images: list[Image]
    pin: str
    make: Callable[[str], Image]
    slots: int
    port: int
    apdu_shape: bool = False
    system: System = SYSTEMS["linux"]
    slow: bool = False
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
        self.readers: list[str] = []
        self._steering = threading.Lock()
        for number, image in enumerate(options.images):
            self.chips[number] = self.chip(image, number)

    def chip(self, image: Image, slot: int) -> Chip:
        """A chip for this slot, traced if asked."""
        trace = self.options.trace
        observer = trace.slot(slot, image) if trace else None
        if self.options.faults and image.layout.card == "user":
            plan = replace(self.options.faults, seed=self.options.faults.seed + slot)
            return FaultyChip(image, plan, apdu_shape=self.options.apdu_shape, observer=observer)
        return Chip(image, apdu_shape=self.options.apdu_shape, observer=observer)

    def shaped(self, chip: Chip | None) -> Card | None:
        """The chip as its reader's slot gets it: under a system's habits, slow if asked."""
        options = self.options
        if chip is None or (options.system.name == "linux" and not options.slow):
            return chip
        return Shaped(chip, options.system, slow=options.slow)

    def insert_all(self) -> None:
        """Every card into its slot."""
        self.readers = pcsc.virtual_readers(self.options.slots)
        for number, chip in enumerate(self.chips):
            slot = Slot(self.shaped(chip), self.options.port + number)
            self.slots.append(slot)
            if chip is not None:
                slot.insert()

    def wait(self, number: int) -> None:
        """Waits until PC/SC has powered this very card and says that it is there; PcscError."""
        reader, port = self.readers[number], self.options.port + number
        if not self.slots[number].wait_powered(pcsc.POWER_TIMEOUT) or not pcsc.wait_card(reader):
            raise pcsc.PcscError(
                f"reader {reader!r} did not take the card at port {port} within {pcsc.POWER_TIMEOUT:g} s: "
                f"another card program may hold that slot; see `sscard doctor`"
            )

    def close(self) -> None:
        """All cards out."""
        for slot in self.slots:
            slot.close()

    def steer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of ``sscard card``. ValueError, LookupError, TimeoutError, PcscError."""
        with self._steering:
            return self._steer(request)

    def _steer(self, request: dict[str, Any]) -> dict[str, Any]:
        number, operation = request.get("slot"), request.get("op")
        if not isinstance(number, int) or not 0 <= number < len(self.slots):
            raise ValueError(f"expected a slot from 0 to {len(self.slots) - 1}, found {number!r}")
        slot, persona = self.slots[number], request.get("persona")
        if operation not in ("insert", "remove", "swap", "reset"):
            raise ValueError(f"expected insert, remove, swap or reset, found {operation!r}")
        if operation == "insert" and slot.inserted:
            raise ValueError(f"slot {number} has a card already: remove or swap it")
        if operation != "insert" and not slot.inserted:
            raise ValueError(f"slot {number} is empty")
        if operation == "swap" and not persona:
            raise ValueError("swap needs the persona to put in")
        chip = self.chip(self.options.make(persona), number) if persona else self.chips[number]
        if chip is None:
            raise ValueError(f"slot {number} never had a card: name a persona")
        if operation != "insert":
            slot.remove()
            # A card that came back before the reader has looked would be taken for the old one.
            if not pcsc.wait_card(self.readers[number], present=False):
                raise TimeoutError(f"PC/SC still sees a card in slot {number}")
        if operation != "remove":
            self.chips[number], slot.card = chip, self.shaped(chip)
            slot.insert()
            self.wait(number)
        return {"slot": number, "inserted": slot.inserted, "atr": chip.atr.hex().upper() if slot.inserted else ""}


@contextlib.contextmanager
def _service(options: Options) -> Iterator[subprocess.Popen[bytes] | None]:
    """PC/SC for the cards: the pcscd started for them, or None where one runs already."""
    if options.private:
        with tempfile.TemporaryDirectory(prefix="sscard-") as folder:
            path = Path(folder, "pcscd.comm")
            with pcsc.pcscd(options.slots, options.port, path) as process:
                os.environ[pcsc.SOCKET_VARIABLE] = str(path)
                say(f"{pcsc.SOCKET_VARIABLE}={path}")
                yield process
    elif pcsc.answers(pcsc.socket_path()):
        yield None  # the system's, with the ports its configuration says
    else:
        with pcsc.pcscd(options.slots, options.port, pcsc.socket_path()) as process:
            yield process


def run(options: Options) -> int:
    """Serves until SIGINT or SIGTERM; the exit code. PcscError, ControlError."""
    lacking = [f"{one.what} is missing: {one.remedy}" for one in pcsc.missing()]
    if lacking:
        return _without_reader(options, "; ".join(lacking))
    worked = True
    with ended(), contextlib.ExitStack() as stack:
        try:
            process = stack.enter_context(_service(options))
        except pcsc.PcscError as error:
            return _without_reader(options, str(error))
        card_run = Run(options)
        stack.callback(card_run.close)
        card_run.insert_all()
        cards = [(number, chip) for number, chip in enumerate(card_run.chips) if chip is not None]
        for number, _ in cards:
            card_run.wait(number)
        readers = card_run.readers
        if options.demo or options.once:
            with Pcsc(readers[0]) as connection:
                say(f"A terminal session through PC/SC, reader {readers[0]!r} 通过PC/SC的终端会话")
                worked = demo.run(connection, say, pin=options.pin, known=options.images[0].layout)
        stack.enter_context(control.serve(options.port, card_run.steer))
        for number, chip in cards:
            say(f"ready {number} {chip.atr.hex().upper()} {readers[number]}")
        if not options.once:
            _note("serving; Ctrl-C ends 服务中，按Ctrl-C结束")
            if process is None:
                threading.Event().wait()
            else:
                code = process.wait()
                raise pcsc.PcscError(f"its pcscd ended by itself (exit code {code}): the readers are gone")
    return 0 if worked else 1


def _without_reader(options: Options, why: str) -> int:
    _note(
        f"No virtual reader can be had here, so no PC/SC program will find a card: {why}. On Debian, `make run` as "
        f"root installs all that is needed; `sscard doctor` checks it. 本机无法提供虚拟读卡器。"
    )
    if options.demo or options.once:
        say("The same session in this process, without any reader 以下为进程内会话，未使用读卡器")
        chip = Chip(options.images[0], apdu_shape=options.apdu_shape)
        demo.run(InProcess(chip), say, pin=options.pin, known=options.images[0].layout)
    return NO_READER


def _note(text: str) -> None:
    print(f"sscard: {text}", file=sys.stderr, flush=True)
