"""Places of a card's tree, by their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator

from emulator.chip import Chip
from emulator.filesystem.memory.image import Image
from harness.studio.card.held import HeldCard, Standing
from harness.studio.card.model import Application, Card, File, Item, as_json
from harness.studio.card.tree import tree


def applications(of: Application) -> Iterator[Application]:
    yield of
    for child in of.children:
        yield from applications(child)


def files(card: Card) -> dict[str, File]:
    return {file.id: file for app in applications(card.root) for file in app.files}


def items(card: Card) -> dict[str, Item]:
    return {item.id: item for file in files(card).values() for one in _top(file) for item in _all(one)}


def _top(file: File) -> Iterator[Item]:
    yield from file.items
    for record in file.records:
        yield from record.fields


def _all(item: Item) -> Iterator[Item]:
    yield item
    for element in item.elements:
        yield from _all(element)


def text(card: Card) -> str:
    return json.dumps(as_json(card), ensure_ascii=False)


def of_image(image: Image, *, show: bool = True) -> Card:
    return tree(HeldCard(image), show_values=show)


def of_chip(chip: Chip) -> HeldCard:
    """What a run tells of a card in a slot."""
    session = chip.session
    told = {
        "directory": session.directory.spec.id,
        "file": session.file.path if session.file else "",
        "record": session.record,
        "rights": sorted(session.rights),
        "challenge": session.challenge is not None,
        "transaction": session.transaction is not None,
    }
    return HeldCard(chip.image, Standing.told(told), chip.interface)
