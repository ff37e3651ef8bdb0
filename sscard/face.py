"""What ``import sscard`` exports. The harness, which knows terminals and readers, is imported where it is needed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from emulator.interface import Interface
from emulator.messages import _

if TYPE_CHECKING:
    from harness.driver.library import SSCardDriver
    from harness.terminal.terminal import Terminal

__all__ = ["Card", "card", "driver", "psam", "reader", "terminal"]

SHAPES = ("t0", "apdu")
USER, PSAM = "user", "psam"


class Card:
    """A card as a terminal sees it: power and commands. ``card()`` and ``psam()`` make one.

    ``shape`` is that of the reader it is in: through ``t0`` answers are announced by 61xx and corrected by 6Cxx, and
    the caller follows; ``apdu`` is a reader that follows by itself. ``interface``: ``contact``, or ``contactless``,
    over which answers come whole whatever the shape.

    No reader and no other process is needed. One card may be used from several threads; commands wait for one another.
    """

    def __init__(self, image: Image, shape: str, interface: str = Interface.CONTACT) -> None:
        if shape not in SHAPES:
            raise ValueError(
                _("shape: expected one of {names}, found {shape!r}").format(names=", ".join(SHAPES), shape=shape)
            )
        if interface not in tuple(Interface):
            raise ValueError(
                _("interface: expected one of {names}, found {interface!r}").format(
                    names=", ".join(Interface), interface=interface
                )
            )
        self._image = image
        self._shape = shape
        self._interface = Interface(interface)
        self._chip = Chip(image, interface=self._interface, apdu_shape=shape == "apdu")

    def power_on(self) -> bytes:
        """Power and reset: the ATR. On a powered card it is a reset: rights, selection and challenge are lost."""
        return self._chip.power_on()

    def transmit(self, command: bytes | bytearray | memoryview) -> bytes:
        """The answer to one command APDU: data and status word, two bytes at least, whatever came.

        RuntimeError before ``power_on``, TypeError unless it is bytes.
        """
        return self._chip.transmit(bytes(memoryview(command)))

    def fork(self) -> Card:
        """Another card of the same content from here on, unpowered; what is done to one never reaches the other."""
        return Card(self._image.fork(), self._shape, self._interface)


def card(
    persona: str | Path = "adult-chengdu",
    *,
    layout: str | Path = "3.00",
    algorithm: str = "3des",
    shape: str = "t0",
    interface: str = "contact",
) -> Card:
    """A fresh user card, unpowered.

    ``persona`` and ``layout``: the name of one that comes with the package, or the path of a TOML file;
    ``algorithm``: ``3des`` or ``sm4``; ``interface``: ``contact``, or ``contactless`` where the layout has it.
    LookupError for an unknown persona; ValueError, which says what was expected, for anything else.
    """
    return Card(catalogue.card(persona, layout, algorithm), shape, interface)


def psam(persona: str | Path = "psam", *, layout: str | Path = "psam", shape: str = "t0") -> Card:
    """A fresh PSAM, the terminal's own card, unpowered; arguments and errors as of ``card()``."""
    return Card(catalogue.card(persona, layout), shape)


def terminal(card: Card) -> Terminal:
    """A terminal that has begun a session with this user card, in this process: the card is powered, the social
    security environment selected, version and algorithm known. It holds the published test keys.

    TypeError unless it is a card, ValueError for a PSAM; TerminalError where the card refuses a terminal: it is
    blocked, or not activated.
    """
    from harness.readers.connection import InProcess
    from harness.terminal.terminal import Terminal

    chip = _chip(card, USER)
    session = Terminal(InProcess(chip), chip.image.layout)
    session.begin()
    return session


def driver(card: Card, psam: Card | None = None, *, pins: Iterable[str] = ()) -> SSCardDriver:
    """SSCardDriver over this user card and PSAM, in this process: each function gives a return code, 0 where it worked,
    and pOutInfo. Every call powers the cards and takes the power again.

    ``psam`` None: the terminal has none, and what needs one answers -2201. ``pins``: what the cardholder enters at the
    PIN pad, one entry after another (``cancel`` and ``timeout`` too); then nobody enters anything.

    TypeError unless it is a card, ValueError where ``card`` is a PSAM or ``psam`` is none.
    """
    from harness.driver.library import SSCardDriver
    from harness.driver.pad import Pad
    from harness.driver.readers import Given
    from harness.readers.connection import InProcess

    chip = _chip(card, USER)
    own = _chip(psam, PSAM) if psam is not None else None
    readers = Given(lambda _: InProcess(chip), lambda: InProcess(own) if own is not None else None)
    return SSCardDriver(readers, Pad(pins), layout=chip.image.layout)


def reader(card: Card) -> AbstractContextManager[str]:
    """This card, user's or PSAM, in a PC/SC reader that any program finds, for as long as the ``with`` lasts; the
    reader's name. What programs do there is done to this very card.

    A contactless card gets a reader whose name says Contactless, which answers FFCA itself; in a pcscd that runs
    already there must be one. Where a pcscd with vpcd runs, its first free slot is used; else one is started, with
    one more slot, by contacts, and ended again. PC/SC fixes its socket when a process first uses it: set
    ``PCSCLITE_CSOCK_NAME`` before, where the machine's own will not do.

    TypeError unless it is a card. On entry PcscError, naming the remedy, where pcscd, vpcd or pyscard is missing, no
    slot is free, or the reader does not take the card.
    """
    chip = _chip(card, USER, PSAM)
    from harness.serving.in_reader import in_reader

    return in_reader(chip)


def _chip(card: Card, *kinds: str) -> Chip:
    """The chip of a card of one of these kinds. TypeError, ValueError."""
    if not isinstance(card, Card):
        raise TypeError(
            _("expected a card of sscard.card() or sscard.psam(), found {name}").format(name=type(card).__name__)
        )
    kind = card._image.layout.card
    if kind not in kinds:
        raise ValueError(
            (
                _("expected a PSAM, found a {kind} card")
                if PSAM in kinds
                else _("expected a user card, found a {kind} card")
            ).format(kind=kind)
        )
    return card._chip
