"""Which office the page is to have: its register and what goes with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.office.register import address, failures
from harness.office.register.address import Address, ServerAddress
from harness.office.register.failures import no_register


class NoRegister(failures.NoRegister):
    """There is no register for the page: where, and how one is made."""

    exit_code = 3


PASSWORD = "PGPASSWORD"
"""What libpq takes a password from: arguments of a process are shown to everybody on the machine."""


@dataclass(frozen=True, slots=True)
class OfficeChoice:
    """``register``: a file or a server's address, without a password; ``drawer``: a folder, empty where the register
    keeps the cards; ``secret``: the file of the office's secret, empty for the usual one; ``calendars``: files;
    ``now``: the moment it is there, in ISO 8601, None for the clock's; ``readers``: beginnings of PC/SC readers' names
    that requests may name.
    """

    register: str
    drawer: str
    calendars: tuple[str, ...] = ()
    now: str | None = None
    readers: tuple[str, ...] = ()
    secret: str = ""
    password: str = field(default="", repr=False, compare=False)

    @classmethod
    def of(cls, table: dict[str, Any] | None) -> OfficeChoice | None:
        """Its fields, read back from JSON."""
        if table is None:
            return None
        lists: dict[str, Any] = {name: tuple(table[name]) for name in ("calendars", "readers")}
        return cls(**{**table, **lists})

    def as_table(self) -> dict[str, Any]:
        """What ``of`` reads; no password."""
        return {name: value for name, value in asdict(self).items() if name != "password"}

    def environment(self) -> dict[str, str]:
        """What a process that opens this office needs besides."""
        return {PASSWORD: self.password} if self.password else {}

    @property
    def address(self) -> Address:
        """Where the register is."""
        found = address.parsed(self.register)
        if self.password and isinstance(found, ServerAddress):
            return ServerAddress({**found.given, "password": self.password})
        return found

    def look(self) -> None:
        """NoRegister where the register is not there: nobody's mistyped name makes a new one. A server is asked, and
        what is wrong with it is told: RegisterError, TrailError, SecretError.
        """
        where = self.address
        if isinstance(where, ServerAddress):
            from harness.office.register.store import Register

            try:
                Register(where, secret_file=self.secret_file, make=False).close()
            except failures.NoRegister:
                raise no_register(where, NoRegister) from None
        elif not where.is_file():
            raise no_register(where, NoRegister)

    @property
    def secret_file(self) -> Path | None:
        """The file of the office's secret, if one is named."""
        return Path(self.secret) if self.secret else None
