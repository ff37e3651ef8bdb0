"""What the office's errors say to programs: one shape for the command line and for HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from emulator.filesystem.memory.image import ImageError
from harness.office.case.bank import BankDown
from harness.office.case.case import Failed
from harness.office.case.rule import Refusal
from harness.office.desk.office import HalfWay
from harness.office.register.queries import Unknown
from harness.readers.pcsc import PcscError

KINDS: dict[type[Exception], str] = {
    Refusal: "refused",
    HalfWay: "half-way",
    Unknown: "unknown",
    Failed: "failed",
    BankDown: "failed",
    PcscError: "reader",
    ImageError: "busy",
    IntegrityError: "conflict",
    OperationalError: "busy",
    NoConnection: "busy",
}
"""What may become of a request that is well-formed."""


def as_table(error: Exception) -> dict[str, Any]:
    """For JSON: ``kind`` is for programs, ``text`` for people; a refusal says its rule and article, work that was
    interrupted the number by which it is taken up again.
    """
    table = {"kind": next(kind for of, kind in KINDS.items() if isinstance(error, of)), "text": text(error)}
    if isinstance(error, Refusal):
        cited = {"article": error.citation.article, "paragraph": error.citation.paragraph}
        return table | {"rule": error.rule, **cited, "zh": error.zh, "en": error.en}
    return table | {"pending": error.pending} if isinstance(error, HalfWay) else table


def text(error: Exception) -> str:
    """In words. Of a database's error only the driver's part, as the rest quotes what was asked of it."""
    if isinstance(error, IntegrityError):
        return f"登记库中已有同一事项 the register holds the like already, or lacks what is named ({error.orig})"
    if isinstance(error, OperationalError):
        return f"登记库暂不可用，请稍后再试 the register cannot be used now, try again ({error.orig})"
    if isinstance(error, NoConnection):
        return "登记库忙，请稍后再试 the register is busy: try again"
    return str(error)
