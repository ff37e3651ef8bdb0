"""The virtual social security card, as a library: what is exported here stays as it is from release to release.

    import sscard

    card = sscard.card("adult-chengdu", layout="3.00", algorithm="sm4")
    card.power_on()
    card.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))  # 61 1E

No reader and no other process is needed. One card may be used from several threads; commands wait for one another.
"""

from __future__ import annotations

from pathlib import Path

from emulator import catalogue
from emulator.chip import Chip
from emulator.filesystem.memory.image import Image

__all__ = ["Card", "card", "psam"]

SHAPES = ("t0", "apdu")


class Card:
    """A card as a terminal sees it: power and commands. ``card()`` and ``psam()`` make one.

    ``shape`` is that of the reader it is in: through ``t0`` answers are announced by 61xx and corrected by 6Cxx, and
    the caller follows; ``apdu`` is a reader that follows by itself.
    """

    def __init__(self, image: Image, shape: str) -> None:
        if shape not in SHAPES:
            raise ValueError(f"shape: expected one of {', '.join(SHAPES)}, found {shape!r}")
        self._image = image
        self._shape = shape
        self._chip = Chip(image, apdu_shape=shape == "apdu")

    def power_on(self) -> bytes:
        """Power and reset: the ATR. On a powered card it is a reset: rights, selection and challenge are lost."""
        return self._chip.power_on()

    def transmit(self, command: bytes | bytearray | memoryview) -> bytes:
        """The answer to one command APDU: data and status word, two bytes at least, whatever came.

        RuntimeError before ``power_on``, TypeError for what is no bytes.
        """
        return self._chip.transmit(bytes(memoryview(command)))

    def fork(self) -> Card:
        """Another card of the same content from here on, unpowered; what is done to one never reaches the other."""
        return Card(self._image.fork(), self._shape)


def card(
    persona: str | Path = "adult-chengdu", *, layout: str | Path = "3.00", algorithm: str = "3des", shape: str = "t0"
) -> Card:
    """A fresh user card, unpowered.

    ``persona`` and ``layout``: the name of one that comes with the package, or the path of a TOML file;
    ``algorithm``: ``3des`` or ``sm4``. LookupError for an unknown persona; ValueError, which says what was expected,
    for anything else.
    """
    return Card(catalogue.card(persona, layout, algorithm), shape)


def psam(persona: str | Path = "psam", *, layout: str | Path = "psam", shape: str = "t0") -> Card:
    """A fresh PSAM, the terminal's own card, unpowered; arguments and errors as of ``card()``."""
    return Card(catalogue.card(persona, layout), shape)
