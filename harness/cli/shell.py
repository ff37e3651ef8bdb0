"""shell: a card worked on by hand, word by word."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import click

from emulator.errors import SscardError
from emulator.messages import _, chinese_first
from harness.cli import card_options, pins
from harness.cli.by_hand import by_hand
from harness.cli.card_options import Target
from harness.cli.exchanges import tell
from harness.cli.lines import say
from harness.console import words
from harness.console.hand import ByHand
from harness.keys.spent import state_folder
from harness.messages.visible import visible_line

HISTORY = "shell-history"
MOST_REMEMBERED = 1000
ENDS = ("exit", "quit")
HELP = ("help", "?")


@click.command()
@card_options.target_options
@card_options.keys_option
@pins.option("pin", pins.PIN)
@card_options.show_secrets_option
@click.pass_context
def shell(
    ctx: click.Context,
    target: AbstractContextManager[Target],
    keys: str | None,
    pin: str | None,
    *,
    show_secrets: bool,
) -> None:
    """Work on a card by hand: `select SSSE`, `auth RKSSSE`, `read EF06/09`, `verify`, or commands in hex.

    `help` lists the words, Tab completes them, `exit` or Ctrl-D ends. The history keeps no value, PIN or command in
    hex. From a pipe it takes a line a step; exit code 1 if any was refused.
    """
    typed = sys.stdin.isatty()
    failed = False
    with target as at, _history() if typed else contextlib.nullcontext():
        card = by_hand(at, keys, pin, asks=typed)
        if typed:
            say(_("{name}, {algorithm}; `help` lists the words").format(
                name=chinese_first(card.layout.title, card.layout.title_zh), algorithm=card.terminal.suite.name
            ))  # fmt: skip
            _complete(card)
        for line in _lines(card, typed=typed):
            failed |= not _done(card, line, show_secrets=show_secrets)
    ctx.exit(1 if failed and not typed else 0)


def _lines(card: ByHand, *, typed: bool) -> Iterator[str]:
    """The lines that are steps, until the end of input. What is asked for help is told here."""
    while True:
        try:
            told = input(f"{card.terminal.application or '-'}> ") if typed else sys.stdin.readline()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:  # as shells do: the line is given up, the session is not
            click.echo()
            continue
        if not typed and not told:
            return
        line = told.strip()
        if line.lower() in ENDS:
            return
        if line.lower() in HELP:
            _help()
        elif line and not line.startswith("#"):
            yield line


def _done(card: ByHand, line: str, *, show_secrets: bool) -> bool:
    """Does a line and tells it; false where it was refused."""
    try:
        outcome = card.do(line)
    except SscardError as error:
        for exchange in card.exchanges:
            tell(exchange, show_secrets=show_secrets, as_json=False)
        click.echo(visible_line(str(error)), err=True)
        return False
    for exchange in outcome.exchanges:
        tell(exchange, show_secrets=show_secrets, as_json=False)
    if outcome.value:
        click.echo(visible_line(outcome.value))
    return outcome.done


def _help() -> None:
    seen = dict.fromkeys(words.WORDS.values())
    wide = max(len(word.usage) for word in seen)
    for word in seen:
        click.echo(f"{word.usage:{wide}}  {_(word.about)}")
    click.echo(f"{'00A4…':{wide}}  {_('a command in hex, sent as it is')}")
    click.echo(f"{ENDS[0]:{wide}}  {_('ends; so does Ctrl-D')}")


# --- the line editor -------------------------------------------------------------------------------------------------


def _complete(card: ByHand) -> None:
    """Tab completes words, and what may follow them on this card."""
    if sys.platform == "win32":  # it has no readline: lines are typed as the console takes them
        return
    import readline

    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            before = readline.get_line_buffer()[: readline.get_begidx()].split()
            found[:] = words.completions(before, text, card.layout)
        # Python has readline add nothing to what it completes.
        return f"{found[state]} " if state < len(found) else None

    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Earlier lines at hand, and those of this session kept for the next, but for what may be a value."""
    if sys.platform == "win32":
        yield
        return
    import readline

    file = state_folder() / HISTORY
    with contextlib.suppress(OSError, UnicodeDecodeError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        readline.set_completer(None)
        _keep(file, [readline.get_history_item(at + 1) for at in range(readline.get_current_history_length())])
        readline.clear_history()


def _keep(file: Path, lines: list[str]) -> None:
    """Writes the lines that say nothing of a person; what cannot be written is no harm."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = [line.strip() for line in lines if line and words.quiet(line)][-MOST_REMEMBERED:]
        file.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


COMMANDS = (shell,)
