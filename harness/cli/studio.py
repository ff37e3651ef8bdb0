"""studio, and the page of ``run --web``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import click

from emulator.interface import Interface
from emulator.messages import _
from harness.cli import card_options, studio_office
from harness.readers import pcsc
from harness.serving.options import Options, Page
from harness.serving.run import run as serve
from harness.studio.office.choice import OfficeChoice
from harness.studio.process import page as page_process
from harness.studio.settings import USUAL_PORT, Settings
from harness.studio.verdicts.programs import parsed

EMPTY = 2
"""Slots that wait for a card, as many as the machine's pcscd has."""
HIGHEST_PORT = 65535


programs_option = click.option(
    "--program",
    "programs",
    metavar="NAME=COMMAND",
    multiple=True,
    help="A program that may be proven from the page, by this name there; repeat.",
)


def page(
    port: int | None,
    programs: tuple[str, ...],
    office: OfficeChoice | None,
    *,
    show_secrets: bool,
    personal_data: bool,
) -> Callable[[str, str], AbstractContextManager[Page]]:
    """What serves the page of a run. ``port``: None for the usual one, 0 for any that is free; ``programs``: those that
    may be proven from it; ``office``: the one that it has too. ProgramNameError.
    """
    parsed(programs)  # what is wrong with them is said before anything is begun
    settings = Settings(
        port=port, show_secrets=show_secrets, personal_data=personal_data, programs=programs, office=office
    )
    return partial(page_process, settings)


def port_of(text: str) -> int | None:
    """The port that ``--web`` names, None where it names none. A usage error for what is none."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_PORT:
        raise click.BadParameter(
            _("expected a port from 0 to {last}, found {text!r}").format(last=HIGHEST_PORT, text=text),
            param_hint="--web",
        )
    return int(text)


@click.command()
@card_options.options()
@click.option(
    "--port", type=click.IntRange(0, HIGHEST_PORT), help=f"The page's, of loopback. [{USUAL_PORT}, or any that is free]"
)
@click.option(
    "--slots", type=click.IntRange(1, pcsc.MOST_SLOTS), default=EMPTY, show_default=True, help="Readers for cards."
)
@click.option("--private", is_flag=True, help="A PC/SC socket of its own instead of the machine's.")
@programs_option
@studio_office.options
@card_options.personal_data_option
@card_options.show_secrets_option
@click.pass_context
def studio(
    ctx: click.Context,
    choice: card_options.CardChoice,
    port: int | None,
    slots: int,
    programs: tuple[str, ...],
    office: OfficeChoice | None,
    *,
    private: bool,
    personal_data: bool,
    show_secrets: bool,
) -> None:
    """A page in the browser: cards put into empty readers and steered, sessions seen, verdicts, the office.

    Prints `listening URL`. --layout and --algorithm are those of cards that are put in without saying so. Where there
    is no virtual reader to be had, recordings, verdicts and the office are there all the same.
    """
    if choice.image is not None:
        raise click.UsageError(_("studio begins with no card: `sscard run --image … --web` begins with one"))
    options = Options(
        images=[],
        pin="",
        make=partial(card_options.swapped_in, choice),
        slots=slots,
        private=private,
        interfaces=(str(Interface.CONTACT),),
        page=page(port, programs, office, show_secrets=show_secrets, personal_data=personal_data),
    )
    ctx.exit(serve(options))


COMMANDS = (studio,)
