"""The cards that the pytest plugin's fixtures are, and what can be done with them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto.keys import test_root as root_of
from emulator.filesystem.memory import image as images
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.personas.document import is_path
from emulator.reader.shape import ReaderShape
from emulator.reader.slot import Card
from harness.conformance.targets.logged import Logged
from harness.faults import plan as fault_plans
from harness.faults.chip import FaultyChip, Injection
from harness.faults.plan import Plan
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.serving.contactless import ContactlessReader
from harness.serving.reader_profiles import SYSTEMS, Shaped
from harness.serving.timing import Timing, usual_over
from harness.terminal.terminal import Terminal
from harness.verdicts.log import Log


@contextlib.contextmanager
def in_reader(name: str, log: Log) -> Iterator[Connection]:
    """The card in a PC/SC reader. PcscError."""
    with Pcsc(name) as connection:
        yield Logged(connection, log.card())


def virtual(folder: Path, asked: Mapping[str, Any], profile: tuple[str, str], log: Log) -> InProcess:
    """The virtual card that a marker asks for; its files lie in ``folder``."""
    chip, card = made(folder, asked, profile, log)
    return InProcess(chip, through=card)


def made(
    folder: Path, asked: Mapping[str, Any], profile: tuple[str, str], log: Log
) -> tuple[Chip, Card]:  # fmt: skip
    """The chip that a marker asks for, and as its reader gets it."""
    image = _image(folder, asked, profile)
    interface = Interface(asked.get("interface", Interface.CONTACT))
    apdu_shape, faults = asked.get("shape") == ReaderShape.APDU, asked.get("faults")
    layout = catalogue.over(image.layout, interface)
    if faults is None:
        chip = Chip(image, interface=interface, apdu_shape=apdu_shape, observer=log.card(layout))
    else:
        plan = _plan(folder, faults, asked.get("seed"))
        fault_plans.check(plan, [layout])
        chip = FaultyChip(image, plan, interface=interface, apdu_shape=apdu_shape, observer=log.card(layout))
    system = SYSTEMS[asked.get("system", "linux")]
    shaped = Shaped(chip, system, timing=_timing(folder, asked.get("slow", False), interface))
    return chip, ContactlessReader(shaped, chip) if chip.ats else shaped


def _timing(folder: Path, slow: bool | str, interface: Interface) -> Timing | None:
    """As slow as a card usually is over this interface, or as a profile beside the test says."""
    if isinstance(slow, str):
        return Timing.load(folder / slow)
    return usual_over(interface) if slow else None


def _image(folder: Path, asked: Mapping[str, Any], profile: tuple[str, str]) -> Image:
    """A fresh card, or the one in an image file, which stays as it is."""
    if "image" in asked:
        return images.load(folder / asked["image"])
    layout, algorithm = profile
    holder = asked.get("persona", personas.DEFAULT)
    return catalogue.card(
        folder / holder if is_path(holder) else holder,
        asked.get("layout", layout),
        asked.get("algorithm", algorithm),
    )


def _plan(folder: Path, asked: str | Sequence[str], seed: int | None) -> Plan:
    """A YAML file, or faults as the command line has them."""
    if isinstance(asked, str) and asked.endswith((".yaml", ".yml")):
        loaded = fault_plans.load(folder / asked)
        return loaded if seed is None else replace(loaded, seed=seed)
    texts = [asked] if isinstance(asked, str) else asked
    return Plan(tuple(map(fault_plans.from_text, texts)), seed or 0)


def psam() -> InProcess:
    """Returns a fresh PSAM."""
    return InProcess(Chip(catalogue.card(personas.PSAM, personas.PSAM)))


def terminal(card: Connection) -> Terminal:
    """A terminal that has begun a session with a card, with the published test keys."""
    known = card.chip.image.layout if isinstance(card, InProcess) else None
    session = Terminal(card, known, root_of)
    session.begin()
    return session


def injections(card: Connection) -> Sequence[Injection]:
    """The faults that have come so far."""
    chip = card.chip if isinstance(card, InProcess) else None
    return chip.injections if isinstance(chip, FaultyChip) else ()


def snapshot(card: Connection) -> Callable[[], None] | None:
    """What makes a virtual card as it is now again, and resets it; None for a card in a reader."""
    if not isinstance(card, InProcess):
        return None
    memory = card.chip.image.memory
    cells = memory.snapshot()

    def back() -> None:
        memory.restore(cells)
        card.reset()

    return back
