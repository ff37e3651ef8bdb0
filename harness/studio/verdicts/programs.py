"""Programs that may be proven from the page: those alone that were named when it was started.

A browser names a program, never a command line: whoever could send one could run anything as this user, be it another
page that found a way past the door.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class ProgramNameError(SscardError, ValueError):
    """``--program`` says no name with a command: what was expected."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class NamedProgram:
    """A program by its name on the page. ``argv``: as ``sscard prove`` has it after its ``--``."""

    name: str
    argv: tuple[str, ...]


def parsed(texts: Iterable[str]) -> tuple[NamedProgram, ...]:
    """Each ``NAME=COMMAND``, the command quoted as in a shell. ProgramNameError, also for a name that comes twice."""
    found: dict[str, NamedProgram] = {}
    for text in texts:
        one = _parsed(text)
        if one.name in found:
            raise ProgramNameError(_("--program: {name} is named twice").format(name=one.name))
        found[one.name] = one
    return tuple(found.values())


def _parsed(text: str) -> NamedProgram:
    name, equals, command = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise ProgramNameError(
            _(
                "--program: expected NAME=COMMAND, the name of up to 40 letters, digits, dots, hyphens and "
                "underscores, as in counter='./my-terminal --pin {pin}'"
            )
        )
    try:
        argv = tuple(shlex.split(command))
    except ValueError as error:
        raise ProgramNameError(_("--program {name}: {error}").format(name=name, error=error)) from None
    if not argv:
        raise ProgramNameError(_("--program {name}: no command stands after =").format(name=name))
    return NamedProgram(name, argv)
