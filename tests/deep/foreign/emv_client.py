"""python emv_client.py READER...: what the library `emv` finds in each card, as JSON. It has a Python of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from emv.card import Card
from emv.protocol.command import GetProcessingOptions
from emv.protocol.data import Tag, render_element
from emv.protocol.response import ErrorResponse
from emv.protocol.structures import DOL, CVMList
from smartcard.System import readers

NUMBER, TRACK_2, CHOICES = 0x5A, 0x57, (0x9F, 0x38)


def hexed(numbers: Iterable[int]) -> str:
    """Bytes as hex."""
    return bytes(numbers).hex().upper()


def tag_of(tag: Tag) -> str:
    """A tag as hex."""
    return hexed(tag.id if isinstance(tag.id, tuple) else [tag.id])


def word(tag: Tag, value: Any) -> Any:
    """A value as the library takes it: lists apart, others in its words, less its brackets."""
    if isinstance(value, DOL):
        return [[tag_of(one), length] for one, length in value]
    if isinstance(value, CVMList):
        return [hexed([rule.b1, rule.b2]) for rule in value.rules]
    if tag.id in (NUMBER, TRACK_2):  # it cannot word a number that F fills up
        return hexed(value)
    return render_element(tag, value).strip('[]"')


def words(tlv: dict[Tag, Any]) -> dict[str, Any]:
    """Each object's value by its tag."""
    return {tag_of(tag): word(tag, value) for tag, value in tlv.items()}


def found(reader: Any) -> dict[str, Any]:
    """What a terminal reads of the card's first application."""
    card = Card(reader.createConnection())
    applications = card.list_applications()
    told: dict[str, Any] = {"applications": [words(one) for one in applications]}
    if not applications:
        return told
    chosen = card.select_application(applications[0][Tag.ADF_NAME])
    if chosen.data is None:  # a warning, which the library takes for an answer
        return {**told, "selected": hexed([chosen.sw1, chosen.sw2])}
    properties = chosen.data[Tag.FCI][Tag.FCI_PROP]
    told["properties"] = words(properties)
    list_of = properties.get(CHOICES)
    told["options list"] = word(Tag(CHOICES), list_of) if list_of else []
    try:
        card.get_processing_options()
        told["without options"] = "9000"
    except ErrorResponse as refused:
        told["without options"] = hexed([refused.sw1, refused.sw2])
    wanted = list_of.size() if list_of else 0
    answer = card.tp.exchange(GetProcessingOptions([0x83, wanted, *[0] * wanted])).data[Tag.RMTF1]
    told["profile"], told["locator"] = hexed(answer[:2]), hexed(answer[2:])
    told["data"] = words(card.get_application_data(answer[2:]))
    return told


print(json.dumps({str(one): found(one) for one in readers() if str(one) in sys.argv[1:]}))
