"""A situation: the card that a terminal meets, and what stands between the two."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emulator import catalogue, personas
from emulator.errors import ErrorKind, SscardError
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory.cells import PIN_CELL
from emulator.filesystem.memory.image import Image
from emulator.guess import guess
from emulator.interface import Interface
from emulator.messages import _
from emulator.personas.document import is_path
from emulator.reader.shape import ReaderShape
from harness.serving.reader_profiles import SYSTEMS

DEFAULT_LAYOUT = "3.00"


class SituationError(SscardError, ValueError):
    """There is no such situation: what of it cannot be, and what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Situation:
    """``persona``, ``layout`` and ``psam``: names, or paths of files of one's own; an empty layout and algorithm are
    the usual ones, an empty ``psam`` none at all. ``slow``: as a contact card at 9600 bit/s. ``lost``: the card was
    reported lost, which the rules know. ``pin``: the one that its holder has set; empty: as the persona has it.
    """

    name: str
    title: str = ""
    title_zh: str = ""
    persona: str = personas.DEFAULT
    layout: str = ""
    algorithm: str = ""
    interface: Interface = Interface.CONTACT
    shape: ReaderShape = ReaderShape.T0
    system: str = "linux"
    slow: bool = False
    psam: str = personas.PSAM
    lost: bool = False
    pin: str = ""

    def card(self) -> Image:
        """The card that it is about, fresh. SituationError where there is none such."""
        try:
            image = catalogue.card(self.persona, self.layout or DEFAULT_LAYOUT, self._algorithm())
            catalogue.over(image.layout, self.interface)
        except (SscardError, LookupError, ValueError) as error:
            raise SituationError(_("situation {name}: {error}").format(name=self.name, error=error)) from None
        if self.pin:
            self._set_pin(image)
        return image

    def _set_pin(self, image: Image) -> None:
        spec = image.layout.pin
        if not (self.pin.isascii() and self.pin.isdigit() and spec.min_digits <= len(self.pin) <= spec.max_digits):
            raise SituationError(
                _("situation {name}: pin: expected {least} to {most} digits").format(
                    name=self.name, least=spec.min_digits, most=spec.max_digits
                )
            )
        image.memory.put(PIN_CELL, self.pin)
        image.memory.commit()

    def _algorithm(self) -> str:
        there = catalogue.layout(self.layout or DEFAULT_LAYOUT).algorithms
        return self.algorithm or ("3des" if "3des" in there else there[0])

    def own_card(self) -> Image | None:
        """The terminal's own card, fresh; None where it has none. SituationError."""
        if not self.psam:
            return None
        try:
            person = catalogue.persona(self.psam)
            image = catalogue.card(self.psam, personas.PSAM) if person.card is CardKind.PSAM else None
        except (SscardError, LookupError, ValueError) as error:
            raise SituationError(_("situation {name}: {error}").format(name=self.name, error=error)) from None
        if image is None:
            raise SituationError(
                _("situation {name}: {psam} is no terminal's own card: expected one of {known}").format(
                    name=self.name, psam=self.psam, known=", ".join(catalogue.personas(CardKind.PSAM))
                )
            )
        return image

    def check(self) -> None:
        """SituationError where a card of it cannot be made, or a system is not known."""
        if self.system not in SYSTEMS:
            raise SituationError(
                _("situation {name}: no system {system!r}{guess}").format(
                    name=self.name, system=self.system, guess=guess(self.system, SYSTEMS)
                )
            )
        self.card()
        self.own_card()

    def within(self, folder: str) -> Situation:
        """The same, whose own files are found from a folder."""

        def found(name: str) -> str:
            return f"{folder}/{name}" if is_path(name) and not name.startswith("/") else name

        return replace(self, persona=found(self.persona), layout=found(self.layout), psam=found(self.psam))
