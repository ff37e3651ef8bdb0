"""What an option or argument says was wrong: told as wrong usage of it, with exit code 2."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from emulator.errors import SscardError


@contextlib.contextmanager
def of(hint: str | None = None, error: type[SscardError] = SscardError) -> Iterator[None]:
    """Errors of this class within it are wrong values: of the option or argument ``hint``; of the parameter itself
    where a parameter's ``convert`` names none.
    """
    try:
        yield
    except error as wrong:
        raise click.BadParameter(str(wrong), param_hint=hint) from None


@contextlib.contextmanager
def of_command(error: type[SscardError] = SscardError) -> Iterator[None]:
    """Errors of this class within it are wrong usage of the command, of no option alone."""
    try:
        yield
    except error as wrong:
        raise click.UsageError(str(wrong)) from None
