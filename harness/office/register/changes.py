"""What a request changed in the register: which rows, which columns, and from what to what where that is a state or a
moment. People's data and secrets are named, never quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from harness.office.register.base import Base
from harness.office.register.tables import (
    Account,
    Application,
    Batch,
    Card,
    ElectronicCard,
    Guardian,
    Person,
    Push,
)
from harness.office.vocabulary import Word

TABLES: dict[type[Base], tuple[str, str, str]] = {
    Person: ("人员", "person", "id"),
    Guardian: ("监护人", "guardian", "person_id"),
    Card: ("卡", "card", "number"),
    Application: ("申请", "application", "id"),
    Batch: ("批量申领", "batch", "id"),
    ElectronicCard: ("电子社会保障卡", "electronic card", "person_id"),
    Account: ("银行账户", "bank account", "card_number"),
    Push: ("待推送银行", "news for the bank", "id"),
}
"""What is told of, in both languages, and the column that says which one it is."""
ORDER = {kind: at for at, kind in enumerate(TABLES)}
QUOTED = frozenset({
    (Card, "life"), (Card, "made_at"), (Card, "issued_at"), (Card, "valid_until"), (Card, "activated_at"),
    (Card, "loss"), (Card, "lost_at"),
    (Card, "frozen_at"), (Card, "suspended_at"), (Card, "electronic_goes_on"), (Card, "ended_at"), (Card, "layout"),
    (Card, "algorithm"), (Application, "kind"), (Application, "progress"), (Application, "delay_days"),
    (Application, "delay_reason"), (Application, "failed_deliveries"), (Application, "fee"), (Account, "state"),
    (Person, "region"), (Person, "died_at"), (Push, "sent_at"), (Push, "bank_code"),
})  # fmt: skip
"""Columns whose values may be told; of all others it is told that they changed."""
NEW, CHANGED, GONE = "new", "changed", "gone"


class Change(NamedTuple):
    """``how`` a row is (new, changed, gone), or one of its columns. ``before``, ``after``: None where not quoted."""

    table: str
    zh: str
    en: str
    row: str
    how: str
    column: str = ""
    quoted: bool = False
    before: str | None = None
    after: str | None = None

    def as_table(self) -> dict[str, Any]:
        """As JSON takes it; ``column`` only where one is meant, ``before`` and ``after`` only where they are quoted."""
        told: dict[str, Any] = {"table": self.table, "zh": self.zh, "en": self.en, "row": self.row, "how": self.how}
        if self.column:
            told["column"] = self.column
        return told | ({"before": self.before, "after": self.after} if self.quoted else {})


@contextmanager
def watched(session: Session) -> Iterator[list[Change]]:
    """What is written in this transaction while the block lasts, in order; what changes twice is told twice."""
    found: list[Change] = []

    def flushed(of: Session, _: Any) -> None:
        for how, rows in ((NEW, of.new), (CHANGED, of.dirty), (GONE, of.deleted)):
            for row in sorted((one for one in rows if type(one) in ORDER), key=_place):
                found.extend(_of(row, how))

    event.listen(session, "after_flush", flushed)
    try:
        yield found
    finally:
        event.remove(session, "after_flush", flushed)


def _place(row: Any) -> tuple[int, str]:
    """Where a row is told of among those that are written at once: the same each time."""
    return ORDER[type(row)], str(getattr(row, TABLES[type(row)][2]))


def _of(row: Any, how: str) -> Iterator[Change]:
    kind = type(row)
    zh, en, key = TABLES[kind]
    state = inspect(row)
    whole = Change(kind.__tablename__, zh, en, str(getattr(row, key)), how)
    if how != CHANGED:
        yield whole
    if how == GONE:
        return
    for column in state.mapper.column_attrs:
        history = state.attrs[column.key].history
        before, after = (values[0] if values else None for values in (history.deleted, history.added))
        quoted = (kind, column.key) in QUOTED
        if how == NEW and quoted and after not in (None, "", False, 0):
            yield whole._replace(column=column.key, quoted=True, after=_told(after))
        elif how == CHANGED and history.has_changes():
            told = (_told(before), _told(after)) if quoted else (None, None)
            yield whole._replace(column=column.key, quoted=quoted, before=told[0], after=told[1])


def _told(value: Any) -> str | None:
    if value is None:
        return None
    return (
        value.isoformat()
        if isinstance(value, date | datetime)
        else str(value.value if isinstance(value, Word) else value)
    )
