"""Which office the page is to have: its register and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.errors import NotFound
from emulator.messages import _


class NoRegister(NotFound):
    """There is no register: which file, and how one is made."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class OfficeChoice:
    """``register``, ``drawer``, ``calendars``: files and folders; ``now``: the moment it is there, in ISO 8601, None
    for the clock's; ``readers``: beginnings of PC/SC readers' names that requests may name.
    """

    register: str
    drawer: str
    calendars: tuple[str, ...] = ()
    now: str | None = None
    readers: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: dict[str, Any] | None) -> OfficeChoice | None:
        """Its fields, read back from JSON."""
        if table is None:
            return None
        lists = {name: tuple(table[name]) for name in ("calendars", "readers")}
        return cls(**{**table, **lists})

    def look(self) -> None:
        """NoRegister where the register is not there: nobody's mistyped name makes a new one."""
        if not Path(self.register).is_file():
            raise NoRegister(
                _("there is no register {path}: make one with `sscard office --register {path} init`").format(
                    path=self.register
                )
            )
