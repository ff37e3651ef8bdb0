"""image and tear: a card's memory in a file, and what becomes of it when power is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from emulator.chip import Chip
from emulator.filesystem.memory import image as files
from emulator.filesystem.memory.cells import PIN_CELL, UNBLOCKING, UNBLOCKINGS_CELL, CellKind, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.messages import _, deferred
from emulator.security import PIN
from emulator.textfiles import writing
from harness.cli import card_options, interrupt
from harness.cli.card_options import CardChoice
from harness.cli.lines import say
from harness.images import compare
from harness.images import tear as tearing
from harness.images.tear import Step
from harness.readers.connection import InProcess
from harness.terminal.terminal import Terminal
from harness.trace.decode import command_hex, command_words

FILE = click.Path(dir_okay=False, path_type=Path)

LABELS = {
    "layout": deferred("layout"),
    "layout_fingerprint": deferred("layout fingerprint"),
    "algorithm": deferred("algorithm"),
    "state": deferred("state"),
    "pin_set": deferred("pin set"),
    "pin_tries_left": deferred("pin tries left"),
    "spent": deferred("spent"),
    "keys": deferred("keys"),
    "files": deferred("files"),
    "content_bytes": deferred("content bytes"),
    "file_bytes": deferred("file bytes"),
}
"""What is said of an image, as people are told it, by its name in JSON."""


@click.group("image")
def image_group() -> None:
    """Image files: a card's whole non-volatile state, one file each. They hold PIN and keys: they are cards."""


@image_group.command("show")
@click.argument("path", metavar="FILE", type=FILE)
@card_options.json_option
def show_image(path: Path, *, as_json: bool) -> None:
    """Say what card an image holds, and check it whole. Items: `sscard show --image FILE`."""
    image = files.load(path)
    cells = image.memory.snapshot()
    limits = {PIN: image.layout.pin.tries} | {key.name: key.tries for key in image.layout.keys.values()}
    if UNBLOCKINGS_CELL in cells:
        limits[UNBLOCKING] = image.layout.unblockings
    tries = {name: image.memory.counter(tries_cell(name)) for name in limits}
    said = {
        "format": files.FORMAT,
        "version": files.VERSION,
        "layout": image.layout.name,
        "layout_fingerprint": image.layout.fingerprint,
        "algorithm": image.algorithm,
        "atr": image.atr.hex().upper(),
        "state": _state(image),
        "pin_set": bool(cells[PIN_CELL]),
        "pin_tries_left": tries[PIN],
        "spent": {name: left for name, left in tries.items() if left != limits[name]},
        "keys": sum(name.kind is CellKind.KEY for name in cells),
        "files": len(image.layout.files),
        "content_bytes": sum(sum(map(len, cell)) for cell in cells.values() if isinstance(cell, tuple)),
        "file_bytes": path.stat().st_size,
    }
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    for name, value in said.items():
        shown = (
            (", ".join(f"{key} {left}" for key, left in value.items()) or _("none"))
            if isinstance(value, dict)
            else value
        )
        say(f"{_(LABELS.get(name, name)):18} {shown}")


@image_group.command()
@click.argument("left", metavar="A", type=FILE)
@click.argument("right", metavar="B", type=FILE)
@card_options.json_option
@click.pass_context
def diff(ctx: click.Context, left: Path, right: Path, *, as_json: bool) -> None:
    """Say in words what differs between two images: items, counters, keys, PIN. Exit code 1 if anything does."""
    said = compare.images(files.load(left), files.load(right))
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        for sentence in said:
            say(sentence)
    ctx.exit(1 if said else 0)


@image_group.command()
@click.argument("source", type=FILE)
@click.argument("copy", type=FILE)
def copy(source: Path, copy: Path) -> None:
    """Copy a card, to rewind to later; SOURCE may be in a running reader. An existing COPY is never overwritten."""
    text = files.load(source).to_text()
    with writing.named(copy), copy.open("x", encoding="utf-8") as file:
        file.write(text)


@image_group.command()
@click.argument("path", metavar="FILE", type=FILE)
@click.argument("earlier", metavar="COPY", type=FILE)
def rewind(path: Path, earlier: Path) -> None:
    """Set the card in FILE back to what it was in COPY, which must be of the same card; no run may hold it."""
    wanted = files.load(earlier)
    with files.held(path) as image:
        if (wanted.atr, wanted.algorithm, wanted.layout) != (image.atr, image.algorithm, image.layout):
            raise files.ImageError(
                earlier, _("is of another card than {path}: see `sscard image diff`").format(path=path)
            )
        image.memory.restore(wanted.memory.snapshot())


@click.command()
@click.argument("steps", metavar="STEP…", nargs=-1, required=True)
@card_options.options()
@card_options.persona_option
@card_options.json_option
@click.pass_context
def tear(ctx: click.Context, steps: Sequence[str], choice: CardChoice, persona: str | None, *, as_json: bool) -> None:
    """Cut power after every non-volatile write of every step, and say what the card then is (防拔).

    A STEP is a command in hex, or auth:KEY for an EXTERNAL AUTHENTICATION with that key in its application. The card
    itself is not changed. Exit code 1 if one cut left a mixture of old and new.
    """
    image = choice.look(persona)
    actions = [_step(image, text) for text in steps]
    mixed, number = False, 0
    with interrupt.told(
        lambda: _("{number} of {count} steps were cut through whole; the card is as it was").format(
            number=number, count=len(steps)
        )
    ):
        for number, text in enumerate(steps):
            rows = list(tearing.cuts(image, actions, number))
            mixed = mixed or any(row.outcome is tearing.Outcome.MIXED for row in rows)
            if as_json:
                for row in rows:
                    click.echo(json.dumps(asdict(row), ensure_ascii=False))
                continue
            say(_("{words}: {number} writes").format(words=_words(text), number=rows[-1].after if rows else 0))
            for row in rows:
                say(
                    _("  cut after {after:3} writes: {outcome:8} {changes}")
                    .format(after=row.after, outcome=row.outcome, changes="; ".join(row.changes))
                    .rstrip()
                )
    ctx.exit(1 if mixed else 0)


def _state(image: Image) -> str:
    """The life cycle in words: what differs from a card simply in use."""
    return "; ".join(compare.states(image.layout, image.memory.snapshot())) or _("in use")


def _words(text: str) -> str:
    if text.startswith("auth:"):
        return text
    command = bytes.fromhex(text)
    return f"{command_hex(command)} {command_words(command)}"


def _step(image: files.Image, text: str) -> Step:
    if text.startswith("auth:"):
        key = text.removeprefix("auth:")
        if key not in image.layout.keys:
            raise click.BadParameter(
                _("layout {name} has no key {key!r}; see `sscard keys`").format(name=image.layout.name, key=key)
            )

        def authenticate(chip: Chip) -> None:
            terminal = Terminal(InProcess(chip, powered=True), image.layout)
            terminal.adopt(image)
            terminal.authenticate(key)

        return authenticate
    try:
        command = bytes.fromhex(text)
    except ValueError:
        raise click.BadParameter(_("expected a command in hex or auth:KEY, found {text!r}").format(text=text)) from None
    return lambda chip: chip.transmit(command)


COMMANDS = (image_group, tear)
