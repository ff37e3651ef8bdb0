"""What all commands of the office have in common: their options, where things are kept, what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.errors import SscardError
from emulator.messages import _

if TYPE_CHECKING:
    from harness.office.register.address import Address

REGISTER, DRAWER = "office.db", "office-cards"
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


class RegisterType(click.Path):
    """A register's file, or the address of a server."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns an ``Address``."""
        from harness.office.register import address

        found = address.parsed(value) if isinstance(value, str) else value
        return found if isinstance(found, address.ServerAddress) else super().convert(value, param, ctx)


REGISTER_TYPE = RegisterType(dir_okay=False, path_type=Path)


def seen_password(register: Address, option: str) -> None:
    """Warns who has written a password where every user of the machine may read it."""
    if not isinstance(register, Path) and register.has_password:
        from harness.cli.lines import say

        say(
            _(
                "! the password in {option} is seen by whoever lists this machine's processes: leave it out, and put "
                "it into PGPASSWORD or ~/.pgpass"
            ).format(option=option),
            err=True,
        )


class OfficeError(SscardError, RuntimeError):
    """What the office did not do, and why."""


def common(*, hidden: bool = False) -> list[click.Parameter]:
    """Options of every command of the group, before or after its name."""
    return [
        click.Option(["--register"], type=REGISTER_TYPE, metavar="FILE|URL", hidden=hidden,
                     envvar=None if hidden else "SSCARD_OFFICE",  # else it would win over the group's own option
                     help=f"The register's file, or postgresql://…; or $SSCARD_OFFICE. [{REGISTER}]"),
        click.Option(["--drawer"], type=FOLDER, metavar="FOLDER", hidden=hidden,
                     help=f"Where virtual cards are kept. [{DRAWER}, beside the register; or in it, on a server]"),
        click.Option(["--secret"], type=FILE, metavar="FILE", hidden=hidden,
                     envvar=None if hidden else "SSCARD_OFFICE_SECRET",
                     help="The office's secret; or $SSCARD_OFFICE_SECRET. "
                          "[beside the register; office.secret for a server]"),
        click.Option(["--clerk"], metavar="NAME", hidden=hidden,
                     help="Who acts. [the seed's: clerk-maker, officer or bank-a-clerk, as the operation asks]"),
        click.Option(["--now"], metavar="ISO", hidden=hidden,
                     help="The moment it is, as 2025-03-03T09:00, in China. [this one]"),
        click.Option(["--calendar"], type=FILE, multiple=True, hidden=hidden,
                     help="Holidays and weekends worked, in TOML; repeat."),
        click.Option(["--json", "as_json"], is_flag=True, hidden=hidden, help="For other programs."),
    ]  # fmt: skip
