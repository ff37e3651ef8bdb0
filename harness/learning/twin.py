"""The twin of a card in this process: asked the same, and held against the card's own answers.

It stores what was read, in memory alone, so that every shape is the card's; what could not be read is a made-up
person's. What it answers otherwise than the card no layout says yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from emulator import catalogue, personas
from emulator.apdu.status import SW
from emulator.chip import Chip
from emulator.filesystem.layouts.items import ItemError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.cells import PIN_CELL, ApplicationLife, file_cell, state_cell, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface, interface_of
from emulator.personas.issue import issue
from emulator.security import PIN
from harness.learning.explore import Found
from harness.learning.observation import Asked, Reading
from harness.learning.prober import Step, answered, seen
from harness.learning.rights import NO_PIN_SET

BLOCKED = {
    int(SW.APPLICATION_BLOCKED): ApplicationLife.PERMANENT,
    int(SW.APPLICATION_BLOCKED_TEMPORARILY): ApplicationLife.TEMPORARY,
}


@dataclass(frozen=True, slots=True)
class Twin:
    """Makes chips of a layout that hold what was read of a card. ``apdu_shape``: as its reader hands answers on;
    ``interface``: over which it was read.
    """

    found: Found
    algorithm: str
    apdu_shape: bool
    interface: Interface = Interface.CONTACT

    def image(self, layout: Layout) -> Image:
        """A fresh card of this layout, in the state in which the card is."""
        algorithm = self.algorithm if self.algorithm in layout.algorithms else layout.algorithms[0]
        image = _issued(layout, algorithm)
        memory = image.memory
        for path, file in self.found.files.items():
            spec = layout.files.get(path)
            if spec is None or spec.directory:
                continue
            if file.records is not None and spec.structure != "transparent":
                memory.put(file_cell(path), tuple(file.records))
            elif file.content is not None and spec.structure == "transparent":
                memory.put(file_cell(path), (file.content[: spec.size].ljust(spec.size, b"\0"),))
        told = self.found.counters.get(PIN, "")
        if told == NO_PIN_SET:
            memory.put(PIN_CELL, "")
        elif told.isdecimal():
            memory.put(tries_cell(PIN), int(told))
        for name, one in self.found.applications.items():
            if one.sw in BLOCKED and name in layout.applications:
                memory.put(state_cell(name), BLOCKED[one.sw])
        memory.commit()
        return image

    def chip(self, layout: Layout) -> Chip:
        """A chip of the twin's, as new. Of a layout without the interface that the card was read over it answers in the
        shape that is nearest: whole.
        """
        return self.of(self.image(layout))

    def of(self, image: Image) -> Chip:
        """A chip of an image, in the way that the card was read."""
        there = self.interface is Interface.CONTACT or image.layout.contactless is not None
        return Chip(image, interface=self.interface if there else Interface.CONTACT, apdu_shape=self.apdu_shape)


def _issued(layout: Layout, algorithm: str) -> Image:
    """A card of the layout with somebody's values; an empty one where these have no room, as the card answered with
    records that were cut short: what was read is put there anyway.
    """
    try:
        return catalogue.card(personas.DEFAULT, layout, algorithm)
    except ItemError:
        nobody = replace(catalogue.persona(personas.DEFAULT), values={}, versions={})
        return issue(nobody, layout, algorithm)


def replay(chip: Chip, scripts: Iterable[list[Step]]) -> Iterator[Asked]:
    """What a chip answers to the questions of scripts, up to where one proves a PIN or a key."""
    for script in scripts:
        for step in script:
            if step.proof:
                break
            if not step.command:
                chip.reset()
                continue
            answer = answered(chip.transmit, step)
            if step.probe:
                yield seen(step, answer)


def alike(card: Asked, twin: Asked) -> bool:
    """True for the same answer in shape; what came with it is nobody's business."""
    return (card.sw, card.length, card.shape) == (twin.sw, twin.length, twin.shape)


def apdu_shape(reading: Reading) -> bool:
    """True where the reader follows 61xx and 6Cxx by itself: none was ever seen. So are answers of a card in a field,
    which are whole but for a wrong Le.
    """
    return interface_of(reading.atr) is Interface.CONTACTLESS or not any(
        answer[-2:-1] in (b"\x61", b"\x6c") for __, answer in reading.exchanges if len(answer) == 2
    )
