"""A register on a PostgreSQL server, which offices on several machines share.

One transaction writes at a time, as in a file: each takes the same advisory lock before it looks at anything, in the
order in which they asked. So no line of the trail is sealed on a line that another has followed already, rules need
no locks of their own, and READ COMMITTED is enough, as nothing that one reads is changed by another before its end.
Whoever only looks reads one snapshot and waits for nobody.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager
from typing import Any, cast

from sqlalchemy import Connection, Engine, Index, UniqueConstraint, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from emulator.messages import _, chinese_first
from harness.office.register import tables
from harness.office.register.address import ServerAddress
from harness.office.register.base import Base
from harness.office.register.database import BEGIN, BUSY, READING, WRITING
from harness.office.register.failures import BUSY_NOW, RegisterError, Unusable, Words

OLDEST = 13
"""PostgreSQL's own releases end after five years; Debian 11 has this one."""
ENCODING = "UTF8"
LOCK = "SELECT pg_advisory_xact_lock(1936941668, 1)"
"""Of whoever writes, until the end of the transaction. The first number is this program's own. [D]"""
POOL, CARDS = 12, 44
"""Connections of one program at most: to the register, where one writes and the others look, and one for each card that
is in a reader.
"""
KEPT = 4
"""Connections for cards that stay open."""
CONNECT = 10
"""Seconds within which a server must have answered."""
SETTINGS = {
    "lock_timeout": f"{BUSY:.0f}s",
    "statement_timeout": f"{2 * BUSY:.0f}s",
    # A program that was stopped while it writes keeps all others waiting: the server ends its transaction.
    "idle_in_transaction_session_timeout": f"{2 * BUSY:.0f}s",
    # A machine that is gone without a word lets its cards go after a minute and a half.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
"""Of each connection; what the address's own ``options`` say stands above them."""
REASONS: dict[str, Words] = {
    "40001": BUSY_NOW,
    "40P01": BUSY_NOW,
    "55P03": BUSY_NOW,
    "57014": BUSY_NOW,
    "25006": ("登记库服务器只读", "the register's server takes no writing: it is a standby, or was made read-only"),
    "42501": (
        "登记库角色权限不足",
        "the role may not do this in the register's database: let the database's owner grant it, or run "
        "`sscard office init` as the owner",
    ),
    "53100": ("登记库服务器磁盘已满", "the disk of the register's server is full"),
    "53200": ("登记库服务器内存不足", "the register's server has no memory left"),
    "53300": ("登记库服务器连接数已满", "the register's server takes no more connections: raise its max_connections"),
    "22021": ("文本含有登记库不能保存的字符", "a text has a character that the register's server cannot keep"),
    "42P01": ("登记库结构不完整", "tables are missing in the register's database: run `sscard office init`"),
}
"""By SQLSTATE."""
LOST: Words = (
    "与登记库服务器的连接中断，请稍后再试",
    "the register's server cannot be reached, or has ended the connection: try again",
)
TLS = frozenset({"require", "verify-ca", "verify-full"})
"""Values of ``sslmode`` that take nothing else."""
LOCKED = "55P03"
"""The SQLSTATE of a lock that was not had in time."""
CONNECTION = ("08", "57P")
"""The beginnings of SQLSTATEs that tell of the connection."""
PASSING = ("40001", "40P01")
"""The database took the transaction back whole: it could not be put into one order with others, or a deadlock."""


class PostgresServer:
    """A ``Database`` on a server. ``durable``: every transaction waits for the server's disk."""

    outgrown_after: float | None = None

    def __init__(self, address: ServerAddress, *, durable: bool) -> None:
        self._address = address
        given = parameters(address, durable=durable)
        self.engine = _engine(given, POOL)
        self.reading: Engine = self.engine.execution_options(
            **{BEGIN: READING}, isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.cards = _engine(given, KEPT, CARDS - KEPT).execution_options(isolation_level="AUTOCOMMIT")
        """For cards: each statement is kept at once."""

        @event.listens_for(self.engine, "begin")
        def begin(link: Connection) -> None:
            if link.get_execution_options().get(BEGIN, WRITING) == WRITING:
                link.exec_driver_sql(LOCK)

    @property
    def address(self) -> ServerAddress:
        """The server's, without the password where it is told."""
        return self._address

    def glance(self) -> AbstractContextManager[sqlite3.Connection]:
        """Unusable: a server is always waited for."""
        raise Unusable(_("a register on a server is asked in a thread"))

    def fit(self, link: Connection) -> None:
        """RegisterError for a server that is too old, or a database whose texts are not Unicode."""
        found = link.exec_driver_sql("SELECT current_setting('server_version_num'), current_setting('server_encoding')")
        version, encoding = found.one()
        if int(version) < OLDEST * 10000:
            raise RegisterError(
                _("{register}: expected PostgreSQL {oldest} or newer, found {found}").format(
                    register=self._address, oldest=OLDEST, found=int(version) // 10000
                )
            )
        if encoding != ENCODING:
            raise RegisterError(
                _(
                    "{register}: expected a database of encoding {expected}, found {found}: createdb -E {expected} …"
                ).format(register=self._address, expected=ENCODING, found=encoding)
            )

    def unopened(self, error: Exception) -> RegisterError:
        """Why it could not be opened: where no connection came about, in the words of libpq, which tell no password."""
        if not isinstance(error, DBAPIError):
            return RegisterError(
                _("{register}: no register of this program, or one of a newer program").format(register=self._address)
            )
        if state(error) or error.connection_invalidated or not isinstance(error, OperationalError):
            zh, en = self.why(error)
            return Unusable(f"{self._address}: {chinese_first(en, zh)}")
        return Unusable(
            _("{register}: 无法连接登记库服务器 no connection to the register's server: {why}{known}").format(
                register=self._address, why=_in_one_line(error), known=_known(self._address, error)
            )
        )

    def why(self, error: SQLAlchemyError | sqlite3.Error) -> Words:
        """By SQLSTATE: what the server says besides may quote what was written."""
        if not isinstance(error, DBAPIError):
            return BUSY_NOW  # no connection of the pool was free
        if self.lost(error):
            return LOST
        found = state(error)
        other = (f"登记库暂不可用（{_named(error)}）", f"the register cannot be used now ({_named(error)})")
        return REASONS.get(found, other)

    def violated(self, error: IntegrityError) -> str:
        """The columns of a unique index; else the constraint's name, or what a trigger of ours says."""
        told = error.orig.diag  # type: ignore[union-attr]  # psycopg's
        index = _unique().get(told.constraint_name or "")
        return index or told.constraint_name or told.column_name or told.message_primary or ""

    def passing(self, error: DBAPIError) -> bool:
        """Deadlocks, and what could not be put into one order with what others did past this program."""
        return state(error) in PASSING

    def lost(self, error: DBAPIError) -> bool:
        """The server is gone, or has ended the connection."""
        found = state(error)
        unheard = isinstance(error, OperationalError | InterfaceError) and not found  # libpq says so, not the server
        return error.connection_invalidated or unheard or found.startswith(CONNECTION)

    def counted_on(self, link: Connection) -> None:
        """Sets each table's sequence behind the highest number there is."""
        for table in Base.metadata.sorted_tables:
            key = table.autoincrement_column
            if key is not None:
                highest = f"(SELECT coalesce(max({key.name}), 0) FROM {table.name})"
                sequence = f"pg_get_serial_sequence('{table.name}', '{key.name}')"
                link.execute(text(f"SELECT setval({sequence}, {highest} + 1, false)"))

    def close(self) -> None:
        """Closes the connections to the server."""
        self.cards.dispose()
        self.engine.dispose()


def parameters(address: ServerAddress, *, durable: bool = True) -> dict[str, str]:
    """What libpq is given for a connection to a register."""
    options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    if not durable:
        options += " -c synchronous_commit=off"
    own = address.given.get("options", "")
    return {
        "connect_timeout": str(CONNECT),
        "application_name": "sscard office",
        **address.given,
        "client_encoding": ENCODING,
        "options": f"{options} {own}".rstrip(),
    }


def _engine(given: dict[str, str], kept: int, more: int = 0) -> Engine:
    """``kept``: connections that stay open, ``more``: at most so many besides. One that the server has closed meanwhile
    is noticed before it is used.
    """
    import psycopg

    def connect() -> Any:
        return psycopg.connect(**cast(dict[str, Any], given))

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=kept,
        max_overflow=more,
        pool_timeout=BUSY,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def state(error: DBAPIError) -> str:
    """The SQLSTATE of an error; empty where the server said none."""
    return getattr(error.orig, "sqlstate", None) or ""


def _named(error: DBAPIError) -> str:
    return f"SQLSTATE {state(error)}" if state(error) else type(error.orig).__name__


def _in_one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def _known(address: ServerAddress, error: DBAPIError) -> str:
    """What else is known of a connection that did not come about: where its password is from, whether it had TLS."""
    link = getattr(error.orig, "pgconn", None)
    if link is None:  # it was not even begun
        return ""
    if link.needs_password:
        return _("; the password is taken from PGPASSWORD, or from ~/.pgpass (PGPASSFILE)")
    if link.used_password:  # of one from a file, libpq says so
        if "password" in address.given:
            return _("; the password was the one in the address")
        return _("; the password was the one in PGPASSWORD") if os.environ.get("PGPASSWORD") else ""
    mode = next(one.val.decode() for one in link.info if one.keyword == b"sslmode")
    if mode in TLS and not link.ssl_in_use:
        return _("; no TLS came about, which sslmode={mode} asks for").format(mode=mode)
    return ""


def _unique() -> dict[str, str]:
    """What each unique index or constraint is about, by its name: ``card.person_id``."""
    found: dict[str, str] = {}
    for table in Base.metadata.sorted_tables:
        keys: list[UniqueConstraint | Index] = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        keys += [one for one in table.indexes if one.unique]
        for key in keys:
            found[str(key.name)] = ", ".join(f"{table.name}.{one.name}" for one in key.columns)
    return found


assert tables  # what is declared there is what Base knows
