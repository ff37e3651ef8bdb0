"""Cards to learn: of shipped layouts, and altered ones; and what is held against them."""

from __future__ import annotations

from dataclasses import dataclass

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.crypto.keys import test_root
from emulator.filesystem.layouts.specs import Layout
from harness.keys.root_keys import RootKeys
from harness.learning.learn import Learned, Wanted, learn
from harness.readers.connection import InProcess

LAYOUTS = ("1.00", "1.00-whole", "2.00", "3.00", "generator", "regional")
PIN = catalogue.persona(personas.DEFAULT).pin


@dataclass(frozen=True)
class Kind:
    """A kind of card in a kind of reader."""

    layout: str
    algorithm: str
    shape: str

    def __str__(self) -> str:
        return f"{self.layout}-{self.algorithm}-{self.shape}"


KINDS = [
    Kind(layout, algorithm, shape)
    for layout in LAYOUTS
    for algorithm in catalogue.layout(layout).algorithms
    for shape in ("t0", "apdu")
]
EVERYTHING = Wanted(keys=RootKeys(test_root), pin=PIN)


def chip(layout: Layout | str, algorithm: str = "", shape: str = "t0", persona: str = personas.DEFAULT) -> Chip:
    """A fresh card."""
    return Chip(catalogue.card(persona, layout, algorithm), apdu_shape=shape == "apdu")


def learned(one: Chip, wanted: Wanted | None = None) -> Learned:
    """What is learned of a chip in this process."""
    return learn(InProcess(one), wanted or Wanted())


def differences(found: Learned) -> dict[str, tuple[object, object]]:
    """What the learning says differs from the nearest layout."""
    return {one.where: (one.before, one.after) for one in found.learning.differences}
