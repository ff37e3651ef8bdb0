"""office: the Measures' operations at a counter. The database and all that goes with it are imported when used."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.office.common import common
from harness.cli.table import Table


class _Office(Table):
    """Its commands follow from the operations, which are read when one of them is asked for."""

    path = "office"

    def declared(self) -> dict[str, click.Command]:
        """Returns the office's commands, importing them."""
        from harness.cli.office.commands import COMMANDS

        return COMMANDS


@click.group(cls=_Office, params=common())
@click.pass_context
def office(ctx: click.Context, /, **settings: Any) -> None:
    """The office: a register of made-up people and the Measures' operations on it and on cards (docs/office.md).

    Begin with `init`. These options may stand before or after a command's name.
    """
    ctx.obj = settings


COMMANDS = (office,)
