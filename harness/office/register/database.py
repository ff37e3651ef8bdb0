"""What a register's transactions need of the database that keeps it, whichever it is."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from harness.office.register.address import Address
from harness.office.register.failures import RegisterError, Words

BUSY = 30.0
"""Seconds that a transaction waits for others."""
LINKS = 40
"""Threads in which a service's requests run."""
BEGIN, READING, WRITING = "begin", "reading", "writing"
"""How a transaction of a connection begins, its execution option ``BEGIN`` says; WRITING where it says nothing."""


class Database(Protocol):
    """``engine``: its transactions write, one after the other among all programs, so what one reads stays true.
    ``reading``: its transactions see what was there at one moment, and wait for nobody.
    """

    engine: Engine
    reading: Engine
    outgrown_after: float | None
    """Seconds of waiting for other writers from which another kind of database is better; None where none is."""

    @property
    def address(self) -> Address:
        """Where it is."""

    def glance(self) -> AbstractContextManager[sqlite3.Connection]:
        """SQLite's own connection, as ``Register.glance`` has it. Unusable where there is none."""

    def fit(self, link: Connection) -> None:
        """Raises RegisterError where this database is not one that a register can be kept in."""

    def unopened(self, error: Exception) -> RegisterError:
        """Why it could not be opened."""

    def why(self, error: SQLAlchemyError | sqlite3.Error) -> Words:
        """Why it does not do what it is asked."""

    def violated(self, error: IntegrityError) -> str:
        """What a constraint that does not hold is about, as ``card.person_id``; no value."""

    def passing(self, error: DBAPIError) -> bool:
        """Whether the same transaction, begun anew, may well go through: the database took it back whole."""

    def lost(self, error: DBAPIError) -> bool:
        """Whether the connection was lost, so that nobody can say what became of a COMMIT."""

    def counted_on(self, link: Connection) -> None:
        """After rows came in with numbers of their own: the next number of each table is one that is free."""

    def close(self) -> None:
        """Closes its connections."""
