"""Every command of the office, in the order of a day's work."""

from __future__ import annotations

import click

from harness.cli.office import issue, looking, operations, papers, running

COMMANDS: dict[str, click.Command] = {
    str(one.name): one
    for one in (
        running.init,
        *looking.BEFORE,
        *issue.COMMANDS,
        *operations.COMMANDS,
        *looking.AFTER,
        *papers.COMMANDS,
        *running.COMMANDS,
    )
}
