"""office: the Measures' operations at a counter. The database and all that goes with it are imported when used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emulator.errors import SscardError

REGISTER, DRAWER = "office.db", "office-cards"
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


class OfficeError(SscardError, RuntimeError):
    """What the office did not do, and why."""


def common(*, hidden: bool = False) -> list[click.Parameter]:
    """Options of every command of the group, before or after its name."""
    return [
        click.Option(["--register"], type=FILE, metavar="FILE", hidden=hidden,
                     envvar=None if hidden else "SSCARD_OFFICE",  # else it would win over the group's own option
                     help=f"The register; or $SSCARD_OFFICE. [{REGISTER}]"),
        click.Option(["--drawer"], type=FOLDER, metavar="FOLDER", hidden=hidden,
                     help=f"Where virtual cards are kept. [{DRAWER}, beside the register]"),
        click.Option(["--clerk"], metavar="NAME", hidden=hidden,
                     help="Who acts. [the seed's: clerk-maker, officer or bank-a-clerk, as the operation asks]"),
        click.Option(["--now"], metavar="ISO", hidden=hidden,
                     help="The moment it is, as 2025-03-03T09:00, in China. [this one]"),
        click.Option(["--calendar"], type=FILE, multiple=True, hidden=hidden,
                     help="Holidays and weekends worked, in TOML; repeat."),
        click.Option(["--json", "as_json"], is_flag=True, hidden=hidden, help="For other programs."),
    ]  # fmt: skip


class _Office(click.Group):
    """Its commands follow from the operations, which are read when one of them is asked for."""

    def _loaded(self) -> dict[str, click.Command]:
        from harness.cli.office.commands import COMMANDS

        return COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._loaded())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return self._loaded().get(cmd_name)


@click.group(cls=_Office, params=common())
@click.pass_context
def office(ctx: click.Context, /, **settings: Any) -> None:
    """The office: a register of made-up people and the Measures' operations on it and on cards (docs/office.md).

    Begin with `init`. These options may stand before or after a command's name.
    """
    ctx.obj = settings


COMMANDS = (office,)
