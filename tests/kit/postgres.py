"""A PostgreSQL server of the tests' own: Debian's programs, a cluster in a temporary folder, on a Unix socket alone.

PostgreSQL refuses to be root, and a test may be root in a namespace of one user: so it is somebody else in a namespace
below. It ends with the process that started it, however that ends.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from harness.office.register import seed
from harness.office.register.address import ServerAddress
from harness.office.register.store import Register
from tests.kit import offices

WHERE = os.environ.get("SSCARD_TEST_REGISTER", "file")
ABOUT_A_FILE = "about a register in a file"
ROLE, TEMPLATE, PORT = "office", "planted", 5432
BELOW = ("setpriv", "--pdeathsig", "QUIT", "unshare", "--user", "--map-user=1000", "--map-group=1000")
DEADLINE = 60.0
QUIETLY = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=16MB",
    "max_wal_size=64MB", "listen_addresses=", "max_connections=150", "logging_collector=off",
)  # fmt: skip
"""A database of a test is thrown away."""


def programs() -> Path | None:
    """The folder of Debian's server programs, the newest; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    return found[-1].parent if found else None


class Elsewhere(Register):
    """A register on a server, before which a test about a file is skipped."""

    @property
    def path(self) -> Path:
        pytest.skip(ABOUT_A_FILE)


class Cluster:
    """A running server. ``folder``: where its socket is; ``port``: of the socket's name."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = QUIETLY) -> None:
        found = programs()
        assert found is not None
        self.folder, self._programs, self._settings = folder, found, settings
        self.port = PORT
        self._numbers = itertools.count(1)
        self._names: dict[Path, str] = {}
        self._kept: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.secret = folder / "office.secret"
        options = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")
        self._run("initdb", "-D", str(folder / "data"), "-U", ROLE, *options)

    def _run(self, program: str, *arguments: str) -> None:
        given = [*BELOW, str(self._programs / program), *arguments]
        subprocess.run(given, check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)

    def start(self, *more: str, port: int = PORT) -> None:
        """Starts it, with these settings more; returns once it lets one in."""
        self.port = port
        given = [*BELOW, str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        for one in (*self._settings, f"port={port}", *more):
            given += ["-c", one]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(given, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                self.link("postgres").close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)  # it tells nobody when it is ready
            else:
                return

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """Ends it at once, its connections with it."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(DEADLINE)
            self._process = None

    def link(self, database: str) -> psycopg.Connection[TupleRow]:
        """A connection of its own, past the office, each statement kept at once."""
        return psycopg.connect(host=str(self.folder), port=self.port, user=ROLE, dbname=database, autocommit=True)

    def address(self, database: str, **more: str) -> ServerAddress:
        """Where a database of it is."""
        return ServerAddress(
            {"host": str(self.folder), "port": str(self.port), "user": ROLE, "dbname": database, **more}
        )

    def sql(self, database: str, statement: str) -> list[TupleRow]:
        """What one statement tells, past the office."""
        with contextlib.closing(self.link(database)) as link:
            done = link.execute(statement.encode())
            return list(done.fetchall()) if done.description else []

    def of(self, folder: Path) -> Register:
        """The register that an office of this folder has on the server, in this program and those that it forks."""
        return Elsewhere(self._of(folder), durable=False, hash_cost=2, secret_file=self.secret, make=False)

    def where(self, folder: Path) -> tuple[str, Path]:
        """The address of the same, and the file of its secret."""
        return str(self._of(folder)), self.secret

    def _of(self, folder: Path) -> ServerAddress:
        if folder not in self._names:
            name = self._names[folder] = f"test_{next(self._numbers)}"
            self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.address(self._names[folder])

    def kept(self, folder: Path) -> str:
        """The name of a copy of what this folder's register holds."""
        name = f"kept_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {self._names[folder]}")
        self._kept.append(name)
        return name

    def restore(self, folder: Path, name: str) -> None:
        """This folder's register holds what that copy does."""
        self.sql("postgres", f"DROP DATABASE {self._names[folder]} WITH (FORCE)")
        self.sql("postgres", f"CREATE DATABASE {self._names[folder]} TEMPLATE {name}")

    def held(self, folder: Path) -> bytes:
        """Every row of this folder's register, as text, but its cards'."""
        name = self._names[folder]
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'card_image'"
        tables = self.sql(name, listed)
        rows = [row for (table,) in tables for row in self.sql(name, f"SELECT t::text FROM {table} AS t")]
        return "\n".join(text for (text,) in rows).encode()

    def forget(self) -> None:
        """Drops the databases of all folders, and their copies."""
        for name in (*self._names.values(), *self._kept):
            self.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")
        self._names.clear()
        self._kept.clear()

    def plant(self) -> None:
        """Makes the template: a register with the small world of ``seed`` in it."""
        self.sql("postgres", f"CREATE DATABASE {TEMPLATE}")
        register = Register(self.address(TEMPLATE), durable=False, hash_cost=2, secret_file=self.secret)
        with register.transaction() as session:
            seed.plant(session)
        register.close()

    @contextlib.contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """The name of a database for one test, made from a template and dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            self.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def running(settings: tuple[str, ...] = QUIETLY) -> Iterator[Cluster]:
    """A server for as long as it is needed."""
    # The socket's path has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="sscard-pg-"))
    cluster = None
    try:
        cluster = Cluster(folder, settings)
        cluster.start()
        cluster.plant()
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder)


@cache
def lacking() -> str:
    """Why there can be no server here; empty where there can."""
    if programs() is None:
        return "postgresql is not installed"
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return "util-linux is not installed"
    done = subprocess.run([*BELOW, "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "this system has no user namespaces"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests of this process."""
    if lacking():
        if os.environ.get("CI"):
            pytest.fail(lacking())
        pytest.skip(lacking())
    with running() as one:
        yield one


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.xdist_group("postgresql"))])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every ``Desk`` of the test has its register in a file, and then on a server."""
    if request.param == "server":
        server: Cluster = request.getfixturevalue("cluster")
        monkeypatch.setattr(offices, "server", server)
        yield "server"
        server.forget()
    else:
        monkeypatch.setattr(offices, "server", None)
        yield "file"


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own, with a register in it."""
    with cluster.database() as name:
        yield name


@pytest.fixture
def in_a_file() -> None:
    """Skips where registers are on a server."""
    if offices.server is not None:
        pytest.skip(ABOUT_A_FILE)


@pytest.fixture(autouse=True)
def wherever_said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every ``Desk`` has its register on a server where ``SSCARD_TEST_REGISTER`` is ``postgresql``."""
    if WHERE != "postgresql":
        yield
        return
    server: Cluster = request.getfixturevalue("cluster")
    monkeypatch.setattr(offices, "server", server)
    yield
    server.forget()
