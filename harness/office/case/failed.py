"""How a request ends that nobody refused and that was not done."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError


class Failed(SscardError, RuntimeError):
    """The chip or the bank did not do it; nothing has changed anywhere."""

    kind = ErrorKind.BROKEN
    word = "failed"
