"""How a request ends that was not done."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError


class NotDone(SscardError):
    """The office did not do it, and the trail says so: a rule does not allow it, or something failed."""


class Failed(NotDone, RuntimeError):
    """The chip or the bank did not do it; nothing has changed anywhere."""

    kind = ErrorKind.BROKEN
    word = "failed"
