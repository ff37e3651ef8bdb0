"""A register in a file: SQLite."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from emulator.messages import _, chinese_first
from harness.office.register import secret
from harness.office.register.database import BEGIN, LINKS, READING, WRITING
from harness.office.register.failures import BUSY_NOW, RegisterError, Unusable, Words

STATEMENT = {READING: "BEGIN", WRITING: "BEGIN IMMEDIATE"}
REASONS: dict[int, Words] = {
    sqlite3.SQLITE_FULL: ("登记库所在磁盘已满", "the disk that the register is on is full"),
    sqlite3.SQLITE_READONLY: (
        "登记库只读，无法写入",
        "the register cannot be written: look at the rights of file and folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "登记库无法打开",
        "the register cannot be opened: look whether its folder is there",
    ),
    sqlite3.SQLITE_CORRUPT: ("登记库文件已损坏", "the register's file is damaged: take a copy of before"),
    sqlite3.SQLITE_NOTADB: ("登记库文件已损坏", "the register's file is damaged: take a copy of before"),
    sqlite3.SQLITE_ERROR: (
        "登记库结构不完整",
        "the register's tables are not this program's: they were changed, or are of before its first release",
    ),
    sqlite3.SQLITE_IOERR: ("读写登记库出错", "reading or writing the register's file failed"),
}
"""By SQLite's primary result code."""


class SqliteFile:
    """A ``Database`` in a file, which is made if it is not there. ``durable``: every transaction waits for the disk;
    ``wait``: seconds that a statement waits for other programs.
    """

    outgrown_after: float | None = 2.0
    """A clerk who waits longer for others to have written than for the card. [D]"""

    def __init__(self, path: Path, *, durable: bool, wait: float) -> None:
        self._path = path
        _owners_alone(path)
        self.engine = _engine(path, durable=durable, wait=wait)
        self.reading: Engine = self.engine.execution_options(**{BEGIN: READING})
        self._glancing = _engine(path, durable=durable, wait=0.0)

    @property
    def address(self) -> Path:
        """The file."""
        return self._path

    @contextlib.contextmanager
    def glance(self) -> Iterator[sqlite3.Connection]:
        """SQLite's own connection, which waits for nobody."""
        with contextlib.closing(self._glancing.raw_connection()) as link:
            assert isinstance(link.dbapi_connection, sqlite3.Connection)
            yield link.dbapi_connection

    def fit(self, link: Connection) -> None:
        """Every file of SQLite's is."""

    def unopened(self, error: Exception) -> RegisterError:
        """Why the file could not be opened."""
        if not isinstance(error, DBAPIError) or _code(error) == sqlite3.SQLITE_NOTADB:
            return RegisterError(
                _("{path}: no register of this program, or one of a newer program").format(path=self._path)
            )
        zh, en = self.why(error)
        return Unusable(f"{self._path}: {chinese_first(en, zh)}")

    def why(self, error: SQLAlchemyError | sqlite3.Error) -> Words:
        """By SQLite's result code."""
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_OK):
            return BUSY_NOW
        other = (
            "登记库暂不可用，请稍后再试",
            f"the register cannot be used now, try again ({getattr(error, 'orig', error)})",
        )
        return REASONS.get(code, other)

    def violated(self, error: IntegrityError) -> str:
        """SQLite says it in its message alone, which is read here and nowhere else."""
        return str(error.orig)

    def passing(self, error: DBAPIError) -> bool:
        """Never: it waits before it begins, and takes nothing back later."""
        del error
        return False

    def lost(self, error: DBAPIError) -> bool:
        """Never: there is no connection to a server."""
        del error
        return False

    def counted_on(self, link: Connection) -> None:
        """SQLite takes the number after the highest by itself."""

    def close(self) -> None:
        """Closes the connections to the file."""
        self._glancing.dispose()
        self.engine.dispose()


def _code(error: SQLAlchemyError | sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the database was not even asked."""
    return int(getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_OK)) & 0xFF


def _owners_alone(path: Path) -> None:
    """The file is made so that nobody else can read it, and one that is there becomes so; what SQLite keeps beside it
    has the same rights. A file of another owner stays as that owner has it.
    """
    with contextlib.suppress(OSError):  # what cannot be opened, SQLite says better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, secret.OWNER_ALONE))
        path.chmod(secret.OWNER_ALONE)


def _engine(path: Path, *, durable: bool, wait: float) -> Engine:
    # Whoever takes a connection ends its transaction: nothing is left for the pool to roll back.
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": wait}, pool_size=LINKS, pool_reset_on_return=None
    )

    @event.listens_for(engine, "connect")
    def opened(link: Any, _: Any) -> None:
        link.isolation_level = None  # sqlite3 begins too late by itself: we say BEGIN
        link.execute("PRAGMA foreign_keys = ON")
        link.execute("PRAGMA secure_delete = ON")  # who is forgotten is overwritten in the file too
        link.execute("PRAGMA journal_mode = WAL")
        link.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(link: Any) -> None:
        how = link.get_execution_options().get(BEGIN, WRITING)
        if how == READING:  # takes no lock yet, so nothing of it needs SQLAlchemy's words
            link.connection.dbapi_connection.execute(STATEMENT[how])
        else:
            link.exec_driver_sql(STATEMENT[how])

    return engine
