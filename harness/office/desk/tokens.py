"""Tokens that clerks sign in with: drawn by chance, told once, kept as a hash, good for some days."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy.orm import Session

from harness.office.measures.articles import Citation
from harness.office.register import audit, queries
from harness.office.register.audit import Act, Actor
from harness.office.register.queries import Bearer
from harness.office.register.tables import Clerk
from harness.office.vocabulary import Outcome

PREFIX = "sscard-office-"
"""So that one that got out is known for what it is."""
DAYS, LONGEST = 90, 366
SIZE = 32
"""Bytes of chance."""
C = Citation(29)


def give(session: Session, name: str, now: datetime, days: int = DAYS) -> str:
    """A new token for a clerk, which ends the one before. Unknown."""
    who = queries.clerk_row(session, name)
    token = PREFIX + secrets.token_urlsafe(SIZE)
    who.token, who.token_until = _hash(token), now + timedelta(days=days)
    _note(session, who, now, {"until": who.token_until.isoformat(timespec="seconds")})
    return token


def revoke(session: Session, name: str, now: datetime) -> None:
    """The clerk's token is good no more. Unknown."""
    who = queries.clerk_row(session, name)
    who.token = who.token_until = None
    _note(session, who, now, {"revoked": True})


def bearer(ask: Callable[[str], Bearer | None], token: str, now: datetime) -> Actor | None:
    """Whose token this is; None if it is nobody's, or its days are over. ``ask`` gives whose token has a hash."""
    # What the database compares is a hash: how long that takes tells nothing of the token.
    digest = _hash(token)
    found = ask(digest)
    if found is None or not hmac.compare_digest(found.token, digest):
        return None
    good = found.until is not None and now < found.until
    return Actor(found.name, found.role, found.outlet) if good else None


def _note(session: Session, who: Clerk, now: datetime, detail: dict[str, str | bool]) -> None:
    audit.write(session, now, Actor.of(who), Act("token", C.label_zh, Outcome.DONE, detail=dict(detail)))


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
