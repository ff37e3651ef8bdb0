"""TOML from elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from emulator.messages import _
from emulator.textfiles.text import CUT_OFF, FormatError, read

DEEPEST = 64
"""Tables and arrays within one another: dotted keys make any number of them. [D]"""
DOTTED = re.compile(
    r"""(?<![\w"'-])(?:(?>[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){%d}""" % DEEPEST  # noqa: UP031 — braces
)
"""A key of so many parts, for which tomllib would take the square of their number in time."""
MOST = 2 * 1024 * 1024
"""Bytes; the largest layout of this package has a twentieth of it. [D]"""
PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: Path) -> dict[str, Any]:
    """What a file says. FormatError, OSError."""
    return loads(read(path, MOST), path)


def loads(text: str, source: object) -> dict[str, Any]:
    """Returns what a TOML text says. FormatError with line."""
    if (long := DOTTED.search(text)) is not None:
        raise FormatError(source, _("not TOML: nested too deeply"), text.count("\n", 0, long.start()) + 1)
    try:
        found = tomllib.loads(text)
        _shallow(found, source)
        return found
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = PLACE.search(said)
        if place is not None and place[1] is None:
            raise FormatError(source, _("not TOML: {cut_off}").format(cut_off=_(CUT_OFF))) from None
        raise FormatError(
            source, _("not TOML: {sub}").format(sub=PLACE.sub("", said)), int(place[1]) if place else 0
        ) from None
    except RecursionError:
        raise FormatError(source, _("not TOML: nested too deeply")) from None
    except FormatError:
        raise
    except ValueError:
        raise FormatError(source, _("not TOML: a number has too many digits, or a date that does not exist")) from None


def _shallow(found: dict[str, Any], source: object) -> None:
    """FormatError where there are too many levels; level by level, as those who read it may go by recursion."""
    level: list[Any] = [found]
    for __ in range(DEEPEST):
        below = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for values in below for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise FormatError(source, _("not TOML: nested too deeply"))
