"""JSON from elsewhere: no name twice in an object, no number that JSON has not, no half of a character."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.textfiles.text import CUT_OFF, FormatError, read

UNCLOSED = re.compile(r'"(?:[^"\\]|\\.)*\\?\Z', re.DOTALL)
"""A string that does not end: where it begins is where the parser stumbles."""
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Twice(SscardError, ValueError):
    """A name that stands twice."""

    kind = ErrorKind.INPUT


def load(path: Path) -> Any:
    """What a file says. FormatError, OSError."""
    return loads(read(path), path)


def loads(text: str, source: object = "JSON") -> Any:
    """Returns what a JSON text says. FormatError with line; double keys are errors."""
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise FormatError(source, _("is empty")) from None
        if error.pos >= len(text.rstrip()) or UNCLOSED.match(text, error.pos):
            raise FormatError(source, _("not JSON: {cut_off}").format(cut_off=_(CUT_OFF)), error.lineno) from None
        raise FormatError(source, _("not JSON: {msg}").format(msg=error.msg), error.lineno) from None
    except _Twice as error:
        raise FormatError(source, str(error)) from None
    except RecursionError:
        raise FormatError(source, _("not JSON: nested too deeply")) from None
    except ValueError:
        raise FormatError(source, _("not JSON: a number has too many digits")) from None
    if SURROGATE.search(text):
        _whole(found, source)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, __ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(_("{name!r} stands twice in one object").format(name=twice))
    return found


def _constant(name: str) -> Any:
    raise _Twice(_("not JSON: {name} is not a number").format(name=name))


def _whole(found: Any, source: object) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FormatError(source, _("not JSON: half a character (a lone surrogate)")) from None
