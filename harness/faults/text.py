"""The fields of faults as text: as YAML and the command line have them, and as traces tell them."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any

from emulator.apdu.instructions import INSTRUCTIONS
from emulator.messages import _

LONGEST = 600


class Moment(StrEnum):
    """When a card is taken out, or resets: before the command is done, within it (done, but no answer), after it."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


def number(lowest: int) -> Callable[[str], int]:
    """Reads a whole number, this one at least."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest:
            raise ValueError(_("expected a number from {lowest}, found {text!r}").format(lowest=lowest, text=text))
        return value

    return read


def _offset(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(_("expected a number, found {text!r}").format(text=text)) from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST:
        raise ValueError(_("expected seconds from 0 to {longest}, found {text!r}").format(longest=LONGEST, text=text))
    return value


def _status(text: str) -> int:
    try:
        value = int(text, 16)
    except ValueError:
        value = 0
    if len(text) != 4 or not 0x6000 <= value <= 0x9FFF:
        raise ValueError(
            _("expected a status word from 6000 to 9FFF in four hex digits, found {text!r}").format(text=text)
        )
    return value


def choice(*known: str) -> Callable[[str], str]:
    """Returns a reader for a parameter that takes one of these texts; it raises ValueError naming them."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(_("expected one of {known}, found {text!r}").format(known=", ".join(known), text=text))
        return text

    return read


def _moment(text: str) -> Moment:
    return Moment(choice(*Moment)(text))


def _yes(text: str) -> bool:
    return choice("yes", "no", "true", "false")(text.lower()) in ("yes", "true")


def _back(text: str) -> bool:
    """As ``_yes``; a card that is not put in again comes back never."""
    return text.lower() != "never" and choice("yes", "no", "never", "true", "false")(text.lower()) in ("yes", "true")


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The instructions that faults can be put in at."""
    return tuple(sorted({kind.name for kind in INSTRUCTIONS}))


def _instruction(text: str) -> str:
    return choice(*names())(text.strip().upper().replace("_", " "))


def _path(text: str) -> str:
    return text.strip().upper()


def _item(text: str) -> str:
    path = _path(text)
    if not re.fullmatch(r"(.+/)?[0-9A-F]{2}", path):
        raise ValueError(_("expected a tag in two hex digits, or SSSE/EF06/09, found {text!r}").format(text=text))
    return path


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


READ: dict[str, Callable[[str], Any]] = {
    "sw": _status,
    "executed": _yes,
    "by": _offset,
    "part": number(1),
    "status_too": _yes,
    "seconds": _seconds,
    "moment": _moment,
    "back": _back,
    "after": number(0),
    "nth": number(1),
    "every": number(1),
    "one_in": number(1),
    "at": number(1),
    "instruction": _instruction,
    "application": _path,
    "file": _path,
    "item": _item,
}
"""How each field is read; ValueError, saying what was expected."""
WRITE: dict[str, Callable[[Any], str]] = {
    "sw": lambda value: f"{value:04X}",
    "executed": _yes_or_no,
    "back": _yes_or_no,
    "status_too": _yes_or_no,
    "seconds": lambda value: f"{value:g}",
    "instruction": lambda value: str(value).replace(" ", "_"),
}
"""How a field is written where ``str`` will not do."""
