"""The command ``sscard``."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO, cast

import click

from emulator.filesystem.image import ImageError
from emulator.filesystem.items import ItemError
from emulator.filesystem.specs import LayoutError
from emulator.personas import PersonaError
from harness import pcsc
from harness.cli import (
    counter,
    driver,
    facts,
    images,
    interrupt,
    layouts,
    look,
    machine,
    monitor,
    office,
    personas,
    scenarios,
    serve,
    terminal,
    traces,
    vectors,
)
from harness.cli.office import OfficeError
from harness.conformance.bench import BenchError
from harness.conformance.documents import DocumentError
from harness.conformance.manifest import ReportError
from harness.conformance.vector import VectorError
from harness.control import ControlError
from harness.driver.place import PlaceError
from harness.facts.register import SourceError
from harness.faults.plan import FaultError
from harness.pcsc import PcscError
from harness.run import NO_READER
from harness.terminal.keeper import TerminalError
from harness.terminal.machine import MachineError
from harness.terminal.roots import RootsError
from harness.trace.read import TraceError
from harness.visible import VisibleStream

FAILED = 1
MENDABLE = (
    TerminalError,
    LayoutError,
    PersonaError,
    ImageError,
    ItemError,
    ControlError,
    VectorError,
    BenchError,
    DocumentError,
    ReportError,
    TraceError,
    FaultError,
    RootsError,
    MachineError,
    PlaceError,
    OfficeError,
    SourceError,
)


class _Main(click.Group):
    """Turns the errors that a user can mend into one line on stderr and an exit code, and shows nothing that a terminal
    would obey.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click has it, with streams on which everything is visible."""
        out, err = cast(TextIO, VisibleStream(sys.stdout)), cast(TextIO, VisibleStream(sys.stderr))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PcscError as error:
            self._end(error, NO_READER)
        except KeyboardInterrupt:
            interrupt.tell("what was written until now stands")
            raise click.exceptions.Exit(interrupt.INTERRUPTED) from None
        except BrokenPipeError:
            raise  # click ends quietly, as `sscard show | head` should
        except (*MENDABLE, OSError) as error:
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


for command in (
    *serve.COMMANDS,
    *look.COMMANDS,
    *personas.COMMANDS,
    *layouts.COMMANDS,
    *counter.COMMANDS,
    *images.COMMANDS,
    *vectors.COMMANDS,
    *traces.COMMANDS,
    *monitor.COMMANDS,
    *machine.COMMANDS,
    *terminal.COMMANDS,
    *driver.COMMANDS,
    *office.COMMANDS,
    *scenarios.COMMANDS,
    *facts.COMMANDS,
):
    main.add_command(command)
