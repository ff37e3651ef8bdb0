"""Virtual cards in this process: a fresh one for every vector."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator import catalogue, personas
from emulator.chip import Chip
from emulator.errors import SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _
from emulator.reader.shape import ReaderShape
from harness.conformance.models import Follows
from harness.conformance.person import issued
from harness.conformance.play import Play, Unsuitable
from harness.conformance.targets.target import Profile, asked_for, features_of, suits
from harness.conformance.vector import Vector
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from harness.verdicts.log import Log

USUAL_SHAPES = (ReaderShape.T0,)
"""What virtual cards speak where a vector says nothing."""


def _chip(image: Image, shape: ReaderShape, log: Log, interface: Interface = Interface.CONTACT) -> Chip:
    observer = log.card(catalogue.over(image.layout, interface))
    return Chip(image, interface=interface, apdu_shape=shape is ReaderShape.APDU, observer=observer)


@dataclass(frozen=True, slots=True)
class Virtual:
    """A fresh virtual card for every vector. ``layout`` is a name or a file, as it must go to other processes."""

    layout: str
    algorithm: str
    interface: Interface = Interface.CONTACT

    physical = False
    searching = False

    @property
    def profile(self) -> Profile:
        """Everything that can be had: any persona, any reader shape, power to tear; of a card in a field no T=0.
        NoSuchInterface.
        """
        loaded = catalogue.over(catalogue.layout(self.layout), self.interface)
        there = {"virtual", "t0" if self.interface is Interface.CONTACT else "contactless"}
        return Profile(loaded.version, self.algorithm, features_of(loaded) | there, self.interface)

    @property
    def target(self) -> str:
        """Returns layout and algorithm in words."""
        words = (
            _("virtual card, layout {layout}, {algorithm}")
            if self.interface is Interface.CONTACT
            else _("virtual card, contactless, layout {layout}, {algorithm}")
        )
        return words.format(layout=self.layout, algorithm=self.algorithm)

    def layout_for(self, vector: Vector) -> Layout:
        """This target's layout, or the one that the vector needs instead of a version's usual one."""
        plan = catalogue.layout(self._layout_for(vector))
        if self.interface is Interface.CONTACTLESS and plan.contactless is None:
            raise Unsuitable(_("it wants a card of the layout {layout}, by contacts").format(layout=plan.name))
        return plan

    def _layout_for(self, vector: Vector) -> str:
        own = catalogue.layout(self.layout)
        wanted = asked_for(vector, own)
        if wanted and self.layout != own.version:
            raise Unsuitable(_("it wants a card of the layout {layout}").format(layout=Path(wanted).stem))
        return wanted or self.layout

    def _shapes(self, vector: Vector) -> tuple[ReaderShape, ...]:
        """Those to play it in; whole answers alone of a card in a field. Unsuitable."""
        if self.interface is Interface.CONTACT:
            return vector.shapes or USUAL_SHAPES
        suits(vector, self.interface)
        side = self.layout_for(vector).contactless
        if vector.needs_pin and side is not None and not side.pin:
            raise Unsuitable(_("it uses the PIN, which the layout keeps to the contacts"))
        return (ReaderShape.APDU,)

    def harm(self, vector: Vector) -> str:  # noqa: ARG002
        """None: the card is made for the vector."""
        return ""

    def load(self, vectors: Iterable[Vector]) -> None:
        """Has the catalogue load what these vectors need, for the processes that are forked from this one."""
        for vector in vectors:
            with contextlib.suppress(SscardError, Unsuitable):  # whoever runs the vector says what is wrong
                self.layout_for(vector)
                catalogue.persona(vector.holder)
                if vector.needs_psam:
                    catalogue.layout(vector.layout_of_psam)
                    catalogue.persona(personas.PSAM)

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """A fork of the persona's card, so that no vector sees another's traces, in each shape and way to follow."""
        person = issued(vector.holder, self.layout_for(vector), self.algorithm)
        psam_layout = vector.layout_of_psam
        own = issued(personas.PSAM, catalogue.layout(psam_layout), "3des") if vector.needs_psam else None
        shapes = self._shapes(vector)
        several = len(shapes) * len(vector.followers) > 1
        for shape in shapes:
            for follows in vector.followers if shape is ReaderShape.T0 else (Follows.READER,):
                chip = _chip(person.image.fork(), shape, log, self.interface)
                terminal = Terminal(InProcess(chip), chip.image.layout)
                terminal.adopt(chip.image)
                terminal.region = person.persona.region
                psam = _chip(own.image.fork(), shape, log) if own else None
                yield Play(
                    terminal,
                    person.persona.pin or chip.image.layout.pin.initial,
                    psam=InProcess(psam) if psam else None,
                    person=person,
                    psam_person=own,
                    follows=follows,
                    shape=shape if several else None,
                )
