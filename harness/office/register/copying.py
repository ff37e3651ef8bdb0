"""A register copied whole into an empty one of another kind: from a file onto a server, or back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from emulator.errors import ErrorKind
from emulator.messages import _
from harness.office.register import audit, kept, secret
from harness.office.register.address import SECRET, Address
from harness.office.register.base import Base
from harness.office.register.failures import RegisterError
from harness.office.register.store import LONGEST, Register, database
from harness.office.register.tables import CardImage, Setting

CHUNK = 500
"""Rows that are in memory at once."""
APART = frozenset({CardImage.__tablename__})
"""Cards are copied as cards."""


class NotEmpty(RegisterError):
    """The register that is to take the copy has something in it."""

    kind = ErrorKind.REFUSED


class NotWhole(RegisterError):
    """The register that is to be copied, or the copy, is not what it should be."""


@dataclass(frozen=True, slots=True)
class Copied:
    """``rows`` by table; ``anchor`` of the trail, in both."""

    rows: dict[str, int]
    anchor: str


@contextlib.contextmanager
def empty(address: Address, secret_file: Path | None, own: bytes) -> Iterator[Register]:
    """An empty register at this address, with this secret. NotEmpty, and as ``Register`` raises; SecretError where the
    file of its secret has another one. That file goes again where the copy does not come about.
    """
    if held := _held(address):
        raise NotEmpty(
            _("{register}: expected an empty register, found rows in {tables}").format(
                register=address, tables=", ".join(held)
            )
        )
    file = secret_file or (secret.beside(address) if isinstance(address, Path) else Path(SECRET))
    new = secret.written(file, own)
    try:
        with contextlib.closing(Register(address, secret_file=file)) as register:
            yield register
    except BaseException:
        if new:
            file.unlink()
        raise


def _held(address: Address) -> list[str]:
    """The tables of a register that have rows. What it keeps for itself, it has from its first moment on."""
    if isinstance(address, Path) and not address.exists():
        return []
    found = database(address)
    try:
        with found.reading.connect() as link:
            there = set(inspect(link).get_table_names())
            looked = (one for one in Base.metadata.sorted_tables if one.name in there - {Setting.__tablename__})
            return [str(one.name) for one in looked if _count(link, one)]
    except DBAPIError as error:
        raise found.unopened(error) from error
    finally:
        found.close()


def rows(source: Session, target: Session, resequence: Any) -> Copied:
    """Copies all rows but cards' images, in this transaction of each; NotWhole where they are not the same afterwards.
    ``resequence``: the target database's ``counted_on``.
    """
    if (line := audit.broken(source)) is not None:
        raise NotWhole(_("line {line} of the trail is not what was written: nothing was copied").format(line=line))
    counted: dict[str, int] = {}
    into = target.connection()
    for table in _tables():
        if table.name == Setting.__tablename__:
            into.execute(table.delete())
        digest = sha256()
        for chunk in _chunks(source.connection(), table):
            _add(digest, chunk)
            into.execute(insert(table), [dict(row._mapping) for row in chunk])
        copied = sha256()
        for chunk in _chunks(into, table):
            _add(copied, chunk)
        number = counted[str(table.name)] = _count(into, table)
        if digest.digest() != copied.digest() or number != _count(source.connection(), table):
            raise NotWhole(_("table {table} did not come through whole: nothing was copied").format(table=table.name))
    kept.drop(into, LONGEST)
    resequence(into)
    if audit.broken(target) is not None or audit.anchor(target) != audit.anchor(source):
        raise NotWhole(_("the trail did not come through whole: nothing was copied"))
    return Copied(counted, audit.anchor(target))


def _tables() -> list[Table]:
    """In an order in which no row names one that is not there yet."""
    return [one for one in Base.metadata.sorted_tables if one.name not in APART]


def _count(link: Connection, table: Table) -> int:
    return link.scalar(select(func.count()).select_from(table)) or 0


def _chunks(link: Connection, table: Table) -> Iterator[Sequence[Any]]:
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=CHUNK)
    with link.execute(query) as found:
        yield from found.partitions()


def _add(digest: Any, chunk: Sequence[Any]) -> None:
    for row in chunk:
        digest.update(json.dumps(list(row), default=repr, ensure_ascii=False, sort_keys=True).encode() + b"\n")
