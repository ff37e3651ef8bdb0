"""Virtual cards that are in the register itself: their images, and the server's locks on them. Each question is asked
over a connection whose statements are kept at once, and takes SQLAlchemy's errors along.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import BigInteger, BindParameter, Connection, bindparam, delete, func, insert, literal, select, update

from harness.office.register.base import Base
from harness.office.register.tables import CardImage

_IMAGE = Base.metadata.tables[CardImage.__tablename__]
_OF = _IMAGE.c.number == bindparam("card")
_THERE = select(literal(1)).where(_OF)
_CONTENT = select(_IMAGE.c.content).where(_OF)
_ADD = insert(_IMAGE)
_CHANGE = update(_IMAGE).where(_OF)
_REMOVE = delete(_IMAGE).where(_OF)
_KEY: BindParameter[int] = bindparam("key", type_=BigInteger)
_WAIT = select(func.set_config("lock_timeout", bindparam("wait"), literal(False)))
_LOCK, _UNLOCK = select(func.pg_advisory_lock(_KEY)), select(func.pg_advisory_unlock(_KEY))


def key(number: str) -> int:
    """The number of a card's lock, of which the server has 64 bits, signed: of the card number's hash."""
    return int.from_bytes(sha256(f"sscard card {number}".encode()).digest()[:8], signed=True)


def there(link: Connection, number: str) -> bool:
    """Whether the card is in the register."""
    return link.scalar(_THERE, {"card": number}) is not None


def content(link: Connection, number: str) -> str | None:
    """The text of a card's image, None for no card."""
    found: str | None = link.scalar(_CONTENT, {"card": number})
    return found


def add(link: Connection, number: str, text: str) -> None:
    """A new card. IntegrityError if it is there."""
    link.execute(_ADD, {"number": number, "content": text})


def change(link: Connection, number: str, text: str) -> bool:
    """The card's image is this one; False where the card is there no more."""
    return bool(link.execute(_CHANGE, {"card": number, "content": text}).rowcount)


def remove(link: Connection, number: str) -> None:
    """The card is gone, if it was there."""
    link.execute(_REMOVE, {"card": number})


def lock(link: Connection, number: str, wait: float) -> None:
    """Takes the lock of a card for this connection, which has it until it lets it go or ends. DBAPIError where another
    one has it for longer than so many seconds.
    """
    link.execute(_WAIT, {"wait": f"{wait * 1000:.0f}ms"})
    link.execute(_LOCK, {"key": key(number)})


def unlock(link: Connection, number: str) -> bool:
    """Lets the lock go; False where this connection did not have it."""
    return bool(link.scalar(_UNLOCK, {"key": key(number)}))
