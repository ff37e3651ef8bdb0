"""The audit trail (articles 29, 30): who did or saw what, when, where, under which article, and how it ended.

Lines are never changed or taken away: triggers refuse it; each line's seal covers the one before, under a key of the
office's own secret, and so does a note of which line is the last. So whoever changes, adds or cuts lines in the file
without the secret is found out. Who puts back an older copy of the whole file, or has the secret, is not: that an
anchor shows, which is kept elsewhere.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Self

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.orm import Session

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from harness.clock import CHINA
from harness.office.measures.articles import Citation
from harness.office.register import kept, secret
from harness.office.register.base import Base
from harness.office.register.queries import ServingClerk
from harness.office.register.tables import Audit, Card, Clerk
from harness.office.vocabulary import Outcome, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a clerk, in which role, of which outlet."""

    name: str
    role: Role
    outlet: str

    @classmethod
    def of(cls, clerk: Clerk | ServingClerk) -> Self:
        """As the register has them now."""
        return cls(clerk.name, clerk.role, clerk.outlet.name)


@dataclass(frozen=True, slots=True)
class Act:
    """What is told of one act. ``detail`` is data without PINs; people's data are named, not quoted."""

    operation: str
    article: str
    outcome: Outcome
    person_id: int | None = None
    card_id: int | None = None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A line to be written."""

    at: datetime
    actor: Actor
    act: Act


KEYED_FROM, LAST = "trail-keyed-from", "trail-last"
PURPOSE = "the audit trail"
ANCHOR = re.compile(r"sscard-trail:(\d{1,18}):([0-9a-f]{64})")


Line = Row[*tuple[Any, ...]]
"""A line as it is shown, with the names of the table's columns, and ``card``: the card's number."""


class TrailError(SscardError, ValueError):
    """A trail, or an anchor, that cannot be used: why."""

    kind = ErrorKind.INPUT


class AnchorError(TrailError):
    """A text that is not an anchor."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: those about a person or a card, by a clerk, of an operation, that ended so, from one day to another
    (in China, both included), before a line.
    """

    person_id: int | None = None
    card_id: int | None = None
    clerk: str | None = None
    operation: str | None = None
    outcome: Outcome | None = None
    first: date | None = None
    last: date | None = None
    before: int | None = None

    def of(self, query: Select[Any]) -> Select[Any]:
        """Returns a query for these lines alone."""
        same = {
            Audit.person_id: self.person_id, Audit.card_id: self.card_id, Audit.clerk: self.clerk,
            Audit.operation: self.operation, Audit.outcome: self.outcome,
        }  # fmt: skip
        for column, value in same.items():
            query = query if value is None else query.where(column == value)
        if self.first is not None:
            query = query.where(Audit.at >= datetime.combine(self.first, time(), CHINA))
        if self.last is not None:
            query = query.where(Audit.at < datetime.combine(self.last + timedelta(days=1), time(), CHINA))
        return query if self.before is None else query.where(Audit.id < self.before)


_AUDIT = Base.metadata.tables[Audit.__tablename__]
_LAST_LINE = select(Audit.id, Audit.seal).order_by(Audit.id.desc()).limit(1)
_ADD = insert(_AUDIT)
"""Without the ORM's unit of work, as nearly every request writes a line."""


def begin(session: Session) -> None:
    """From which line on seals are keyed stands in the register once: all of a new one. TrailError where the secret at
    hand is not the one that this trail was begun with.
    """
    if not is_begun(session):
        number, seal = _last(session)
        kept.keep(session.connection(), KEYED_FROM, _signed(session, str(number + 1)))
        _note_last(session, number, seal)
    elif _attested(session, KEYED_FROM) is None:
        raise TrailError(
            _("this is not the secret that the register was made with: put the register's own FILE.secret beside it")
        )


def is_begun(session: Session) -> bool:
    """Whether the trail has been begun, with a secret."""
    return kept.value(session.connection(), KEYED_FROM) is not None


def write(session: Session, at: datetime, actor: Actor, act: Act) -> int:
    """Adds a line in this transaction; its number."""
    return write_all(session, [Note(at, actor, act)])


def write_all(session: Session, notes: Sequence[Note]) -> int:
    """Adds lines in this transaction, in this order; the number of the last."""
    session.flush()
    number, seal = _last(session)
    key = _key(session)
    rows = []
    for note in notes:
        number += 1
        line = {
            "id": number,
            "at": note.at.replace(microsecond=0),
            "clerk": note.actor.name,
            "role": note.actor.role,
            "outlet": note.actor.outlet,
            "operation": note.act.operation,
            "article": note.act.article,
            "person_id": note.act.person_id,
            "card_id": note.act.card_id,
            "outcome": note.act.outcome,
            "detail": json.dumps(note.act.detail or {}, ensure_ascii=False, sort_keys=True),
        }
        seal = _seal(key, line, seal)
        rows.append({**line, "seal": seal})
    session.connection().execute(_ADD, rows)
    _note_last(session, number, seal)
    return number


def _last(session: Session) -> tuple[int, str]:
    """The number and the seal of the last line; 0 and nothing where there is none."""
    found = session.connection().execute(_LAST_LINE).one_or_none()
    return (found.id, found.seal) if found is not None else (0, "")


def _key(session: Session) -> bytes:
    return secret.derived(session, PURPOSE)


COVERED = (
    "id", "at", "clerk", "role", "outlet", "operation", "article", "person_id", "card_id", "outcome", "detail",
)  # fmt: skip


def _seal(key: bytes | None, line: Mapping[str, Any], before: str) -> str:
    """``key`` None: as lines of before 0003 have it."""
    values = [line["at"].isoformat() if name == "at" else line[name] for name in COVERED]
    covered = (before + json.dumps(values, ensure_ascii=False)).encode()
    return hmac.new(key, covered, sha256).hexdigest() if key is not None else sha256(covered).hexdigest()


def sealed(line: Audit, before: str, key: bytes | None = None) -> str:
    """The seal that belongs to a line after the one with seal ``before``."""
    return _seal(key, {name: getattr(line, name) for name in COVERED}, before)


def _signed(session: Session, text: str) -> bytes:
    return f"{text} {hmac.new(_key(session), text.encode(), sha256).hexdigest()}".encode()


def _attested(session: Session, name: str) -> str | None:
    """What a note of ours says; None where it is not there or not ours."""
    found = kept.value(session.connection(), name)
    text = found.decode("ascii", "replace").rpartition(" ")[0] if found is not None else ""
    return text if found is not None and hmac.compare_digest(_signed(session, text), found) else None


def _note_last(session: Session, number: int, seal: str) -> None:
    kept.keep(session.connection(), LAST, _signed(session, f"{number} {seal}"))


def lines(session: Session, *, person_id: int | None = None, card_id: int | None = None) -> Iterator[Audit]:
    """Lines in order: all, or those about a person or a card; read as they are taken."""
    query = Wanted(person_id=person_id, card_id=card_id).of(select(Audit)).order_by(Audit.id)
    yield from session.scalars(query.execution_options(yield_per=1000))


_SHOWN = select(*_AUDIT.columns, Card.number.label("card")).outerjoin(Card, Card.id == Audit.card_id)


def page(session: Session, wanted: Wanted, last: int | None = None) -> list[Line]:
    """The last so many of the lines that are wanted, or all, in order, each with its card's number (``card``)."""
    query = wanted.of(_SHOWN).order_by(Audit.id.desc())
    found = session.connection().execute(query if last is None else query.limit(last)).all()
    return list(found)[::-1]


def seen(wanted: Wanted) -> Act:
    """That somebody saw lines is a line too."""
    return Act("trail", Citation(29).label_zh, Outcome.DONE, wanted.person_id, wanted.card_id)


def broken(session: Session) -> int | None:
    """The number of the first line that is not as it was written, None where all are; of lines that were cut off at the
    end the first.
    """
    before, expected = "", 1
    first = int(_attested(session, KEYED_FROM) or 1)
    key = _key(session)
    for line in lines(session):
        if line.id != expected or line.seal != sealed(line, before, key if line.id >= first else None):
            return line.id
        before, expected = line.seal, expected + 1
    return None if _attested(session, LAST) == f"{expected - 1} {before}" else expected


def anchor(session: Session) -> str:
    """What to keep elsewhere: how many lines there are, and the seal of the last."""
    number, seal = _last(session)
    return f"sscard-trail:{number}:{seal or '0' * 64}"


def holds(session: Session, text: str) -> bool:
    """Whether the trail still has all that it had when this anchor was taken, unchanged; that seals hold is another
    matter. TrailError for an invalid anchor.
    """
    found = ANCHOR.fullmatch(text.strip())
    if found is None:
        raise AnchorError(_("expected an anchor as `sscard office trail anchor` writes it: sscard-trail:LINES:SEAL"))
    number = int(found[1])
    if not number:
        return True
    line = session.get(Audit, number)
    return line is not None and hmac.compare_digest(line.seal, found[2])


def count(session: Session) -> int:
    """Returns how many lines the trail has."""
    return session.scalar(select(func.count()).select_from(Audit)) or 0
