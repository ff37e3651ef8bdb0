"""The root of every error that its user can mend: the command line tells it in one sentence, with its exit code."""

from __future__ import annotations

from typing import ClassVar


class SscardError(Exception):
    """What was wrong, where, and what was expected. ``exit_code`` is that of the command which it ends."""

    exit_code: ClassVar[int] = 1
