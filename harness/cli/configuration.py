"""config: the user's file of defaults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from emulator import catalogue
from emulator.errors import SscardError
from emulator.messages import _
from emulator.messages.system_errors import said
from emulator.textfiles import writing
from harness.cli import places, settings
from harness.cli.card_options import json_option
from harness.cli.lines import say
from harness.cli.settings import Settings, SettingsError
from harness.cli.table import CONFIG_VARIABLE, META, NAMED, declared, records
from harness.driver.dialects import dialect as dialects
from harness.office.register import address
from harness.trace.record import check_new

CHECKED: dict[str, Callable[[str], object]] = {
    "layout": catalogue.layout, "persona": catalogue.persona, "psam": catalogue.persona, "dialect": dialects.load,
}  # fmt: skip
"""What names such a thing in any command, and what loads it."""


@click.group()
def config() -> None:
    """The file of defaults for options: which one holds, what it says, an example to begin with."""


@config.command("show")
@json_option
@click.pass_context
def show(ctx: click.Context, *, as_json: bool) -> None:
    """Say which file holds, and which option of which command it sets; every value is checked. Exit code 1 for none."""
    found: Settings | None = ctx.meta.get(META)
    if found is None:
        place = places.config_file()
        if as_json:
            click.echo(json.dumps({"file": None, "place": place, "defaults": {}}))
        elif ctx.meta[NAMED] == places.NO_FILE:
            say(_("no file of defaults: --config or ${variable} is empty").format(variable=CONFIG_VARIABLE))
        else:
            say(_("no file of defaults; it would be {place}, `sscard config new` makes one").format(place=place))
        ctx.exit(1)
    defaults = {"sscard": found.own(), **_below(found)}
    if as_json:
        click.echo(json.dumps({"file": str(found.path), "place": places.config_file(),
                               "defaults": {name: one for name, one in defaults.items() if one}},
                              ensure_ascii=False, indent=1))  # fmt: skip
        return
    say(str(found.path))
    for command, values in defaults.items():
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                say(f"  {command}  --{name.replace('_', '-')} {json.dumps(one, ensure_ascii=False)}")


def _below(found: Settings) -> dict[str, dict[str, Any]]:
    """What the file says of each command that it names, by the names of options."""
    defaults = {}
    for path in records():
        own = {name: value for name, value in found.at(path).items() if not isinstance(value, dict)}
        if own:
            found.of(path, declared(path))
            for key, value in own.items():
                _check_names(found, path, key, value)
            defaults[path] = {key: _without_passwords(value) for key, value in own.items()}
    return defaults


def _without_passwords(value: Any) -> Any:
    """A value as it is shown: the address of a register's server may have a password in it."""
    return str(address.parsed(value)) if isinstance(value, str) and address.is_server(value) else value


def _check_names(found: Settings, path: str, key: str, value: Any) -> None:
    """SettingsError where a layout, a persona or a dialect that an option names is not there, or not good."""
    for one in value if isinstance(value, list) else [value]:
        if key in CHECKED and isinstance(one, str) and one:
            try:
                CHECKED[key](one)
            except (SscardError, OSError) as error:
                what = said(error) if isinstance(error, OSError) else str(error)
                where = found.where(path, key)
                raise SettingsError(_("{where}: {what}").format(where=where, what=what)) from None


@config.command("new")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="The file. [the one that is named as the file of defaults, else this user's own]",
)  # fmt: skip
@click.pass_context
def new(ctx: click.Context, out: Path | None) -> None:
    """Write an example, all of it comments; an existing file is never overwritten."""
    path = out or Path(ctx.meta.get(NAMED) or places.config_file())
    check_new(path, force=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing.named(path):
        path.write_text(settings.EXAMPLE, encoding="utf-8")
    say(_("{path}: an example; `sscard config show` says what holds").format(path=path))


COMMANDS = (config,)
