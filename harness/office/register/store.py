"""The database file: opened, brought up to date, and written in transactions that wait for each other."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from harness.office.register import audit, secret
from harness.office.register.audit import Note

BUSY = 30.0
"""Seconds that a transaction waits for others."""
LINKS = 40
"""Connections that are kept open: one for each thread in which a service's requests run."""


class RegisterError(RuntimeError):
    """A register that cannot be used: which file, and why."""


class Register:
    """A register in a file, made if it is not there and brought up to the newest schema. RegisterError.

    Several programs and threads may use one file. ``durable``: every transaction waits for the disk.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        _owners_alone(path)
        self.engine = _engine(path, durable=durable)
        try:
            with self.engine.connect() as link:
                config = _config()
                config.attributes["connection"] = link
                command.upgrade(config, "head")
        except (CommandError, DatabaseError) as error:
            self.engine.dispose()
            raise RegisterError(f"{path}: no register of this program, or of a newer one: {error}") from None
        self._reading = self.engine.execution_options(reading=True)
        self._writing = threading.Lock()
        self._notes = _Notes(self)
        self._secret = b""
        try:
            self._secret = secret.kept(secret.beside(path))
            with self.transaction() as session:
                audit.begin(session)
        except (secret.SecretError, audit.TrailError, OSError) as error:
            self.engine.dispose()
            raise RegisterError(str(error)) from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing. Writers wait for each other, so what one reads stays true."""
        told = {secret.NAME: self._secret}
        with self._turn(), Session(self.engine, expire_on_commit=False, info=told) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of this program are let on one after the other: SQLite, whose lock is between programs, would have
        them look again and again, with longer and longer naps. NoConnection after ``BUSY`` seconds.
        """
        if not self._writing.acquire(timeout=BUSY):
            raise NoConnection(f"other requests have been writing for {BUSY:g} s")
        try:
            yield
        finally:
            self._writing.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """What the register holds at one moment; writers do not wait for it, nor it for them. For looking alone."""
        told = {secret.NAME: self._secret}
        with Session(self._reading, expire_on_commit=False, info=told) as session, session.begin():
            yield session

    def note(self, note: Note) -> None:
        """A line of the trail that nothing else is written with; it is on the disk when this returns."""
        self._notes.write(note)

    def close(self) -> None:
        """Lets the file go."""
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


def _owners_alone(path: Path) -> None:
    """The file is made so that nobody else can read it, and one that is there becomes so; what SQLite keeps beside it
    has the same rights. A file of another owner stays as that owner has it.
    """
    with contextlib.suppress(OSError):  # what cannot be opened, SQLite says better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, secret.OWNER_ALONE))
        path.chmod(secret.OWNER_ALONE)


def _engine(path: Path, *, durable: bool) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY}, pool_size=LINKS)

    @event.listens_for(engine, "connect")
    def opened(link: Any, _: Any) -> None:
        link.isolation_level = None  # sqlite3 begins too late by itself: we say BEGIN
        link.execute("PRAGMA foreign_keys = ON")
        link.execute("PRAGMA secure_delete = ON")  # who is forgotten is overwritten in the file too
        link.execute("PRAGMA journal_mode = WAL")
        link.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(link: Any) -> None:
        link.exec_driver_sql("BEGIN" if link.get_execution_options().get("reading") else "BEGIN IMMEDIATE")

    return engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("harness.office.register") / "migrations"))
    return config


def newest() -> str:
    """The schema's newest revision."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())
