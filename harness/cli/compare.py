"""compare: where two cards differ, wherever they are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import click

from emulator import catalogue
from emulator.chip import Chip
from emulator.errors import SscardError
from emulator.filesystem.layouts.terms import CardKind
from emulator.filesystem.memory import image as images
from emulator.interface import Interface
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.personas.document import is_path
from emulator.textfiles import text as textfile
from harness.cli import card_options, interrupt, progress, usage
from harness.cli.card_options import CardChoice
from harness.cli.lines import say
from harness.learning import observation
from harness.learning.card_view import CardView, of_image, of_learned, of_learning
from harness.learning.compare import Compared, compared
from harness.learning.learn import Wanted, learn
from harness.learning.trace_view import of_trace
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess, Pcsc
from harness.readers.pcsc import PcscError

LAYOUT = "layout.toml"
HEAD = 4096
"""Characters in which a file says what it is."""
SLOT = "#"


class Kind(StrEnum):
    """What a card is named by."""

    IMAGE = "image"
    PERSONA = "persona"
    TRACE = "trace"
    LEARNED = "learned"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Named:
    """A card as it was named: ``name`` without what says its kind; ``slot`` of a trace; ``certain``: its kind was said
    or seen.
    """

    kind: Kind
    name: str
    slot: int | None = None
    certain: bool = True


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@card_options.options(image=False)
@card_options.interface_option
@click.option("--show-values", is_flag=True, help="Tell values of items, too, not only that they differ.")
@card_options.json_option
@click.pass_context
def compare(
    ctx: click.Context,
    left: str,
    right: str,
    choice: CardChoice,
    interface: Interface,
    *,
    show_values: bool,
    as_json: bool,
) -> None:
    """Say in words where two cards differ: structure, access, habits, items and lengths, ids of keys, values.

    A and B are images, personas, traces (FILE#SLOT where there are several cards), folders that `sscard learn` wrote,
    or PC/SC readers by the beginning of the name; what may be several is told by a word before it: `reader:NAME`,
    `persona:NAME`. A card in a reader is learned by harmless commands, and what it is held against likewise, over
    --interface. Values are not told but with --show-values, PINs and keys never. Exit code 1 where the cards differ, 2
    where one is no card.
    """
    names = [_there(_named(one)) for one in (left, right)]
    by_asking = any(one.kind in (Kind.READER, Kind.LEARNED) for one in names)
    with interrupt.told(lambda: _("nothing was compared")):
        # Readers last: what is wrong with the other is told before a minute of asking.
        order = sorted((0, 1), key=lambda at: names[at].kind is Kind.READER)
        views = {at: _view(names[at], choice, interface, by_asking=by_asking) for at in order}
        found = compared(views[0], views[1], show_values=show_values)
    _tell(found, names, as_json=as_json)
    ctx.exit(1 if found.differences else 0)


def _tell(found: Compared, names: list[Named], *, as_json: bool) -> None:
    if as_json:
        table = {
            **{key: {"kind": one.kind, "name": one.name} for key, one in zip("ab", names, strict=True)},
            "same": not found.differences,
            "differences": [asdict(one) for one in found.differences],
            "not_compared": list(found.not_compared),
        }
        click.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for key, one in zip("AB", names, strict=True):
        say(f"{key}: {one.kind} {one.name}")
    for difference in found.differences:
        say(f"  {difference.words}")
    click.echo(_("{count} differences 处差异").format(count=len(found.differences)))
    if found.gathered:
        click.echo(_("not compared, as one of them does not show it 未比较，因为其中一方看不到:"), err=True)
    for what, places in found.gathered.items():
        say(f"  {what}: {', '.join(places)}" if places else f"  {what}", err=True)


# --- which card ------------------------------------------------------------------------------------------------------


def _named(text: str) -> Named:
    """What a word on the command line means."""
    said, colon, rest = text.partition(":")
    if colon and said in set(Kind):
        return _sliced(Kind(said), rest)
    path = Path(text.rpartition(SLOT)[0] if SLOT in text and not Path(text).exists() else text)
    if is_path(text):
        return Named(Kind.PERSONA, text)
    if path.is_dir():
        return Named(Kind.LEARNED, text)
    if path.exists():
        return _sliced(_kind_of(path), text)
    if text in (*catalogue.personas(), *catalogue.personas(CardKind.PSAM)):
        return Named(Kind.PERSONA, text)
    return Named(Kind.READER, text, certain=False)


def _there(named: Named) -> Named:
    """The same, a reader by its whole name: whether it is there is known before any card is asked."""
    if named.kind is not Kind.READER:
        return named
    with _bad_input(named):
        return replace(named, name=pcsc.find_reader(named.name))


def _sliced(kind: Kind, text: str) -> Named:
    """A trace's slot apart from its name."""
    name, mark, slot = text.rpartition(SLOT)
    if kind is Kind.TRACE and mark and slot.isdecimal() and not Path(text).exists():
        return Named(kind, name, int(slot))
    return Named(kind, text)


def _kind_of(path: Path) -> Kind:
    """What is in a file; an event of a trace stands on a line of its own."""
    with usage.of(str(path)):
        head = textfile.read(path)[:HEAD]
    if f'"format": "{images.FORMAT}"' in head or f'"format":"{images.FORMAT}"' in head:
        return Kind.IMAGE
    return Kind.TRACE if '"event"' in head.partition("\n")[0] else Kind.LEARNED


def _view(named: Named, choice: CardChoice, interface: Interface, *, by_asking: bool) -> CardView:
    """What is known of the card. ``by_asking``: one in this process is learned as one in a reader is."""
    with _bad_input(named):
        if named.kind is Kind.TRACE:
            return of_trace(Path(named.name), named.slot)
        if named.kind is Kind.LEARNED:
            return _learning(Path(named.name))
        if named.kind is Kind.READER:
            return _in_reader(named.name)
        image = images.load(Path(named.name)) if named.kind is Kind.IMAGE else choice.make(named.name)
        return _asked(InProcess(Chip(image.fork(), interface=interface))) if by_asking else of_image(image)


@contextlib.contextmanager
def _bad_input(named: Named) -> Iterator[None]:
    """What names no card is wrong usage, so that exit code 1 says that cards differ and nothing else. PcscError where
    a reader was named and cannot be had.
    """
    try:
        yield
    except PcscError as error:
        if named.certain:
            raise
        what = _("no file and no persona {name!r}; as a reader: {error}").format(name=named.name, error=error)
        raise click.BadParameter(what) from None
    except OSError as error:
        raise click.BadParameter(f"{named.name}: {strerror(error)}") from None
    except SscardError as error:
        raise click.BadParameter(str(error)) from None


def _learning(path: Path) -> CardView:
    """A card that was learned, with the layout that was drawn of it where that lies beside."""
    found = observation.load(path)
    drawn = (path if path.is_dir() else path.parent) / LAYOUT
    layout = catalogue.layout(drawn) if drawn.exists() else catalogue.layout(found.nearest) if found.nearest else None
    return of_learning(found, layout)


def _in_reader(name: str) -> CardView:
    with Pcsc(name, reset_at_end=True) as connection:
        return _asked(connection, "T=0" if connection.is_t0 else "T=1")


def _asked(connection: Connection, protocol: str = "") -> CardView:
    """What a card shows by harmless commands."""
    found = learn(connection, Wanted(protocol=protocol), tell=progress.of_commands())
    if found.broken is not None:
        raise found.broken
    return of_learned(found)


COMMANDS = (compare,)
