"""What all commands of the office have in common: their options, where things are kept, what goes wrong."""

from __future__ import annotations

from pathlib import Path

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
