"""Whether a register is in order: what its database holds to by itself, its trail, and what its writers wait for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from emulator.messages import _
from harness.office.register import audit
from harness.office.register.address import ServerAddress
from harness.office.register.base import Base
from harness.office.register.failures import Unusable, no_register
from harness.office.register.store import Register, database, longest_wait, outgrown

TRIGGERS = {
    "sqlite": ("SELECT name FROM sqlite_master WHERE type = 'trigger'", {"audit_no_update", "audit_no_delete"}),
    "postgresql": ("SELECT tgname FROM pg_trigger WHERE tgenabled = 'A'", {"audit_only_grows"}),
}
"""By the database: how its triggers that fire are asked for, and those that keep the trail."""


def told(register: Register) -> dict[str, Any]:
    """``register``, ``database`` and its ``version``, ``revision`` of the schema, ``lines`` of the trail;
    ``longest_wait``: of a writer, in seconds, where that was too long, else 0; ``faults``, ``advice``: sentences, none
    where all is well.
    """
    with register.reading() as session:
        link = session.connection()
        context = MigrationContext.configure(link)
        faults = list(_schema(context, link))
        if (line := audit.broken(session)) is not None:
            faults.append(_("line {line} of the trail is not what was written").format(line=line))
        found = {
            "register": str(register.address),
            "database": link.dialect.name,
            "version": ".".join(map(str, link.dialect.server_version_info or ())),
            "revision": context.get_current_revision(),
            "lines": audit.count(session),
        }
    longest = register.longest_wait()
    return found | {
        "longest_wait": longest,
        "faults": faults,
        "advice": [outgrown(longest)] if longest else [],
    }


def wait_told(path: Path) -> float:
    """The longest that a writer has waited, as the register in this file says it: in seconds, where that was too long,
    else 0. The file is opened for reading alone, without the office's secret. Unusable where it is no register or
    cannot be read.
    """
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as link:
            return longest_wait(link)
    except (DBAPIError, sqlite3.Error) as error:
        raise Unusable(str(getattr(error, "orig", error))) from error


def server_told(address: ServerAddress) -> str:
    """What answers there: ``PostgreSQL 15.14, TLSv1.3``. Nothing is changed and the office's secret is not asked for.
    RegisterError, Unusable where it cannot be used; NoRegister where the database has none.
    """
    found = database(address)
    try:
        with found.reading.connect() as link:
            found.fit(link)
            if MigrationContext.configure(link).get_current_revision() is None:
                raise no_register(address)
            version = ".".join(map(str, link.dialect.server_version_info or ()))
            tls = link.scalar(text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
            return f"PostgreSQL {version}, {tls or _('without TLS')}"
    except DBAPIError as error:
        raise found.unopened(error) from error
    finally:
        found.close()


def _schema(context: MigrationContext, link: Connection) -> Iterator[str]:
    """What tables, indexes and triggers are not as this program makes them."""
    for change in compare_metadata(context, Base.metadata):
        yield _("the schema is not this program's: {change}").format(change=_named(change))
    query, needed = TRIGGERS[link.dialect.name]
    for name in sorted(needed - set(link.scalars(text(query)))):
        yield _("trigger {name} is missing: the database lets the trail be changed").format(name=name)


def _named(change: Any) -> str:
    """``add_index one_person_one_card``, of what Alembic would do."""
    deed, *what = change[0] if isinstance(change, list) else change
    names = [getattr(one, "name", None) or one for one in what if isinstance(getattr(one, "name", one), str)]
    return " ".join([str(deed), *map(str, names[:3])])
