"""TOML from elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from emulator.textfiles.text import FormatError, read

MOST = 2 * 1024 * 1024
"""Bytes; the largest layout of this package has a twentieth of it. [D]"""
PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: Path) -> dict[str, Any]:
    """What a file says. FormatError, OSError."""
    return loads(read(path, MOST), path)


def loads(text: str, source: object) -> dict[str, Any]:
    """What a text says. FormatError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = PLACE.search(said)
        if place is not None and place[1] is None:
            raise FormatError(source, "ends in the middle: the file is cut off, or something is not closed") from None
        raise FormatError(source, f"not TOML: {PLACE.sub('', said)}", int(place[1]) if place else 0) from None
    except RecursionError:
        raise FormatError(source, "not TOML: nested too deeply") from None
    except ValueError:
        raise FormatError(source, "not TOML: a number has too many digits, or a date that is none") from None
