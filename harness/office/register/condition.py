"""Whether a register is in order: what its database holds to by itself, its trail, and what its writers wait for."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, StaticPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from emulator.messages import _
from harness.office.register import audit
from harness.office.register.address import ServerAddress
from harness.office.register.base import Base
from harness.office.register.failures import Unusable, no_register
from harness.office.register.store import Register, database, history, longest_wait, outgrown

IN_FILE = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
ON_SERVER = (
    "SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = 'audit'::regclass "
    "AND t.tgenabled = 'A' AND t.tgtype = 58 AND t.tgqual IS NULL AND p.prosrc LIKE '% BEGIN RAISE EXCEPTION %'"
)
"""Triggers that refuse UPDATE, DELETE and TRUNCATE, each before it is done (together 58), to every session."""
PARTIAL = (
    "SELECT c.relname, pg_get_expr(i.indpred, i.indrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indisvalid AND pg_table_is_visible(c.oid)"
)
WORDS = re.compile(r"'[^']*'|\w+|[<>!~]+")
UNSAID = frozenset({"in", "any", "array", "text", "character", "varying"})
"""What a server puts into a condition that was said without it, or in other words."""


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
    """What tables, indexes and triggers are not as this program makes them, and rows that name what is not there."""
    changes = [_named(one) for one in compare_metadata(context, Base.metadata)]
    lost, changed = (_in_file if link.dialect.name == "sqlite" else _on_server)(link)
    for one in changes + changed:
        yield _("the schema is not this program's: {change}").format(change=one)
    for name in lost:
        yield _("trigger {name} is missing: the database lets the trail be changed").format(name=name)
    if link.dialect.name == "sqlite":  # a program that writes there need not ask for foreign keys
        for table, parent in sorted({(row[0], row[2]) for row in link.execute(text("PRAGMA foreign_key_check"))}):
            yield _("rows of {table} belong to rows of {parent} that are not there").format(table=table, parent=parent)


def _in_file(link: Connection) -> tuple[list[str], list[str]]:
    """Triggers of the trail that are not there, or say something else; other triggers, and indexes, that do."""

    def made(link: Connection) -> dict[tuple[str, str], str]:
        return {(kind, name): sql for kind, name, sql in link.execute(text(IN_FILE))}

    new = create_engine("sqlite://", poolclass=StaticPool)
    with new.connect() as fresh:
        command.upgrade(history(fresh), "head")
        needed = made(fresh)
    new.dispose()
    there = made(link)
    other = {one for one in needed.keys() & there.keys() if needed[one] != there[one]}
    other |= {one for one in needed.keys() ^ there.keys() if one[0] == "trigger"}  # Alembic compares indexes
    lost = {one for one in other & needed.keys() if one[1].startswith("audit_no_")}
    return sorted(name for __, name in lost), [" ".join(one) for one in sorted(other - lost)]


def _on_server(link: Connection) -> tuple[list[str], list[str]]:
    """The same."""
    found: dict[str, str] = {name: said or "" for name, said in link.execute(text(PARTIAL))}
    changed = []
    for table in Base.metadata.sorted_tables:
        for index in table.indexes:
            name, asked = str(index.name), index.dialect_options["postgresql"]["where"]
            if name in found and _words(found[name]) != _words(str(asked) if asked is not None else ""):
                changed.append(" ".join(("index", name)))
    return sorted({"audit_only_grows"} - set(link.scalars(text(ON_SERVER)))), changed


def _words(condition: str) -> list[str]:
    """What a condition compares with what, however it is written."""
    return [one for one in WORDS.findall(condition) if one.lower() not in UNSAID]


def _named(change: Any) -> str:
    """``add_index one_person_one_card``, of what Alembic would do."""
    deed, *what = change[0] if isinstance(change, list) else change
    names = [getattr(one, "name", None) or one for one in what if isinstance(getattr(one, "name", one), str)]
    return " ".join([str(deed), *map(str, names[:3])])
