"""Defaults of the user's own: a TOML file whose tables are commands and whose keys are their options.

``[run]`` with ``layout = "2.00"`` is ``sscard run --layout 2.00`` where the command line says nothing. A variable of
the environment stands above the file, the command line above both. What must be asked for each time, and what is
secret, is refused: a file that lies there for years asks for nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.errors import ErrorKind, SscardError
from emulator.guess import guess
from emulator.messages import OWN, _, deferred
from harness.cli.table import META, inside, records

if TYPE_CHECKING:
    from click.core import Context

GIVEN = "sscard.settings.given"
EACH_TIME = frozenset(
    ("show-secrets", "show-values", "personal-data", "serials", "allow-destructive", "force", "yes", "new-key")
)
"""Options that show, destroy or overwrite what one must not by habit."""
SECRET = frozenset(("pin", "new-pin", "old", "new", "electronic-pin", "pad"))
"""Options whose values are secret: they come from variables or are asked for."""
OF_THE_LINE = frozenset(("config", "version"))
"""Options of the program that no file sets: which file it is, and what ends at once."""
CLOSED = (click.Choice, click.IntRange, click.FloatRange)
"""Kinds of values of which all are known: what a file says is held against them as soon as it is read."""
OPTION = re.compile(r"--([a-z][a-z0-9-]*)")
EXAMPLE = """# Defaults of sscard. Tables are commands, keys their long options without dashes; lists repeat one.
# The command line and environment variables stand above this file. PINs and what must be asked for each time
# (show-secrets, force, …) are refused here. `sscard config show` says what holds.

# reader-wait = 10

# [run]
# layout = "2.00"
# persona = ["adult-chengdu", "pin-one-try"]

# [vectors.run]
# profile = ["3.00-3des", "3.00-sm4"]
"""


class SettingsError(SscardError, ValueError):
    """The file of defaults says what cannot be: where, and what is expected."""

    kind = ErrorKind.USAGE
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """A file of defaults. ``table``: as TOML has it, its names checked against the commands there are."""

    path: Path
    table: Mapping[str, Any]

    def own(self) -> dict[str, Any]:
        """What it says of the program's own options, by the names of its parameters."""
        return {name.replace("-", "_"): value for name, value in self.table.items() if not isinstance(value, dict)}

    def check_own(self, program: click.Command) -> None:
        """SettingsError where one of the program's own options cannot be as the file says."""
        for param in program.params:
            if param.name in self.own():
                key = param.name.replace("_", "-")
                self._fitting("", key, self.own()[param.name], param)

    def at(self, path: str) -> Mapping[str, Any]:
        """The file's table of a command, by its path; empty where it has none."""
        table: Any = self.table
        for name in path.split(" "):
            table = table.get(name, {})
        found: Mapping[str, Any] = table
        return found

    def of(self, path: str, command: click.Command) -> dict[str, Any]:
        """What it says of a command, by its path, and of those below it: a default map of click's. SettingsError."""
        table = self.at(path)
        found: dict[str, Any] = {}
        by_name = {one.removeprefix("--"): param for param in command.params for one in param.opts}
        below = inside(command) if any(isinstance(value, dict) for value in table.values()) else {}
        for key, value in table.items():
            if isinstance(value, dict):
                found[key] = self.of(f"{path} {key}", below[key]) if key in below else {}
            elif key in by_name:
                found[by_name[key].name or key] = self._fitting(path, key, value, by_name[key])
        return found

    def where(self, path: str, key: str) -> str:
        """Says where it sets an option of a command."""
        return _place(self.path, tuple(path.split()), key)

    def give(self, ctx: Context, path: str, command: click.Command) -> None:
        """Makes what the file says of a command its defaults, before it is called from the group of ``ctx``."""
        if said := self.of(path, command):
            ctx.default_map = {**(ctx.default_map or {}), path.rpartition(" ")[2]: said}
        given = [f"--{one}" for one, value in self.at(path).items() if not isinstance(value, dict)]
        ctx.meta[GIVEN] = [*ctx.meta.get(GIVEN, ()), *given]

    def _fitting(self, path: str, key: str, value: Any, parameter: click.Parameter) -> Any:
        where = self.where(path, key)
        many = parameter.multiple or parameter.nargs != 1
        expected = _kind(parameter)
        one_by_one = value if many and isinstance(value, list) else [value]
        if isinstance(value, list) is not many or not all(_is(expected, one) for one in one_by_one):
            what = _("a list of {kind}").format(kind=_(expected)) if many else _(expected)
            raise SettingsError(
                _("{where}: expected {what}, found {value!r}").format(where=where, what=what, value=value)
            )
        if isinstance(parameter.type, CLOSED):
            for one in one_by_one:
                try:
                    parameter.type.convert(one, parameter, None)
                except click.BadParameter as wrong:
                    raise SettingsError(_("{where}: {what}").format(where=where, what=wrong.message)) from None
        return value


def load(path: Path) -> Settings:
    """A file of defaults, its names checked. SettingsError; FormatError with the line; OSError."""
    from emulator.textfiles import as_toml

    table = as_toml.load(path)
    for place, key, value in _entries(table):
        _check(path, place, key, value)
    return Settings(path, table)


def use(ctx: Context, path: Path) -> None:
    """Makes a file's defaults those of the program's own options, and keeps the rest for the command that is called.
    SettingsError; FormatError; OSError.
    """
    settings = ctx.meta[META] = load(path)
    own = {one.name for one in ctx.command.params}
    if strange := sorted(set(settings.own()) - own):
        key = strange[0].replace("_", "-")
        if key in records():
            raise SettingsError(
                _("{file}: {key}: a command's options stand in a table: [{key}]").format(file=path, key=key)
            )
        known = [*(str(one).replace("_", "-") for one in own if one), *(name for name in records() if " " not in name)]
        raise SettingsError(
            _("{file}: {key}: no option of `sscard`{guess}").format(file=path, key=key, guess=guess(key, known))
        )
    settings.check_own(ctx.command)
    ctx.default_map = {**(ctx.default_map or {}), **settings.own()}
    if "lang" in settings.own():  # which is looked for before the command line is read
        os.environ.setdefault(OWN, str(settings.own()["lang"]))


def told(ctx: Context) -> str:
    """Which defaults the file gave to the command that was called, for an error that may come from them; else empty."""
    settings, given = ctx.meta.get(META), ctx.meta.get(GIVEN)
    if settings is None or not given:
        return ""
    return _(" (defaults of {file}: {names})").format(file=settings.path, names=", ".join(given))


# --- what may stand in it ------------------------------------------------------------------------------------------


def _entries(table: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every key that is no table, and every table that is no command, with the command that it stands in."""
    for key, value in table.items():
        if isinstance(value, dict) and " ".join((*place, key)) in records():
            yield from _entries(value, (*place, key))
        else:
            yield place, key, value


def _place(path: Path, place: tuple[str, ...], key: str) -> str:
    return f"{path}: [{'.'.join(place)}] {key}" if place else f"{path}: {key}"


def _check(path: Path, place: tuple[str, ...], key: str, value: object) -> None:
    where = _place(path, place, key)
    if isinstance(value, dict):
        there = [one for one in records() if one.split(" ")[:-1] == list(place)]
        raise SettingsError(
            _("{where}: no command{guess}").format(where=where, guess=guess(" ".join((*place, key)), there))
        )
    if key in EACH_TIME or (not place and key in OF_THE_LINE):
        raise SettingsError(_("{where}: is asked for each time, on the command line").format(where=where))
    if key in SECRET:
        raise SettingsError(
            _("{where}: no secret stands in this file: $SSCARD_PIN, $SSCARD_NEW_PIN, or asked for").format(where=where)
        )
    if place:
        options = _options(" ".join(place))
        if key not in options:
            raise SettingsError(_("{where}: no such option{guess}").format(where=where, guess=guess(key, options)))


def _options(path: str) -> list[str]:
    rows = [names for _title, lines in records()[path]["sections"] for names, _text in lines]
    return [name for row in rows for name in OPTION.findall(row) if name != "help"]


TEXT, WHOLE = deferred("text in quotes"), deferred("a whole number")
NUMBER, YES_OR_NO = deferred("a number"), deferred("true or false")


def _kind(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return YES_OR_NO
    if isinstance(parameter.type, click.types.IntParamType) or getattr(parameter, "count", False):
        return WHOLE
    return NUMBER if isinstance(parameter.type, click.types.FloatParamType) else TEXT


def _is(kind: str, value: object) -> bool:
    if kind == YES_OR_NO:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, {TEXT: str, WHOLE: int, NUMBER: int | float}[kind])
