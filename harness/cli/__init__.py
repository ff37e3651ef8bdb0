"""The command ``sscard``."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any, TextIO, cast

import click

from emulator.errors import ErrorKind, SscardError
from harness.cli import interrupt
from harness.messages.visible import VisibleStream
from harness.readers import pcsc

FAILED = 1
ROOMS = {
    "serve": ("run", "card", "doctor"),
    "show": ("show", "apdu", "keys"),
    "personas": ("personas", "persona"),
    "layouts": ("layout", "commands"),
    "pin_and_region": ("pin", "region", "lifecycle", "personalise"),
    "images": ("image", "tear"),
    "vectors": ("vectors", "report"),
    "traces": ("trace", "record"),
    "monitor": ("monitor",),
    "hsm": ("machine",),
    "terminal": ("terminal",),
    "driver": ("driver",),
    "office": ("office",),
    "scenarios": ("scenarios",),
    "facts": ("facts",),
}
"""The modules beside this one and the commands in their ``COMMANDS``: each is imported when it is called."""


class _Main(click.Group):
    """Turns the errors that a user can mend into one line on stderr and an exit code, and shows nothing that a terminal
    would obey.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All, by name."""
        return sorted(name for commands in ROOMS.values() for name in commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One, from the module that has it; None where none has."""
        room = next((room for room, commands in ROOMS.items() if cmd_name in commands), None)
        if room is None:
            return None
        known: tuple[click.Command, ...] = importlib.import_module(f"{__name__}.{room}").COMMANDS
        return next(one for one in known if one.name == cmd_name)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click has it, with streams on which everything is visible."""
        out, err = cast(TextIO, VisibleStream(sys.stdout)), cast(TextIO, VisibleStream(sys.stderr))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            interrupt.tell("what was written until now stands")
            raise click.exceptions.Exit(interrupt.INTERRUPTED) from None
        except BrokenPipeError:
            raise  # click ends quietly, as `sscard show | head` should
        except click.ClickException:
            raise
        except SscardError as error:
            if error.kind is ErrorKind.USAGE:
                raise click.UsageError(str(error), ctx) from error
            self._end(error, error.exit_code)
        except OSError as error:
            self._end(error, FAILED)

    @staticmethod
    def _end(error: Exception, code: int) -> None:
        click.echo(f"sscard: {error}", err=True)
        raise click.exceptions.Exit(code) from error


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sscard")
@click.option(
    "--reader-wait", type=click.FloatRange(0, pcsc.LONGEST_WAIT), envvar=pcsc.WAIT_VARIABLE, metavar="SECONDS",
    help=f"Wait so long for a card in a reader that another program uses. [${pcsc.WAIT_VARIABLE}, else "
    f"{pcsc.READER_WAIT:g}]",
)  # fmt: skip
def main(reader_wait: float | None) -> None:
    """A virtual Chinese social security card (社会保障卡) in a PC/SC reader, and what a counter does with it.

    Exit codes: 0 it worked; 1 it failed, or the card refused; 2 wrong usage; 3 no PC/SC reader to be had;
    130 Ctrl-C came before the end.
    """
    if reader_wait is not None:
        os.environ[pcsc.WAIT_VARIABLE] = f"{reader_wait:g}"  # for the processes that this one starts too
