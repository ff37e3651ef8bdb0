"""PINs at the command line: one set of options, and the asking where none was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

F = TypeVar("F", bound=Callable[..., Any])
PIN, NEW_PIN = "SSCARD_PIN", "SSCARD_NEW_PIN"
SPELLINGS = {"pin": ("--pin",), "old": ("--pin", "--old"), "new": ("--new-pin", "--new")}
"""How options for PINs are called, by what the PIN is; the first is the name that messages use. The PIN that a card has
is --pin everywhere, the one that it gets --new-pin.
"""


class Unasked(SscardError, click.UsageError):
    """A PIN that is needed and was not given, where nobody can be asked."""

    kind = ErrorKind.USAGE
    exit_code = 2


def ask(label: str, option: str, variable: str, *, confirm: bool = False) -> str:
    """The PIN that is typed, without echo, twice with ``confirm``. ``label``: a ``deferred`` message. Unasked where
    there is nobody to type it; click.Abort where it is broken off.
    """
    try:
        return str(click.prompt(_(label), hide_input=True, confirmation_prompt=confirm, err=True))
    except click.Abort as stopped:
        if not isinstance(stopped.__context__, EOFError):
            raise
        raise unasked(label, option, variable) from None


def unasked(label: str, option: str, variable: str) -> Unasked:
    """Returns the error that says how to give a PIN that cannot be asked for. ``label``: a ``deferred`` message."""
    return Unasked(
        _("{label}: it cannot be asked for here: give {option}, or set ${variable}").format(
            label=_(label), option=option, variable=variable
        )
    )


def checked(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """An option's PIN; a usage error for an empty one, which is neither a PIN nor a wish to be asked."""
    del ctx
    if value is not None and not value.strip():
        raise click.BadParameter(_("it is empty: give digits, or leave the option out to be asked"), param=param)
    return value


def names(kind: str, name: str | None = None) -> Sequence[str]:
    """A PIN option's spellings and the name of its value, as click takes them."""
    return (*SPELLINGS[kind], name or kind)


def option(
    kind: str, variable: str, *, label: str = "", confirm: bool = False, needed: bool = False
) -> Callable[[F], F]:
    """An option for a PIN, handed on as ``kind``; where ``needed`` it is asked for if nothing says it."""

    def take(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if checked(ctx, param, value) is None and needed and not ctx.resilient_parsing:
            return ask(label, SPELLINGS[kind][0], variable, confirm=confirm)
        return value

    return click.option(
        *names(kind), envvar=variable, callback=take, metavar="PIN", help=f"Or ${variable}, or asked for."
    )
