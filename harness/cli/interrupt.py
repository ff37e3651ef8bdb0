"""Ctrl-C in a long command: what was done stays, and is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

from emulator.messages import _

T = TypeVar("T")
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: no run that was cut short is green."""


def gathered(items: Iterable[T], into: list[T]) -> bool:
    """Takes all, or what comes until Ctrl-C; true if it was cut short."""
    try:
        for one in items:
            into.append(one)
    except KeyboardInterrupt:
        return True
    return False


def tell(done: str) -> None:
    """Says on stderr that the command was interrupted, and what was done."""
    click.echo(_("sscard: interrupted 已中断: {done}").format(done=done), err=True)


@contextlib.contextmanager
def told(done: Callable[[], str]) -> Iterator[None]:
    """Ends with INTERRUPTED at Ctrl-C, and says what was done."""
    try:
        yield
    except KeyboardInterrupt:
        tell(done())
        raise click.exceptions.Exit(INTERRUPTED) from None
