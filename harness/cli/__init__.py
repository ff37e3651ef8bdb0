"""The command ``sscard``."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO, cast

import click

from emulator.errors import SscardError
from emulator.messages import CHOICES, _, for_libraries, spoken
from emulator.messages.system_errors import said
from emulator.version import VERSION
from harness.cli import interrupt
from harness.cli.table import COMPLETE, CONFIG_VARIABLE, HELP, META, NAMED, Table
from harness.extras import missing
from harness.messages.visible import VisibleStream, visible_line
from harness.readers.waiting import LONGEST_WAIT, READER_WAIT, WAIT_VARIABLE

FAILED = 1
LANGUAGE_OPTION = "--lang"
NOT_THERE, MAKES_IT = "sscard.settings.not_there", ["config", "new"]
_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""A group without a command, whose help is of many lines; older releases of click have no such error."""


class _Main(Table):
    """Turns the errors that a user can mend into one line on stderr and an exit code, and shows nothing that a terminal
    would obey.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click has it, with streams on which everything is visible."""
        if COMPLETE in os.environ:
            from harness.cli import completing

            completing.known()
        out, err = cast(TextIO, VisibleStream(sys.stdout)), cast(TextIO, VisibleStream(sys.stderr))
        given = args[0] if args else kwargs.pop("args", None)
        language, given = _language_of(given)
        with (
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), spoken(language), for_libraries(),
        ):  # fmt: skip
            return super().main(given, *args[1:], **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            interrupt.tell(_("what was written until now stands"))
            raise click.exceptions.Exit(interrupt.INTERRUPTED) from None
        except BrokenPipeError:
            raise  # click ends quietly, as `sscard show | head` should
        except click.ClickException as error:
            if isinstance(error, _HELP):
                raise
            from harness.cli import usage

            told = visible_line(usage.sentence(error)) + _from_file(ctx)
            vars(error)["format_message"] = lambda: told
            raise
        except SscardError as error:
            first, *more = error.lines
            self._end(error.exit_code, first + _from_file(ctx), *more)
        except OSError as error:
            self._end(FAILED, said(error))
        except ModuleNotFoundError as error:
            lacking = missing(error, f"sscard {ctx.invoked_subcommand}", str(ctx.invoked_subcommand))
            if lacking is None:
                raise
            self._end(lacking.exit_code, str(lacking))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As any table has it; but for the command that makes it, the file of defaults that is named must be there."""
        if NOT_THERE in ctx.meta and args[:2] != MAKES_IT:
            raise ctx.meta[NOT_THERE]
        return super().resolve_command(ctx, args)

    @staticmethod
    def _end(code: int, *said: str) -> None:
        from harness.cli.lines import Tone, say

        first, *more = said
        say(f"sscard: {first}", *more, err=True, tone=Tone.BAD)
        raise click.exceptions.Exit(code)


def _language_of(given: Sequence[str] | None) -> tuple[str, Sequence[str] | None]:
    """The language that the command line asks for, empty where none is, and the command line with that option before
    the command: usage errors and help are told in it too, and so it is known before anything is read.
    """
    words = list(sys.argv[1:] if given is None else given)
    end = words.index("--") if "--" in words else len(words)
    for at, word in enumerate(words[:end]):
        name, joined, value = word.partition("=")
        if name == LANGUAGE_OPTION and (joined or at + 1 < end):
            size = 1 if joined else 2
            value = value if joined else words[at + 1]
            moved = [*words[at : at + size], *words[:at], *words[at + size :]] if at else given
            return value if value in CHOICES else "", moved
    return "", given


def _from_file(ctx: click.Context) -> str:
    """Which defaults of the user's file an error may come from."""
    if META not in ctx.meta:
        return ""
    from harness.cli import settings

    return settings.told(ctx)


def _config(ctx: click.Context, parameter: click.Parameter, given: str | None) -> None:
    """Takes the user's file of defaults, where there is one."""
    from harness.cli import places

    path = ctx.meta[NAMED] = places.named(given)
    if not path or ctx.resilient_parsing:
        return
    from pathlib import Path

    from harness.cli import settings

    try:
        settings.use(ctx, Path(path))
    except OSError as error:
        wrong = click.BadParameter(said(error), ctx, parameter)
        if not isinstance(error, FileNotFoundError):
            raise wrong from None
        ctx.meta[NOT_THERE] = wrong  # one command makes it
    except SscardError as error:
        raise click.UsageError(visible_line(str(error)), ctx) from None


@click.group(cls=_Main, context_settings=HELP)
@click.version_option(VERSION)
@click.option(
    LANGUAGE_OPTION, type=click.Choice(CHOICES), expose_value=False,
    help="Chinese, English, or English with Chinese beside it where there is both; after the command too. "
    "[$SSCARD_LANG, else the system's]",
)  # fmt: skip
@click.option(
    "--config", metavar="FILE", envvar=CONFIG_VARIABLE, is_eager=True,
    expose_value=False, callback=_config,
    help=f"Defaults of options, in TOML; see `sscard config`. [${CONFIG_VARIABLE}, else this user's own]",
)  # fmt: skip
@click.option(
    "--reader-wait", type=click.FloatRange(0, LONGEST_WAIT), envvar=WAIT_VARIABLE, metavar="SECONDS",
    help=f"Wait so long for a card in a reader that another program uses. [${WAIT_VARIABLE}, else "
    f"{READER_WAIT:g}]",
)  # fmt: skip
def main(reader_wait: float | None) -> None:
    """A virtual Chinese social security card (社会保障卡) in a PC/SC reader, and what a counter does with it.

    Exit codes: 0 it worked; 1 it failed, or the card refused; 2 wrong usage; 3 no PC/SC reader to be had;
    4 something was not judged; 130 Ctrl-C came before the end.
    """
    if reader_wait is not None:
        os.environ[WAIT_VARIABLE] = f"{reader_wait:g}"  # for the processes that this one starts too
