"""Where a register is: in a file, or on a PostgreSQL server that many offices share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import Misuse
from emulator.messages import _

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = ("postgresql://", "postgres://")
MEANT = re.compile(
    r"://|^\s*(?:postgres\w*(?:\+\w+)?\s*(?::|//)|[a-z][\w+.-]+:/)"
    r"|\b(?:host|hostaddr|dbname|user|password|service)\s*=",
    re.IGNORECASE,
)
"""What is in no file's name, and in addresses, mistyped ones and those for other programs too."""
SECRET = "office.secret"
"""The file of an office's secret where the register is none that it could lie beside."""
SECRETS = frozenset({"password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"})
"""What of an address nobody is shown."""


class AddressError(Misuse):
    """An address of a server that cannot be understood; it is not quoted, as a password may stand in it."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A database on a PostgreSQL server. ``given``: parameters of libpq by their names, TLS and passwords among them;
    what is not there, libpq takes from its environment (PGPASSWORD, PGPASSFILE, PGSSLMODE, …).
    """

    given: Mapping[str, str] = field(repr=False)

    @property
    def has_password(self) -> bool:
        """Whether a password stands in the address itself, where lists of processes show it."""
        return bool(SECRETS & self.given.keys())

    def without_passwords(self) -> str:
        """The address as somebody may type it again: ``postgresql://`` and every parameter but passwords."""
        from urllib.parse import quote, urlencode

        rest = {name: value for name, value in self.given.items() if name not in SECRETS}
        user, host, port, name = (rest.pop(one, "") for one in ("user", "host", "port", "dbname"))
        if host.startswith(("/", "@")) or "," in host:  # a socket, or several servers
            rest["host"], host = host, ""
        if not host and port:
            rest["port"], port = port, ""
        if ":" in host:
            host = f"[{host}]"
        where = f"{quote(user, '')}@" * bool(user) + host + f":{port}" * bool(port)
        return f"postgresql://{where}/{quote(name, '')}" + (f"?{urlencode(rest, safe='/')}" if rest else "")

    def passwords(self) -> dict[str, str]:
        """What stands in the address and is not shown, by libpq's names."""
        return {name: value for name, value in self.given.items() if name in SECRETS}

    def __str__(self) -> str:
        return self.without_passwords()


Address = Path | ServerAddress


def is_server(text: str) -> bool:
    """Whether a text means a server rather than a file."""
    return text.startswith(SCHEMES)


def parsed(text: str) -> Address:
    """The register that a text names: a file's path, or ``postgresql://…`` as libpq has it. AddressError."""
    if not is_server(text):
        if not text.strip() or MEANT.search(text):
            raise AddressError(_("the register's address is not understood: expected a file, or postgresql://…"))
        return Path(text)
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        found: dict[str, Any] = conninfo_to_dict(text)
    except psycopg.Error:
        found = {}
    if not found or _is_torn(text, str(found.get("port") or "")):
        raise AddressError(
            _(
                "the register's address is not understood: expected postgresql://ROLE@HOST:PORT/DATABASE?sslmode=… "
                "with parameters of libpq, and characters of names escaped as %XX"
            )
        )
    return ServerAddress({name: str(value) for name, value in found.items() if value is not None})


def _is_torn(text: str, port: str) -> bool:
    """Whether ``@``, ``/`` or ``:`` of a password has parted it: libpq takes the rest for a host, port or database,
    which are told.
    """
    authority, __, path = text.partition("?")[0].partition("://")[2].partition("/")
    return authority.count("@") > 1 or "@" in path or not re.fullmatch(r"[\d,]*", port)
