"""Groups whose commands are listed and explained from a table, ``commands.json``, and imported when they are called.

So help is quick, and there without the packages that a command needs. The table is made from the commands themselves,
``python -m harness.cli.table_maker``, and a test holds it against them.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _, deferred, libraries_in_english

if TYPE_CHECKING:
    from types import TracebackType

    from click.shell_completion import CompletionItem

FILE = os.path.join(os.path.dirname(__file__), "commands.json")  # noqa: PTH118, PTH120 — pathlib is a start-up's third
ROOMS = {
    "serve": ("run", "doctor"),
    "steering": ("card", "events"),
    "studio": ("studio",),
    "show": ("show", "apdu", "keys"),
    "personas": ("personas", "persona"),
    "layouts": ("layout", "commands"),
    "pin_and_region": ("pin", "region", "lifecycle", "personalise"),
    "certificates": ("certificate",),
    "images": ("image", "tear"),
    "compare": ("compare",),
    "vectors": ("vectors",),
    "reports": ("report",),
    "traces": ("trace", "record"),
    "monitor": ("monitor",),
    "hsm": ("machine",),
    "terminal": ("terminal",),
    "driver": ("driver",),
    "office": ("office",),
    "scenarios": ("scenarios",),
    "campaign": ("campaign",),
    "facts": ("facts",),
    "learn": ("learn",),
    "readers": ("readers",),
    "shell": ("shell",),
    "prove": ("prove",),
    "completion": ("completion",),
    "configuration": ("config",),
}
"""The modules beside this one and the commands in their ``COMMANDS``: each is imported when it is called."""
HELP = {"help_option_names": ["-h", "--help"]}
REQUIRED = deferred("required")  # click looks it up by a name, where no catalogue is extracted from
META = "sscard.settings"
"""Where a context keeps the user's file of defaults (``harness.cli.settings.Settings``), if there is one."""
NAMED = "sscard.settings.named"
"""Where it keeps the path by which that is named, as ``places.named`` gives it."""
CONFIG_VARIABLE = "SSCARD_CONFIG"
"""The variable that names it; empty: no file."""
COMPLETE = "_SSCARD_COMPLETE"
"""The variable by which a shell says what it wants completed."""
Record = dict[str, Any]
AS_IT_IS = "\b\n"
"""How a paragraph begins that click does not wrap."""
SHORT, WHOLE = 45, 10_000
"""Characters of what a command does in short: where a shell completes a name, and uncut."""


@cache
def records() -> dict[str, Record]:
    """What is said of each command, by its path: ``office apply``."""
    import json

    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123
        table: dict[str, Record] = json.load(file)
    return table


def children(path: str) -> list[str]:
    """The names of a group's commands, in the order in which they are told."""
    begins = f"{path} " if path else ""
    return [one[len(begins) :] for one in records() if one.startswith(begins) and " " not in one[len(begins) :]]


class Formatter(click.HelpFormatter):
    """Lays help out in the user's language: what commands and options say of themselves is looked up as it is written,
    so that nothing need be known of the language when they are declared.
    """

    @contextlib.contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Opens a section under its title, translated."""
        with super().section(_(name)):
            yield

    def write_text(self, text: str) -> None:
        """What a command says of itself."""
        super().write_text(_laid_out(_(text), self.width - self.current_indent))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Options, or commands, and what is said of each."""
        told = [(names, option_text(text)) for names, text in rows]
        first = min(max((len(names) for names, __ in told), default=0), col_max) + col_spacing
        width = max(self.width - first - 2, 10)
        super().write_dl([(names, _laid_out(text, width)) for names, text in told], col_max, col_spacing)


def _laid_out(text: str, width: int) -> str:
    """A text with Chinese, in lines that click leaves as they are: click would take a character for one column, and a
    sentence for one word.
    """
    if text.isascii():
        return text
    from harness.messages.columns import columns, wrapped

    paragraphs = text.split("\n\n")
    for at, one in enumerate(paragraphs):
        if columns(one) > len(one) and not one.startswith(AS_IT_IS):
            paragraphs[at] = AS_IT_IS + "\n".join(wrapped(one, width))
    return "\n\n".join(paragraphs)


def option_text(text: str) -> str:
    """What is said of an option; what click adds to it, in brackets at the end, apart, as it may change alone."""
    said, apart, added = text.rpartition("  [")
    return f"{_(said)}{apart}{_added(added)}" if apart else _(text)


def _added(text: str) -> str:
    """What click adds, ``default: 3; x>=0; required]``, by click's own messages."""
    return "; ".join(map(_added_one, text.removesuffix("]").split("; "))) + "]"


def _added_one(text: str) -> str:
    before, default, value = text.partition("default: ")
    if default and not before:
        return _("default: {default}").format(default=value)
    return _(REQUIRED) if text == REQUIRED else text


class Context(click.Context):
    """Of a command whose help is told in the user's language, and which wrong usage is told of."""

    formatter_class = Formatter

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Ends it. UsageError of this command where an error of ours says that it was asked for wrongly."""
        super().__exit__(exc_type, exc_value, tb)
        if isinstance(exc_value, SscardError) and exc_value.kind is ErrorKind.USAGE:
            raise click.UsageError(str(exc_value), self) from exc_value


def brief(record: Record) -> str:
    """What a command does in short, in English."""
    return _named(record).get_short_help_str(WHOLE)


def _named(record: Record) -> click.Command:
    return click.Command(None, help=record["help"], short_help=record["short"])


def _in_short(command: click.Command, limit: int) -> str:
    """In the user's language; in English cut to so many characters."""
    whole = command.get_short_help_str(WHOLE)
    told = _(whole)
    return told if told != whole else command.get_short_help_str(limit)


def _write_commands(formatter: click.HelpFormatter, commands: Mapping[str, click.Command]) -> None:
    limit = formatter.width - 6 - max(map(len, commands))
    with formatter.section("Commands"):
        formatter.write_dl([(name, _in_short(one, limit)) for name, one in commands.items()])


class Told(click.Command):
    """A command as far as the table knows it: it gives its help and does nothing else."""

    context_class = Context

    def __init__(self, name: str, record: Record) -> None:
        super().__init__(
            name, help=record["help"], short_help=record["short"], epilog=record["epilog"], context_settings=HELP
        )
        self._record = record

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Returns the usage line as the table has it, without importing the command."""
        return list(self._record["usage"])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the options as the table has them, without importing the command."""
        for title, rows in self._record["sections"]:
            with formatter.section(title):
                formatter.write_dl([(names, text) for names, text in rows])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:  # noqa: ARG002
        """Says the help, whatever else is on the line, and ends."""
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class Table(click.Group):
    """A group of the table. ``path``: where in it the group stands; empty for the program itself."""

    path = ""
    context_class = Context

    def declared(self) -> dict[str, click.Command]:
        """Returns the commands themselves, importing them."""
        return {name: declared(self._below(name)) for name in children(self.path)}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All, as the table has them."""
        return children(self.path)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One, imported; of a group that has no options of its own, not even that. None where there is none."""
        path = self._below(cmd_name)
        record = records().get(path)
        if record is None:
            return None
        return _group(path, record) if record["plain group"] else declared(path)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, imported; where its help is asked for, as the table knows it."""
        path = self._below(args[0])
        record = records().get(path)
        if record is not None and not record["group"] and _asks_for_help(args[1:]):
            return args[0], Told(args[0], record), args[1:]
        if record is None and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(_unknown(args[0], self.list_commands(ctx)), ctx)
        ctx.invoked_subcommand = args[0]  # click says so only after it is imported, which may fail
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            _speaking(command)
        if command is not None and META in ctx.meta:
            ctx.meta[META].give(ctx, path, command)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands and what they do in short, from the table."""
        _write_commands(formatter, {name: _named(records()[self._below(name)]) for name in self.list_commands(ctx)})

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names from the table, and this group's own options."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        own = click.Command.shell_complete(self, ctx, incomplete)
        told = (CompletionItem(name, help=_in_short(_named(records()[self._below(name)]), SHORT)) for name in names)
        return [*told, *own]

    def _below(self, name: str) -> str:
        return f"{self.path} {name}".strip()


class Group(click.Group):
    """A group with options of its own, imported, whose help is told in the user's language."""

    context_class = Context

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands and what they do in short."""
        _write_commands(formatter, dict(sorted(self.commands.items())))


def _group(path: str, record: Record) -> Table:
    group = Table(path.rpartition(" ")[2], help=record["help"], short_help=record["short"], epilog=record["epilog"])
    group.path = path
    return group


def _speaking(command: click.Command) -> None:
    """Has a command, and those in it, tell of themselves in the user's language."""
    command.context_class = Context
    if isinstance(command, click.Group) and not isinstance(command, Table):
        for one in command.commands.values():
            _speaking(one)


def _unknown(name: str, known: list[str]) -> str:
    from emulator.guess import guess

    said = _("No such command {name!r}.").format(name=name)
    close = guess(name, known)
    return said.rstrip(".。") + close if close else said


def _asks_for_help(args: list[str]) -> bool:
    before = args[: args.index("--")] if "--" in args else args
    return any(name in before for name in HELP["help_option_names"])


# --- the commands themselves ---------------------------------------------------------------------------------------


def declared(path: str) -> click.Command:
    """The command itself, imported. KeyError where no module has it; ModuleNotFoundError where it lacks a package."""
    top, *names = path.split(" ")
    room = next(room for room, commands in ROOMS.items() if top in commands)
    with libraries_in_english():  # click looks some metavars up when a type is declared, and only then
        known: tuple[click.Command, ...] = importlib.import_module(f"{__package__}.{room}").COMMANDS
    command = next(one for one in known if one.name == top)
    for name in names:
        command = inside(command)[name]
    if COMPLETE in os.environ:
        from harness.cli import completing

        completing.fill(path, command)
    return command


def inside(group: click.Command) -> dict[str, click.Command]:
    """A group's commands, imported, in the order in which they are told; none of what is no group."""
    if isinstance(group, Table):
        return group.declared()
    return dict(sorted(group.commands.items())) if isinstance(group, click.Group) else {}
