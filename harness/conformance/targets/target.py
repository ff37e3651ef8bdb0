"""What a target is: somewhere to run vectors, with a kind of card on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulator.errors import SscardError
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import CardKind
from emulator.interface import Interface
from emulator.messages import _
from harness.conformance.play import Play, Unsuitable
from harness.conformance.vector import Vector
from harness.verdicts.log import Log


class TargetError(SscardError, RuntimeError):
    """The target cannot be used at all."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of card is on the target."""

    version: str
    algorithm: str
    features: frozenset[str]
    interface: Interface = Interface.CONTACT

    @property
    def name(self) -> str:
        """Returns the kind's name, like ``3.00-sm4``; ``3.00-sm4-contactless`` of one in a field."""
        side = "" if self.interface is Interface.CONTACT else f"-{self.interface}"
        return f"{self.version}-{self.algorithm}{side}"


class Target(Protocol):
    """Somewhere to run vectors."""

    @property
    def profile(self) -> Profile:
        """Returns the kind of card."""

    @property
    def target(self) -> str:
        """Returns what it is in words, for reports."""

    @property
    def physical(self) -> bool:
        """True where what is done cannot be undone."""

    @property
    def searching(self) -> bool:
        """True where the plays are places in which the vector may be found; else it must pass in all of them."""

    def layout_for(self, vector: Vector) -> Layout:
        """The layout of the card that the vector is run on. Unsuitable where it needs another."""

    def harm(self, vector: Vector) -> str:
        """What running a vector would do to a card that is not made for it, in words; empty for nothing."""

    def opened(self, vector: Vector, log: Log) -> Iterator[Play]:
        """The ways to play the vector in turn. Unsuitable, Missing."""


def suits(vector: Vector, interface: Interface) -> None:
    """Unsuitable where a vector is about what this interface has no use for."""
    if interface is Interface.CONTACTLESS and vector.speaks_t0:
        raise Unsuitable(_("it is about 61xx, 6Cxx or GET RESPONSE, which T=CL has no use for"))


def features_of(layout: Layout) -> frozenset[str]:
    """What a layout's cards have, in the words of vectors."""
    hidden = layout.hidden
    has = {
        "activation": layout.activation is not None,
        "bank": any(app.processing for app in layout.applications.values() if app.id not in hidden),
        "blocking": layout.card is CardKind.USER,
        "certificate": layout.certificate is not None and layout.certificate.application not in hidden,
        "pin": bool(layout.pin.application) and layout.pin.application not in hidden,
        "purse": layout.purse is not None and layout.purse.application not in hidden,
        "temporary": layout.blocking.temporary,
    }
    return frozenset(name for name, there in has.items() if there)


def asked_for(vector: Vector, layout: Layout) -> str:
    """The layout that a vector needs instead of a card's own; empty where its own will do."""
    wanted = vector.layout_for(layout.version)
    return "" if not wanted or Path(wanted).stem == layout.name else wanted
