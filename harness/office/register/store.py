"""The register: opened, brought up to date, and written in transactions that wait for each other."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from emulator.messages import _, chinese_first
from harness.office.register import audit, kept, secret
from harness.office.register.address import SECRET, Address, ServerAddress
from harness.office.register.audit import Note
from harness.office.register.database import BUSY, Database
from harness.office.register.failures import (
    UNCERTAIN,
    Conflict,
    NoRegister,
    RegisterError,
    Uncertain,
    Unusable,
    no_register,
)
from harness.office.register.in_file import SqliteFile

__all__ = ["BUSY", "Conflict", "NoRegister", "Register", "RegisterError", "Uncertain", "Unusable", "newest"]

TRIES = 4
"""How often work is begun anew that the database took back whole, the first time included. [D]"""
T = TypeVar("T")
_log = logging.getLogger("uvicorn.error")


class Register:
    """A register in a file, made if it is not there, or on a server, both brought up to the newest schema.
    RegisterError; NoRegister on a server where there is none and ``make`` does not ask for it; TrailError, SecretError
    where the secret at hand is another's, or none; AddressError.

    Several programs and threads may use one. ``durable``: every transaction waits for the disk. ``hash_cost``: scrypt's
    n for PINs; less than the default, always the same for one register, is for those that are thrown away, in scenarios
    and tests. ``secret_file``: the office's own secret [beside the file; ``office.secret`` for a server].
    """

    def __init__(
        self,
        address: Address,
        *,
        durable: bool = True,
        hash_cost: int = secret.COST,
        secret_file: Path | None = None,
        make: bool = True,
    ) -> None:
        self.address = address
        self.waited: Callable[[float], object] = lambda _: None
        """Told of each transaction how many seconds it waited for others."""
        self._outgrown = False
        self.database = database(address, durable=durable)
        self.engine = self.database.engine
        self._info: dict[str, object] = {secret.HASH_COST: hash_cost}
        self._writing = threading.Lock()
        self._notes = _Notes(self)
        try:
            self._open(make=make)
            self._file = _file(address)
            with self.transaction() as session:
                # Under the lock: of two that begin a register at once, the second finds the secret of the first.
                self._info[secret.NAME] = session.info[secret.NAME] = self._secret(session, secret_file)
                audit.begin(session)
        except BaseException:
            self.database.close()
            raise

    @property
    def path(self) -> Path:
        """The file of a register in a file."""
        assert isinstance(self.address, Path)
        return self.address

    @property
    def secret(self) -> bytes:
        """The office's own secret."""
        found = self._info[secret.NAME]
        assert isinstance(found, bytes)
        return found

    def _open(self, *, make: bool) -> None:
        try:
            with self.database.reading.connect() as link:
                self.database.fit(link)
                found = MigrationContext.configure(link).get_current_revision()
                others = set(inspect(link).get_table_names()) - {"alembic_version"} if found is None else ()
            if found is None and not make:
                raise no_register(self.address)
            if others:
                raise RegisterError(
                    _(
                        "{path}: expected a database for the register alone, found tables of another program: {names}"
                    ).format(path=self.address, names=", ".join(sorted(others)[:5]))
                )
            if found != newest():  # most registers are: the rest is what Alembic needs to change one
                with self.engine.connect() as link:
                    command.upgrade(history(link), "head")
        except (CommandError, DBAPIError) as error:
            raise self.database.unopened(error) from error

    def _secret(self, session: Session, file: Path | None) -> bytes:
        if isinstance(self.address, Path):
            return secret.kept(file or secret.beside(self.address))
        return (secret.brought if audit.is_begun(session) else secret.kept)(file or Path(SECRET))

    def _same_file(self) -> None:
        """RegisterError where the file that was opened is not there any more."""
        if _file(self.address) != self._file:
            raise RegisterError(
                _(
                    "{path}: the file that was opened is not there any more, or another is in its place: start again"
                ).format(path=self.address)
            )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing. Writers wait for each other, so what one reads stays true. Conflict where what is written
        contradicts what is there, Unusable where the register cannot be used now, Uncertain where the connection to a
        server was lost at the very end, RegisterError where the file that was opened is not there any more.
        """
        began = time.monotonic()
        with (
            self._worded(),
            self._turn(),
            Session(self.engine, expire_on_commit=False, info=dict(self._info)) as session,
        ):
            self._same_file()
            whole = session.begin()
            link = session.connection()  # its turn has come
            self._waited(link, time.monotonic() - began)
            yield session
            if not whole.is_active:
                return
            try:
                session.flush()
                session.commit()
            except DBAPIError as error:
                if self.database.lost(error):
                    raise Uncertain(str(UNCERTAIN)) from error
                raise

    def write(self, work: Callable[[Session], T]) -> T:
        """What ``work`` returns, done in a transaction; begun anew, so many times, where the database took it back
        whole. So it must do nothing that is not taken back with the transaction. Raises as ``transaction`` does.
        """
        for left in reversed(range(TRIES)):
            try:
                with self.transaction() as session:
                    return work(session)
            except Unusable as error:
                cause = error.__cause__
                if not (left and isinstance(cause, DBAPIError) and self.database.passing(cause)):
                    raise
        raise AssertionError

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of this program are let on one after the other: SQLite, whose lock is between programs, would have
        them look again and again, with longer and longer naps; on a server they would each keep a connection.
        NoConnection after ``BUSY`` seconds.
        """
        if not self._writing.acquire(timeout=BUSY):
            raise NoConnection(_("other requests have been writing for {busy:g} s").format(busy=BUSY))
        try:
            yield
        finally:
            self._writing.release()

    def _waited(self, link: Connection, seconds: float) -> None:
        """Notes how long a writer has waited; where that is too long for the database, in the register too."""
        self.waited(seconds)
        bound = self.database.outgrown_after
        if bound is None or seconds < bound:
            return
        if not self._outgrown:
            _log.warning(outgrown(seconds))
            self._outgrown = True
        if seconds > longest_wait(link):  # another program's writer may have waited longer
            kept.keep(link, LONGEST, f"{seconds:.1f}".encode())

    def longest_wait(self) -> float:
        """The longest that any program's writer has waited, in seconds, where that was too long; else 0."""
        with self.reading() as session:
            return longest_wait(session.connection())

    @contextlib.contextmanager
    def _worded(self) -> Iterator[None]:
        """What goes wrong with the database, in words of ours: its own quote what was asked of it."""
        try:
            yield
        except IntegrityError as error:
            raise Conflict(
                _("登记库中已有同一事项 the register holds the like already, or lacks what is named ({orig})").format(
                    orig=self.database.violated(error)
                )
            ) from error
        except (DBAPIError, NoConnection, sqlite3.OperationalError) as error:  # what else there is, is a fault of ours
            zh, en = self.database.why(error)
            raise Unusable(chinese_first(en, zh)) from error

    def violated(self, error: IntegrityError) -> str:
        """What a constraint that does not hold is about, as ``card.person_id``; no value."""
        return self.database.violated(error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """What the register holds at one moment; writers do not wait for it, nor it for them. For looking alone."""
        with (
            self._worded(),
            Session(self.database.reading, expire_on_commit=False, info=self._info) as session,
            session.begin(),
        ):
            yield session

    @contextlib.contextmanager
    def glance(self) -> Iterator[sqlite3.Connection]:
        """SQLite's own connection, for one SELECT by an index, which waits for nobody: an event loop may ask it.
        Unusable where the file is held by somebody alone, and for a register on a server: ``reading`` waits for them.
        """
        with self._worded(), self.database.glance() as link:
            yield link

    def ready(self) -> None:
        """Returns where it can be read, and its schema is the newest; RegisterError where not, and where the file that
        was opened is not there any more: nobody would find again what is written into it.
        """
        self._same_file()
        with self.reading() as session:
            if MigrationContext.configure(session.connection()).get_current_revision() != newest():
                raise RegisterError(
                    _("{path}: no register of this program, or one of a newer program").format(path=self.address)
                )

    def note(self, note: Note) -> None:
        """A line of the trail that nothing else is written with; it is on the disk when this returns."""
        self._notes.write(note)

    def close(self) -> None:
        """Closes the register's connections."""
        self.database.close()


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
                self._register.write(lambda session: audit.write_all(session, batch))
            except BaseException:
                with self._guard:  # the others try for themselves
                    self._waiting = [one for one in batch if one is not note] + self._waiting
                raise


def _file(address: Address) -> tuple[int, int] | None:
    """Which file is there; None where there is none, and of a server."""
    if not isinstance(address, Path):
        return None
    try:
        state = address.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


LONGEST = "longest-wait"
"""What the register keeps of the longest that a writer has waited."""


def longest_wait(link: Connection) -> float:
    """The same, of the register at the other end of this connection."""
    return float(kept.value(link, LONGEST) or 0)


def outgrown(seconds: float) -> str:
    """That SQLite is not enough any more, and what is."""
    return _(
        "办理需等待登记库文件 {seconds:.1f} 秒 a writer has waited {seconds:.1f} s for the register's file: SQLite is "
        "outgrown; `sscard office copy --to postgresql://…` puts the register on a server"
    ).format(seconds=seconds)


def database(address: Address, *, durable: bool = True) -> Database:
    """The database of that address; a server is not asked yet."""
    if isinstance(address, ServerAddress):
        from harness.office.register.on_server import PostgresServer  # its driver is an extra

        return PostgresServer(address, durable=durable)
    return SqliteFile(address, durable=durable, wait=BUSY)


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
