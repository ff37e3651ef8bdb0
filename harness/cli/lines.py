"""Lines of a terminal, each of which is one, whatever a name from elsewhere holds."""

from __future__ import annotations

import click

from harness.messages.visible import visible_line


def say(*texts: str, err: bool = False) -> None:
    """Prints each text as a line of its own; ends of lines within it are seen, as controls are."""
    for text in texts:
        click.echo(visible_line(text), err=err)
