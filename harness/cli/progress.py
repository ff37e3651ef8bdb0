"""How far a long talk with a card is, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from emulator.messages import _
from harness.messages.columns import padded

EVERY = 0.5
"""Seconds between two words of how far it is."""
ROOM = 78
"""Columns of a terminal's line that the words of before may have filled."""


def of_commands() -> Callable[[int, str], None]:
    """Tells on stderr how far it is: on one line of a terminal, else now and then on a line of its own."""
    shown = sys.stderr.isatty()
    began = last = time.monotonic()

    def tell(count: int, what: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < (EVERY if shown else 10 * EVERY):
            return
        last = now
        words = _("{count} commands, {seconds:.0f} s: {what}").format(count=count, seconds=now - began, what=what)
        click.echo(f"\r{padded(words, ROOM)}" if shown else words, err=True, nl=not shown)

    return tell
