"""Lines of a terminal, each of which is one, whatever a name from elsewhere holds; coloured where one looks at them."""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import TextIO

import click

from harness.messages.visible import controlled, visible_line

NO_COLOR = "NO_COLOR"
"""Set and not empty: no colours, as https://no-color.org has it."""


class Tone(Enum):
    """What a line says, as the colour of a terminal."""

    GOOD = "green"
    DOUBTFUL = "yellow"
    BAD = "red"


def say(*texts: str, err: bool = False, tone: Tone | None = None) -> None:
    """Prints each text as a line of its own; ends of lines within it are seen, as controls are. ``tone``: of the first,
    shown where a person looks.
    """
    for number, text in enumerate(texts):
        line = visible_line(text)
        stream = sys.stderr if err else sys.stdout
        if tone is not None and number == 0 and coloured(stream):
            click.echo(click.style(line, fg=tone.value), file=controlled(stream), color=True)
        else:
            click.echo(line, err=err)


def coloured(stream: TextIO) -> bool:
    """True where colours are seen: on a terminal that has them, unless ``$NO_COLOR`` says otherwise."""
    return stream.isatty() and not os.environ.get(NO_COLOR) and os.environ.get("TERM") != "dumb"
