"""A PostgreSQL server as one is in earnest: over TLS alone, and nobody is let in without a password (SCRAM-SHA-256).

It is the tests' server, started again so that it listens on loopback. Its name, ``db.example``, stands in its
certificate; nobody looks it up, as an address says where it is (``hostaddr``).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.office.register.address import ServerAddress
from tests.kit.postgres import DEADLINE, Cluster

HOST, LOOPBACK = "db.example", "127.0.0.1"
LOGIN, PASSWORD = "server", "sehr-geheim"
RULES = f"local all all trust\nhostssl all {LOGIN} {LOOPBACK}/32 scram-sha-256\n"
"""pg_hba.conf: the tests themselves come over the socket."""
RIGHTS = (
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {LOGIN}",
    f"REVOKE UPDATE, DELETE ON audit FROM {LOGIN}",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {LOGIN}",
)
"""What docs/register.md grants a role that serves and does not own."""


@dataclass(frozen=True)
class Guarded:
    """Such a server with a register in a database of its own. ``trusted``: its certificate; ``stranger``: another."""

    cluster: Cluster
    database: str
    port: int
    trusted: Path
    stranger: Path

    def address(self, **other: str) -> ServerAddress:
        """How its user names it; ``other`` parameters instead, of which an empty one is left out."""
        given = {
            "host": HOST,
            "hostaddr": LOOPBACK,
            "port": str(self.port),
            "user": LOGIN,
            "dbname": self.database,
            "sslmode": "verify-full",
            "sslrootcert": str(self.trusted),
        }
        return ServerAddress({name: value for name, value in {**given, **other}.items() if value})

    def password_file(self, file: Path, password: str = PASSWORD) -> Path:
        """A file of passwords as libpq reads it."""
        file.write_text(f"{HOST}:{self.port}:*:{LOGIN}:{password}\n")
        file.chmod(0o600)
        return file

    def set_password(self, password: str) -> None:
        """The role's from now on; whoever is connected is put out."""
        self.cluster.sql("postgres", f"ALTER ROLE {LOGIN} PASSWORD '{password}'")
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{LOGIN}'"
        self.cluster.sql("postgres", ended)

    @contextlib.contextmanager
    def in_the_clear(self) -> Iterator[None]:
        """For a while it has no TLS."""
        self._tls("off")
        try:
            yield
        finally:
            self._tls("on")

    def _tls(self, value: str) -> None:
        self.cluster.sql("postgres", f"ALTER SYSTEM SET ssl = {value}")
        self.cluster.sql("postgres", "SELECT pg_reload_conf()")
        deadline = time.monotonic() + DEADLINE
        while self.cluster.sql("postgres", "SHOW ssl") != [(value,)]:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # it tells nobody when it has read its settings


@contextlib.contextmanager
def guarding(cluster: Cluster, folder: Path) -> Iterator[Guarded]:
    """The tests' server as such a one, until the end. ``folder``: for its certificates."""
    trusted, stranger, rules = folder / "server.pem", folder / "stranger.pem", folder / "pg_hba.conf"
    _certified(stranger, folder / "stranger.key")
    _certified(trusted, folder / "server.key")
    rules.write_text(RULES)
    port = _free_port()
    more = (
        f"listen_addresses={LOOPBACK}", f"hba_file={rules}",
        f"ssl_cert_file={trusted}", f"ssl_key_file={folder / 'server.key'}",
    )  # fmt: skip
    with cluster.database() as database:
        cluster.sql("postgres", f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}'")
        for deed in RIGHTS:
            cluster.sql(database, deed)
        cluster.sql("postgres", "ALTER SYSTEM SET ssl = on")
        cluster.stop(signal.SIGINT)
        try:
            cluster.start(*more, port=port)
            yield Guarded(cluster, database, port, trusted, stranger)
        finally:
            cluster.sql("postgres", "ALTER SYSTEM RESET ssl")
            cluster.stop(signal.SIGINT)
            cluster.start()
            cluster.sql(database, f"DROP OWNED BY {LOGIN}")
            cluster.sql("postgres", f"DROP ROLE {LOGIN}")


@pytest.fixture(scope="module")
def guarded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One for the tests of a module."""
    with guarding(cluster, tmp_path_factory.mktemp("guarded")) as one:
        yield one


@pytest.fixture
def nobody_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No password is at hand but the test's own."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _certified(certificate: Path, key_file: Path) -> None:
    """A key, and a certificate for ``HOST`` that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key_file.touch(0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
