"""What an option or argument says was wrong: told as wrong usage of it, with exit code 2."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import click

from emulator.errors import SscardError
from emulator.messages import _, deferred

KINDS = {
    "integer": deferred("whole number"),
    "integer range": deferred("whole number"),
    "float": deferred("decimal number"),
    "float range": deferred("decimal number"),
}
"""What click calls a kind of value, always in English, and what we call it."""
PLACES = {"Path": deferred("Path"), "File": deferred("File"), "Directory": deferred("Directory")}
"""The same of what click begins a sentence with."""


class Amount(click.FloatRange):
    """A decimal number within a range; Python reads ``nan`` as one, which lies beyond no limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Gives the number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(_("{value!r} is no number.").format(value=value), param, ctx)
        return number


def sentence(error: click.ClickException) -> str:
    """What click says of a mistake, in one line and whole in the user's language: its words for kinds of values are
    English wherever it is told, and what it says of a lack is glued together.
    """
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return _lacking(error, error.param)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return error.format_message().replace(error.message, _named(error.message, error.param.type))
    return error.format_message()


def _lacking(error: click.MissingParameter, parameter: click.Parameter) -> str:
    name = parameter.get_error_hint(error.ctx)
    told = (
        _("Missing argument {name}.") if isinstance(parameter, click.Argument) else _("Missing option {name}.")
    ).format(name=name)
    if isinstance(parameter.type, click.Choice):
        return _("{sentence} Choose from: {names}").format(sentence=told, names=", ".join(parameter.type.choices))
    return told


def _named(message: str, kind: click.ParamType[Any]) -> str:
    before, english, after = message.rpartition(kind.name)
    if kind.name in KINDS and english:
        return f"{before}{_(KINDS[kind.name])}{after}"
    first = kind.name.title()
    return (
        f"{_(PLACES[first])}{message.removeprefix(first)}" if message.startswith(first) and first in PLACES else message
    )


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
