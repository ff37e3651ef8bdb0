"""--request-log, as all services take it."""

from __future__ import annotations

import click

option = click.option(
    "--request-log", metavar="FILE|-",
    help="Write a line of JSON for each request here, - for standard output; nothing of its content. [none]",
)  # fmt: skip
