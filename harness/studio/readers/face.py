"""What is printed on the front of a card, as far as the card itself says it."""

from __future__ import annotations

from datetime import date
from typing import Any

from emulator.filesystem.memory.image import Image
from harness.clock import Clock
from harness.terminal.values import decode_record

ISSUE, HOLDER = "SSSE/EF05", "SSSE/EF06"
ISSUED, UNTIL, NUMBER, NAME, MORE = "05", "06", "08", "09", "4E"
HIDDEN = "***"
SHOWN = 6, 4
"""Digits of a number that are printed, at its beginning and its end."""


def face(image: Image, *, made_up: bool, show: bool) -> dict[str, Any]:
    """Name, number, date of issue and of expiry in words, ``expired``, and ``masked``: the person may be somebody's, so
    that name and number are not told unless ``show`` asks for them. What the card does not say is empty.
    """
    values = _values(image)
    masked = not (made_up or show)
    name, number = values.get(NAME, "") + values.get(MORE, ""), values.get(NUMBER, "")
    until = _date(values.get(UNTIL, ""))
    return {
        "name": HIDDEN if masked and name else name,
        "number": HIDDEN if masked and number else partly(number),
        "issued": str(_date(values.get(ISSUED, "")) or ""),
        "until": str(until or ""),
        "expired": until is not None and until < Clock().today(),
        "masked": masked and bool(name or number),
    }


def partly(number: str) -> str:
    """A number with its middle hidden, as it stands on a counter's slip."""
    first, last = SHOWN
    if len(number) <= first + last:
        return number
    return number[:first] + "*" * (len(number) - first - last) + number[-last:]


def _values(image: Image) -> dict[str, str]:
    """The texts of the two files by tag."""
    found = {}
    for path in (ISSUE, HOLDER):
        spec = image.layout.files.get(path)
        if spec is None:
            continue
        for at, record in enumerate(image.memory.records(path), 1):
            for one in decode_record(spec, record, at):
                if isinstance(one.value, str):
                    found[one.spec.label] = one.value.strip()
    return found


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 8 else None
    except ValueError:
        return None
