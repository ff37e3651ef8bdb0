"""config: the user's file of defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from emulator.messages import _
from emulator.textfiles import writing
from harness.cli import places, settings
from harness.cli.card_options import json_option
from harness.cli.lines import say
from harness.cli.settings import Settings
from harness.cli.table import META, NAMED, declared, records
from harness.trace.record import check_new


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
        else:
            say(_("no file of defaults; it would be {place}, `sscard config new` makes one").format(place=place))
        ctx.exit(1)
    said = {"sscard": found.own(), **_below(found)}
    if as_json:
        click.echo(json.dumps({"file": str(found.path), "place": places.config_file(),
                               "defaults": {name: one for name, one in said.items() if one}},
                              ensure_ascii=False, indent=1))  # fmt: skip
        return
    say(str(found.path))
    for command, values in said.items():
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                say(f"  {command}  --{name.replace('_', '-')} {json.dumps(one, ensure_ascii=False)}")


def _below(found: Settings) -> dict[str, dict[str, Any]]:
    """What the file says of each command that it names, by the names of options."""
    said = {}
    for path in records():
        own = {name: value for name, value in found.at(path).items() if not isinstance(value, dict)}
        if own:
            found.of(path, declared(path))
            said[path] = own
    return said


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
