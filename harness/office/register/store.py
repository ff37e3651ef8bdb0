"""The database file: opened, brought up to date, and written in transactions that wait for each other."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, chinese_first
from harness.office.register import audit, secret
from harness.office.register.audit import Note

BUSY = 30.0
"""Seconds that a transaction waits for others."""
LINKS = 40
"""Connections that are kept open: one for each thread in which a service's requests run."""


class RegisterError(SscardError, RuntimeError):
    """A register that cannot be used: which file, and why."""

    kind = ErrorKind.BROKEN


class Conflict(RegisterError):
    """The register holds the like already, or lacks what is named; nothing was written."""

    kind = ErrorKind.REFUSED
    word = "conflict"


class Unusable(RegisterError):
    """The register cannot be used now; nothing was written."""

    word = "busy"


class Register:
    """A register in a file, made if it is not there and brought up to the newest schema. RegisterError; TrailError,
    SecretError where the secret beside it is another's, or none.

    Several programs and threads may use one file. ``durable``: every transaction waits for the disk. ``hash_cost``:
    scrypt's n for PINs; less than the default, always the same for one file, is for registers that are thrown away,
    those of scenarios and tests.
    """

    def __init__(self, path: Path, *, durable: bool = True, hash_cost: int = secret.COST) -> None:
        self.path = path
        _owners_alone(path)
        self.engine = _engine(path, durable=durable, wait=BUSY)
        try:
            _bring_up_to_date(self.engine)
        except (CommandError, DatabaseError) as error:
            self.engine.dispose()
            raise _unopened(path, error) from error
        self._reading = self.engine.execution_options(begin=READING)
        self._glancing = _engine(path, durable=durable, wait=0.0)
        self._writing = threading.Lock()
        self._notes = _Notes(self)
        self.waited: Callable[[float], object] = lambda _: None
        """Told of each transaction how many seconds it waited for this program's others."""
        self._info: dict[str, object] = {secret.HASH_COST: hash_cost}
        try:
            self._info[secret.NAME] = secret.kept(secret.beside(path))
            with self.transaction() as session:
                audit.begin(session)
        except BaseException:
            self.engine.dispose()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing. Writers wait for each other, so what one reads stays true. Conflict where what is written
        contradicts what is there, Unusable where the file cannot be used now.
        """
        with (
            _worded(),
            self._turn(),
            Session(self.engine, expire_on_commit=False, info=self._info) as session,
            session.begin(),
        ):
            yield session

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of this program are let on one after the other: SQLite, whose lock is between programs, would have
        them look again and again, with longer and longer naps. NoConnection after ``BUSY`` seconds.
        """
        began = time.monotonic()
        if not self._writing.acquire(timeout=BUSY):
            raise NoConnection(_("other requests have been writing for {busy:g} s").format(busy=BUSY))
        self.waited(time.monotonic() - began)
        try:
            yield
        finally:
            self._writing.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """What the register holds at one moment; writers do not wait for it, nor it for them. For looking alone."""
        with _worded(), Session(self._reading, expire_on_commit=False, info=self._info) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def glance(self) -> Iterator[sqlite3.Connection]:
        """SQLite's own connection, for one SELECT by an index, which waits for nobody: an event loop may ask it.
        Unusable where the file is held by somebody alone: ``reading`` waits for them.
        """
        with _worded(), contextlib.closing(self._glancing.raw_connection()) as link:
            assert isinstance(link.dbapi_connection, sqlite3.Connection)
            yield link.dbapi_connection

    def ready(self) -> None:
        """Returns where it can be read, and its schema is the newest; RegisterError where not."""
        with self.reading() as session:
            if MigrationContext.configure(session.connection()).get_current_revision() != newest():
                raise RegisterError(
                    _("{path}: no register of this program, or one of a newer program").format(path=self.path)
                )

    def note(self, note: Note) -> None:
        """A line of the trail that nothing else is written with; it is on the disk when this returns."""
        self._notes.write(note)

    def close(self) -> None:
        """Closes the register's connections to its file."""
        self._glancing.dispose()
        self.engine.dispose()


class _Notes:
    """Lines of requests that only looked, those that wait at one moment in one transaction: the disk is waited for
    once. Nobody's answer goes out before their line is kept.
    """

    def __init__(self, register: Register) -> None:
        self._register = register
        self._guard, self._turn = threading.Lock(), threading.Lock()
        self._waiting: list[Note] = []

    def write(self, note: Note) -> None:
        """Returns when the line is kept, by whichever thread."""
        with self._guard:
            self._waiting.append(note)
        with self._turn:
            with self._guard:
                if not any(one is note for one in self._waiting):
                    return  # whoever had the turn before took it along
                batch, self._waiting = self._waiting, []
            try:
                with self._register.transaction() as session:
                    audit.write_all(session, batch)
            except BaseException:
                with self._guard:  # the others try for themselves
                    self._waiting = [one for one in batch if one is not note] + self._waiting
                raise


@contextlib.contextmanager
def _worded() -> Iterator[None]:
    """What goes wrong with the database, in words of ours: its own quote what was asked of it."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            _("登记库中已有同一事项 the register holds the like already, or lacks what is named ({orig})").format(
                orig=error.orig
            )
        ) from error
    except (DatabaseError, NoConnection, sqlite3.OperationalError) as error:  # what else there is, is a fault of ours
        zh, en = _why(error)
        raise Unusable(chinese_first(en, zh)) from error


REASONS = {
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
    sqlite3.SQLITE_IOERR: ("读写登记库出错", "reading or writing the register's file failed"),
}
"""By SQLite's primary result code."""
BUSY_NOW = ("登记库忙，请稍后再试", "the register is busy: try again")


def _why(error: SQLAlchemyError | sqlite3.Error) -> tuple[str, str]:
    """Why a database does not do what it is asked, in both languages."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_OK):
        return BUSY_NOW
    other = (
        "登记库暂不可用，请稍后再试",
        f"the register cannot be used now, try again ({getattr(error, 'orig', error)})",
    )
    return REASONS.get(code, other)


def _code(error: SQLAlchemyError | sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the database was not even asked."""
    return int(getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_OK)) & 0xFF


def _unopened(path: Path, error: Exception) -> RegisterError:
    if not isinstance(error, DatabaseError) or _code(error) == sqlite3.SQLITE_NOTADB:
        return RegisterError(_("{path}: no register of this program, or one of a newer program").format(path=path))
    zh, en = _why(error)
    return Unusable(f"{path}: {chinese_first(en, zh)}")


def violated(error: IntegrityError) -> str:
    """What a constraint that does not hold is about, as ``card.person_id``. SQLite says it in its message alone, which
    is read here and nowhere else.
    """
    return str(error.orig)


def _owners_alone(path: Path) -> None:
    """The file is made so that nobody else can read it, and one that is there becomes so; what SQLite keeps beside it
    has the same rights. A file of another owner stays as that owner has it.
    """
    with contextlib.suppress(OSError):  # what cannot be opened, SQLite says better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, secret.OWNER_ALONE))
        path.chmod(secret.OWNER_ALONE)


READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"


def _engine(path: Path, *, durable: bool, wait: float) -> Engine:
    """``wait``: seconds that a statement waits for other programs. How a transaction of a connection begins, its
    execution option ``begin`` says.
    """
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
        how = link.get_execution_options().get("begin", WRITING)
        if how == READING:  # takes no lock yet, so nothing of it needs SQLAlchemy's words
            link.connection.dbapi_connection.execute(how)
        else:
            link.exec_driver_sql(how)

    return engine


def _bring_up_to_date(engine: Engine) -> None:
    """Most registers are: that is seen by one look, without what Alembic needs to change one."""
    with engine.connect().execution_options(begin=READING) as link:
        if MigrationContext.configure(link).get_current_revision() == newest():
            return
    with engine.connect() as link:
        command.upgrade(history(link), "head")


def history(link: Connection | None = None) -> Config:
    """The schema's history as Alembic's commands take it, for the register at the other end of this connection."""
    config = Config()
    config.set_main_option("script_location", str(resources.files(str(__package__)) / "migrations"))
    config.attributes["connection"] = link
    return config


@cache
def newest() -> str:
    """Returns the schema's newest revision."""
    return str(ScriptDirectory.from_config(history()).get_current_head())
