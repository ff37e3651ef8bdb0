"""What a register keeps for itself, by name: no table of anybody's data."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from harness.office.register.base import Base
from harness.office.register.tables import Setting

_SETTING = Base.metadata.tables[Setting.__tablename__]
_VALUE = select(Setting.value).where(Setting.name == bindparam("what"))
_CHANGE = update(_SETTING).where(_SETTING.c.name == bindparam("what"))
_DROP = delete(_SETTING).where(_SETTING.c.name == bindparam("what"))
_ADD = insert(_SETTING)
"""Without the ORM's unit of work, as nearly every request writes one."""


def value(link: Connection, name: str) -> bytes | None:
    """What is kept under this name, None where nothing is."""
    found: bytes | None = link.scalar(_VALUE, {"what": name})
    return found


def keep(link: Connection, name: str, what: bytes) -> None:
    """Keeps it under this name, in place of what was there, in a transaction that writes: no other does meanwhile."""
    if not link.execute(_CHANGE, {"what": name, "value": what}).rowcount:
        link.execute(_ADD, {"name": name, "value": what})


def drop(link: Connection, name: str) -> None:
    """Nothing is kept under this name any more."""
    link.execute(_DROP, {"what": name})
