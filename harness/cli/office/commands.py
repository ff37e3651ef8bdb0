"""Every command of the office, in the order of a day's work."""

from __future__ import annotations

import click

from harness.cli.office import issue, lists, lookup, operations, papers, setup

COMMANDS: dict[str, click.Command] = {
    str(one.name): one
    for one in (
        setup.init,
        *lookup.BEFORE,
        *issue.COMMANDS,
        *operations.COMMANDS,
        *lists.COMMANDS,
        *lookup.AFTER,
        *papers.COMMANDS,
        *setup.COMMANDS,
    )
}
