"""What is in a card whose memory is at hand: its files, item by item, and its keys, whoever may read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emulator.filesystem.layouts.specs import KeySpec, Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import VERSIONS, key_cell, tries_cell
from emulator.filesystem.memory.image import Image
from harness.terminal.contents import FileContent
from harness.terminal.values import brought_up, decode_record


def of_image(image: Image, layout: Layout, *, show_secrets: bool) -> Iterator[FileContent]:
    """The files as they stand in an image, whoever may read them; what nobody may read masked. ``layout``: as the card
    is found, without what is out of reach so.
    """
    for spec in layout.files.values():
        if spec.application in layout.hidden:
            continue
        records = image.memory.records(spec.path)
        if spec.structure is Structure.TRANSPARENT:
            yield FileContent(spec, bytes=records[0])
            continue
        found = [one for number, record in enumerate(records, 1) for one in decode_record(spec, record, number)]
        if spec.secret and not show_secrets:
            yield FileContent(spec, tuple(replace(one, value="*" * len(str(one.value))) for one in found))
        else:
            yield FileContent(spec, tuple(brought_up(found)))


@dataclass(frozen=True, slots=True)
class KeyHeld:
    """A key of a card: ``versions`` that are loaded, none for one that is not there; ``tries`` left, which count only
    where the layout says of how many. Its value is not here.
    """

    spec: KeySpec
    versions: tuple[int, ...]
    tries: int


def keys_of(image: Image) -> Iterator[KeyHeld]:
    """A card's keys, in the layout's order."""
    memory = image.memory
    for spec in image.layout.keys.values():
        versions = tuple(one for one in VERSIONS if memory.get(key_cell(spec.name, one)) is not None)
        yield KeyHeld(spec, versions, memory.counter(tries_cell(spec.name)))
