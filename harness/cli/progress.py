"""How far a long command is, on stderr: for a person, and by `--progress json` for a program."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emulator.messages import _
from harness.messages.columns import padded
from harness.messages.visible import controlled, visible_line

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

EVERY = 0.5
"""Seconds between two words of how far it is."""
OFTEN = 0.1
"""Seconds between two lines for a program."""
ROOM = 78
"""Columns of a terminal's line that the words of before may have filled."""
TEXT, JSON = "text", "json"
Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")


def option(command: Command) -> Command:
    """Adds ``--progress`` to a command."""
    return click.option(
        "--progress",
        "progress_as",
        type=click.Choice((TEXT, JSON)),
        default=TEXT,
        show_default=True,
        help="How it says on stderr how far it is; `json`: a line for programs, ten a second at most.",
    )(command)


class ForPrograms:
    """Says how far a command is as lines of JSON: ``{"progress": {"done": 3, "total": 40, "bad": 1, "what": "…"}}``.

    ``total``: how many there are in all; ``bad``: of those done, how many did not come out well; ``what``: the last one
    by its id. The first line says that nothing is done, the last one how many were.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done, self._bad, self._what = total, 0, 0, ""
        self._last = 0.0
        self._say()

    def over(self, items: Iterable[T], told: Callable[[T], tuple[str, bool]]) -> Iterator[T]:
        """What comes, each told after it came. ``told``: its id, and whether it is bad."""
        try:
            for one in items:
                what, bad = told(one)
                self.tell(self._done + 1, self._bad + bad, what)
                yield one
        finally:
            self.end()

    def tell(self, done: int, bad: int, what: str = "", total: int | None = None) -> None:
        """So many are done, so many of them bad."""
        self._done, self._bad, self._what = done, bad, what
        self._total = self._total if total is None else total
        if time.monotonic() - self._last >= OFTEN:
            self._say()

    def end(self) -> None:
        """Says how far it came, once more."""
        self._say()

    def _say(self) -> None:
        self._last = time.monotonic()
        told = {"done": self._done, "total": self._total, "bad": self._bad, "what": self._what}
        click.echo(json.dumps({"progress": told}), err=True)


def bar(items: Iterable[T], total: int, label: str, *, hidden: bool = False) -> ProgressBar[T]:
    """A bar on stderr while what comes is taken from it, as a context; the label alone where that is no terminal."""
    return click.progressbar(items, length=total, label=visible_line(label), file=controlled(sys.stderr), hidden=hidden)


def over_the_last(words: str, room: int = ROOM) -> None:
    """Writes a line of a terminal over the one before; nothing from elsewhere has it obey anything."""
    click.echo(f"\r{padded(visible_line(words), room)}", file=controlled(sys.stderr), nl=False)


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
        if shown:
            over_the_last(words)
        else:
            click.echo(visible_line(words), err=True)

    return tell
