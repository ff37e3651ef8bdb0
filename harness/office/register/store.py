"""The database file: opened, brought up to date, and written in transactions that wait for each other."""

from __future__ import annotations

import contextlib
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
from sqlalchemy.orm import Session

BUSY = 30.0
"""Seconds that a transaction waits for others."""


class RegisterError(RuntimeError):
    """A register that cannot be used: which file, and why."""


class Register:
    """A register in a file, made if it is not there and brought up to the newest schema. RegisterError.

    Several programs and threads may use one file. ``durable``: every transaction waits for the disk.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self.engine = _engine(path, durable=durable)
        try:
            with self.engine.connect() as link:
                config = _config()
                config.attributes["connection"] = link
                command.upgrade(config, "head")
        except (CommandError, DatabaseError) as error:
            self.engine.dispose()
            raise RegisterError(f"{path}: no register of this program, or of a newer one: {error}") from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing. Writers wait for each other from the first statement on, so what one reads stays true."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Lets the file go."""
        self.engine.dispose()


def _engine(path: Path, *, durable: bool) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY})

    @event.listens_for(engine, "connect")
    def opened(link: Any, _: Any) -> None:
        link.isolation_level = None  # sqlite3 begins too late by itself: we say BEGIN
        link.execute("PRAGMA foreign_keys = ON")
        link.execute("PRAGMA secure_delete = ON")  # who is forgotten is overwritten in the file too
        link.execute("PRAGMA journal_mode = WAL")
        link.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(link: Any) -> None:
        link.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("harness.office.register") / "migrations"))
    return config


def newest() -> str:
    """The schema's newest revision."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())
