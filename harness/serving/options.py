"""What ``sscard run`` is asked for: cards, how each is put in, and the readers that this takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from harness.faults.plan import Plan
from harness.serving.far import Far
from harness.serving.pcsc_service import Wanted
from harness.serving.reader_profiles import SYSTEMS, System
from harness.serving.timing import Timing
from harness.trace.record import TraceFile

BOTH = "both"
INTERFACES = (*map(str, Interface), BOTH)
"""How a card may be put into readers: by one of its interfaces, or with each in a reader of its own."""
NAMED = ("persona", "persona_text", "image", "layout", "algorithm", "interface")
"""What a request may say of the card that is to be put in. ``persona_text``: a persona's TOML itself."""
PERSONA_TEXT = "persona"
"""What a persona that came as text is called in messages."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a card comes from: the persona that it was made from, the file that holds it, the moment that it was
    branched off.
    """

    persona: str = ""
    """The persona's name: all that such a card says is of somebody made up. Empty for a card from a file."""
    file: str = ""
    branch: tuple[int, int] | None = None
    """The slot and the number of the command after which it was as this one began."""

    def as_table(self) -> dict[str, Any]:
        """For JSON."""
        told: dict[str, Any] = {"persona": self.persona, "image_file": self.file}
        if self.branch is not None:
            told["branch"] = {"slot": self.branch[0], "n": self.branch[1]}
        return told


class Page(Protocol):
    """A page on which a run's cards are seen, in a process of its own."""

    @property
    def url(self) -> str:
        """Returns where it is."""

    @property
    def ended(self) -> int | None:
        """Its exit code, None while it serves."""


@dataclass(slots=True)
class Options:
    """What to serve and how. ``images`` go into slots 0, 1…, none for a run that begins with empty ones; ``make`` makes
    the card that ``card insert`` and ``card swap`` name, by the options of ``NAMED``, and holds its file. ``slots``: at
    least so many. ``port``: of the first slot; None: any that is free.
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
    far: Far | None = None
    """Readers of another machine, in place of this one's."""
    demo: bool = False
    once: bool = False
    trace: TraceFile | None = None
    faults: Plan | None = None
    """For the user cards in all slots, each with a seed of its own; a terminal's own card stays right."""
    interfaces: Sequence[str] = (str(Interface.CONTACT),)
    """One of ``INTERFACES`` for each user card; the last holds for those that follow, and for empty slots."""
    reader_names: Sequence[str] = ()
    """By slot; of those that follow, or where one is empty, the usual."""
    origins: Sequence[Origin] = ()
    """Of each image, as far as it is known."""

    page: Callable[[str, str], AbstractContextManager[Page]] | None = None
    """Serves a page for the run of an id, or for none and why there is none."""

    def interface(self, number: int) -> str:
        """How the card of this number is put in."""
        return self.interfaces[min(number, len(self.interfaces) - 1)]


@dataclass(frozen=True, slots=True)
class Seat:
    """A slot of a run, and the reader that it is to have. ``pair``: the slot of the same card's other side."""

    interface: Interface
    wanted: Wanted
    pair: int | None = None


def seats(options: Options) -> list[Seat]:
    """A slot for each side of each card that is to be in a reader, then those that stay empty."""
    told: list[tuple[Interface, int | None]] = []
    for number, image in enumerate(options.images):
        asked = options.interface(number) if image.layout.card is CardKind.USER else str(Interface.CONTACT)
        if asked == BOTH:
            at = len(told)
            told += [(Interface.CONTACT, at + 1), (Interface.CONTACTLESS, at)]
        else:
            told.append((Interface(asked), None))
    last = options.interface(len(options.images))
    usual = Interface.CONTACT if last == BOTH else Interface(last)
    told += [(usual, None)] * (max(1, options.slots) - len(told))
    names = [*options.reader_names, *[""] * len(told)]
    return [
        Seat(interface, Wanted(interface is Interface.CONTACTLESS, name), pair)
        for (interface, pair), name in zip(told, names, strict=False)
    ]
