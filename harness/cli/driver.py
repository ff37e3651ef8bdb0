"""driver serve: SSCardDriver for counter software."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emulator import personas
from emulator.chip import Chip
from emulator.filesystem.layouts.specs import Layout
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.reader.shape import ReaderShape
from harness.cli import card_options, usage
from harness.cli import dialects as dialects_
from harness.cli import origins as origins_
from harness.cli import request_log as request_log_
from harness.cli.card_options import CardChoice
from harness.driver.readers import Given, Readers
from harness.readers import pcsc
from harness.readers.connection import InProcess
from harness.serving import local_sockets
from harness.serving.run import ended

if TYPE_CHECKING:
    from emulator.filesystem.memory.image import Image
    from harness.driver.dialects.dialect import Dialect
    from harness.trace.record import Trace

ON_DEMAND_IDLE = 60.0
LONGEST_IDLE = 31_536_000.0
"""Seconds: a year."""
PORT = click.IntRange(0, 65535)


@click.group()
def driver() -> None:
    """SSCardDriver, the library that counter software calls, over virtual or real cards."""


@driver.command()
@click.option(
    "-o", "--output", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where to: made if it is not there.",
)  # fmt: skip
@click.option("--windows", is_flag=True, help="SSCardDriver.dll for 64-bit and 32-bit programs, by mingw-w64.")
def build(folder: Path, *, windows: bool) -> None:
    """Build libSSCardDriver.so and its header for counter software, from the sources in this package.

    Needs a C compiler: gcc, or $CC; $CFLAGS replaces -O2 and the like. Prints each file that it made.
    """
    from harness.driver import build as builds

    try:
        for made in builds.build(folder, windows=windows):
            click.echo(str(made))
    except OSError as error:
        raise click.BadParameter(f"{error.filename or folder}: {strerror(error)}", param_hint="--output") from None


@driver.command()
@card_options.options()
@click.option("--persona", metavar="NAME|FILE", help="A card in this process; see `sscard personas`.")
@click.option(
    "--psam", is_flag=False, flag_value=personas.PSAM, metavar="[NAME]",
    help="With --persona or --image: a terminal's own card beside it. [psam]",
)  # fmt: skip
@click.option(
    "--shape",
    type=click.Choice([*map(str, ReaderShape)]),
    default=ReaderShape.T0.value,
    show_default=True,
    help="Of cards in this process.",
)
@click.option(
    "--reader",
    "cards",
    metavar="NAME",
    multiple=True,
    help="A PC/SC reader of the user's card, by the beginning of its name; repeat for several.",
)
@click.option(
    "--contactless-reader",
    "contactless",
    metavar="NAME",
    multiple=True,
    help="A reader whose name begins so is contactless, for iType, whatever it is called. [by name and card]",
)
@click.option("--psam-reader", metavar="NAME", help="That of the terminal's own card. [the one that has such a card]")
@click.option(
    "--pad", "script", envvar="SSCARD_DRIVER_PAD", default="", metavar="PIN,…",
    help="What each client's PIN pad is given: digits, cancel, timeout. Or $SSCARD_DRIVER_PAD.",
)  # fmt: skip
@click.option(
    "--pad-wait", "pad_wait", type=usage.Amount(0.1, 3600), metavar="SECONDS",
    help="Once --pad is used up, a pad waits so long for what is typed on the live page (`sscard run --web`).",
)  # fmt: skip
@card_options.elements_option
@click.option(
    "--socket", "path", type=click.Path(dir_okay=False, path_type=Path), help="Listen here. [a folder of this user]"
)
@click.option("--tcp", "port", type=PORT, help="Listen at this port of loopback, for any user of this machine.")
@click.option("--no-socket", is_flag=True, help="With --tcp or --web: no Unix socket.")
@dialects_.options
@origins_.option
@request_log_.option
@click.option(
    "--trace", "trace_path", type=click.Path(dir_okay=False, path_type=Path),
    help="Write what goes to the cards, and the calls themselves, here: see `sscard trace show`.",
)  # fmt: skip
@card_options.personal_data_option
@card_options.show_secrets_option
@card_options.force_option
@click.option(
    "--idle", type=usage.Amount(0.1, LONGEST_IDLE), metavar="SECONDS", help="End after so long without any client."
)
@click.option("--on-demand", is_flag=True, help="As the C library starts it: --idle 60, and quiet once it is ready.")
def serve(
    choice: CardChoice,
    persona: str | None,
    psam: str | None,
    shape: str,
    cards: tuple[str, ...],
    contactless: tuple[str, ...],
    psam_reader: str | None,
    script: str,
    pad_wait: float | None,
    elements: str,
    path: Path | None,
    port: int | None,
    service: tuple[Dialect, int] | None,
    origins: tuple[str, ...],
    request_log: str | None,
    trace_path: Path | None,
    idle: float | None,
    *,
    personal_data: bool,
    show_secrets: bool,
    force: bool,
    no_socket: bool,
    on_demand: bool,
) -> None:
    """Serve libSSCardDriver.so, SSCardDriver.dll and, with --web, web counters, until Ctrl-C.

    Cards are those in PC/SC readers, or with --persona or --image one in this process. Prints `ready PLACE` for each
    place it listens at; PLACE is what $SSCARD_DRIVER takes. With --reader, --layout says which files and
    keys its card has, where its version does not tell. docs/driver-library.md tells how programs use it.
    """
    from harness.driver import endpoint, pad_desk
    from harness.driver.clients import Clients
    from harness.driver.pad import TIMEOUT
    from harness.driver.server import Server
    from harness.driver.traced import CallTrace
    from harness.trace.record import TraceFile

    if origins and service is None:
        raise click.UsageError(_("--origin is for --web: name both"))
    if request_log is not None and service is None:
        raise click.UsageError(_("--request-log is for --web: name both"))
    with ended(), contextlib.ExitStack() as stack:
        trace = None
        if trace_path is not None:
            trace = TraceFile(trace_path, show_secrets=show_secrets, personal_data=personal_data, force=force)
            stack.enter_context(trace)
        listeners = []
        if port is None and local_sockets.by_port() and not no_socket and path is None:
            port = endpoint.PORT  # where the library looks that has no Unix socket
        if port is not None:
            listeners.append(endpoint.tcp(port))
            stack.callback(listeners[-1].close)
        if not no_socket and not local_sockets.by_port():
            listeners.append(endpoint.unix(path or endpoint.default()))
            stack.callback(listeners[-1].close)
        if not listeners and service is None:
            raise click.UsageError(_("nothing to listen at: name --tcp or --web"))
        readers, layout = stack.enter_context(
            _readers(choice, persona, psam, shape, _InReaders(cards, contactless, psam_reader), trace)
        )
        more = stack.enter_context(pad_desk.served(pad_wait)).take if pad_wait is not None else lambda: TIMEOUT
        clients = Clients(
            readers,
            [one for one in script.split(",") if one],
            layout=layout,
            elements=elements,
            calls=CallTrace(trace) if trace else None,
            more=more,
        )
        server = Server(clients, listeners, idle or (ON_DEMAND_IDLE if on_demand else None))
        stack.callback(server.close)
        if service is not None:
            from harness.web import app as web
            from harness.web import driver as front

            dialect, at = service
            needed = {} if isinstance(readers, Given) else {"reader": partial(_reader_there, cards)}
            app = front.create(clients, origins, dialect, needed)
            stack.enter_context(web.logged(app, request_log))
            url = stack.enter_context(web.background(app, at))
            click.echo(f"listening {url}")
        for listener in listeners:
            click.echo(f"ready {listener.name}")
        sys.stdout.flush()
        if on_demand:
            _quiet()
        server.serve()


def _reader_there(beginnings: tuple[str, ...]) -> None:
    """PcscError where PC/SC cannot be asked, or has no reader of these."""
    if not any(name.startswith(beginnings or ("",)) for name in pcsc.reader_names()):
        raise pcsc.PcscError(_("no reader of these is there"), pcsc.UNKNOWN_READER)


@dataclass(frozen=True, slots=True)
class _InReaders:
    """Readers that were named, by how their names begin: for users' cards, contactless ones, the PSAM's."""

    cards: tuple[str, ...] = ()
    contactless: tuple[str, ...] = ()
    psam: str | None = None


@contextlib.contextmanager
def _readers(
    choice: CardChoice,
    persona: str | None,
    psam: str | None,
    shape: str,
    named: _InReaders,
    trace: Trace | None,
) -> Iterator[tuple[Readers, Layout | None]]:
    """Cards in this process where one is named, else those in readers; and their layout, where that is known. All are
    traced, the user's as slot 0, the PSAM as slot 1.
    """
    from harness.driver import traced

    in_readers = named != _InReaders()
    known = choice.leave_to_reader(persona) if in_readers else None
    if in_readers or not choice.said(persona):
        if psam is not None:
            raise click.UsageError(_("--psam goes with --persona; a PSAM in a reader is named by --psam-reader"))
        from harness.driver.reader_choice import FoundReaders
        from harness.driver.readers import PcscReaders

        found: Readers = (
            PcscReaders(named.cards, named.psam, contactless=named.contactless)
            if named.psam
            else FoundReaders(named.cards, contactless=named.contactless)
        )
        yield traced.TracedReaders(found, trace, known) if trace else found, known
        return
    with choice.held(persona) as image:
        card = _chip(image, shape, trace, traced.USER_SLOT)
        own = _chip(card_options.psam_image(psam), shape, trace, traced.PSAM_SLOT) if psam else None
        yield Given(lambda __: InProcess(card), lambda: InProcess(own) if own else None), image.layout


def _chip(image: Image, shape: str, trace: Trace | None, slot: int) -> Chip:
    return Chip(image, apdu_shape=shape == ReaderShape.APDU, observer=trace.slot(slot, image) if trace else None)


def _quiet() -> None:
    """Lets the pipe of the one who started us go: it has read what it waited for, and may end before us."""
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.close(sink)


COMMANDS = (driver,)
