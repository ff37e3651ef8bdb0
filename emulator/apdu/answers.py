"""Answers of fixed form, taken apart by whoever sent the command: the instruction that gives one says how."""

from __future__ import annotations

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _


class AnswerLengthError(SscardError, ValueError):
    """An answer that is not as long as its instruction says: ``count`` bytes came, ``expected`` belong."""

    kind = ErrorKind.BROKEN

    def __init__(self, count: int, expected: int) -> None:
        super().__init__(_("{count} bytes came, not {expected}").format(count=count, expected=expected))
        self.count, self.expected = count, expected


def split(answer: bytes, *sizes: int) -> tuple[bytes, ...]:
    """Returns an answer's data in parts of these sizes, which are all of it. AnswerLengthError for more or less."""
    if len(answer) != sum(sizes):
        raise AnswerLengthError(len(answer), sum(sizes))
    parts, at = [], 0
    for size in sizes:
        parts.append(answer[at : at + size])
        at += size
    return tuple(parts)
