"""Errors of form whose own words may be told to whoever sent the value: what was expected, and nothing quoted."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError


class SpokenError(SscardError, ValueError):
    """What was expected, in a sentence without anything of what came."""

    kind = ErrorKind.INPUT
    word = "input"
