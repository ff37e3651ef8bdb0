"""Makes the table of commands from the commands: ``python -m harness.cli.table_maker``, after one has changed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from harness.cli.table import FILE, HELP, ROOMS, Record, declared, inside


class _Sections(click.HelpFormatter):
    """Takes down what is written instead of laying it out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[list[str]]]] = []

    @contextlib.contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Keeps a section under its title."""
        self.found.append((name, []))
        yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        """Keeps the rows of the section that is open."""
        self.found[-1][1].extend(map(list, rows))


def walk() -> Iterator[tuple[str, click.Command]]:
    """Every command by its path, a group before what is in it; the program's own by name, others as declared."""
    for top in sorted(name for commands in ROOMS.values() for name in commands):
        yield from _walk(top, declared(top))


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    below = inside(command)
    for name in below:
        yield from _walk(f"{path} {name}", below[name])


def record_of(path: str, command: click.Command) -> Record:
    """What the table says of a command."""
    parent: click.Context | None = click.Context(
        click.Command("sscard"), info_name="sscard", help_option_names=HELP["help_option_names"]
    )
    for name in path.split(" ")[:-1]:
        parent = click.Context(click.Group(name), info_name=name, parent=parent)
    ctx = click.Context(command, info_name=command.name, parent=parent)
    sections = _Sections()
    click.Command.format_options(command, ctx, sections)
    group = isinstance(command, click.Group)
    return {
        "short": command.short_help,
        "help": command.help,
        "epilog": command.epilog,
        "usage": command.collect_usage_pieces(ctx),
        "sections": sections.found,
        "group": group,
        "plain group": type(command) is click.Group and not command.params,
    }


def made() -> str:
    """The table, as it should be."""
    table = {path: record_of(path, command) for path, command in walk()}
    return json.dumps(table, ensure_ascii=False, indent=0) + "\n"


if __name__ == "__main__":
    Path(FILE).write_text(made(), encoding="utf-8")
