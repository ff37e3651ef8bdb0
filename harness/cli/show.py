"""show, apdu, keys."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from emulator import catalogue
from emulator.chip import Exchange
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import key_cell
from emulator.interface import Interface
from emulator.messages import _, chinese_first, ngettext
from emulator.security import in_words
from harness.cli import card_options, pins, progress
from harness.cli.card_options import CardChoice, Target
from harness.cli.exchanges import TAKEN, tell
from harness.cli.lines import say
from harness.clock import Clock
from harness.images.contents import keys_of, of_image
from harness.keys.none import NoKeys
from harness.keys.uses import use_told
from harness.messages.visible import visible_line
from harness.readers import pcsc
from harness.readers.atr import masked
from harness.readers.connection import Pcsc
from harness.terminal.certificates import WORDS, Held, held_in
from harness.terminal.contents import FileContent, contents
from harness.terminal.refused import PinRefused
from harness.terminal.terminal import Terminal
from harness.verdicts.verdict import UNCERTAIN

if TYPE_CHECKING:
    from harness.console.hand import ByHand


@dataclass(frozen=True, slots=True)
class _Shown:
    """A card as it is shown."""

    layout: Layout
    algorithm: str
    atr: bytes
    files: list[FileContent]

    @property
    def unread(self) -> int:
        """Returns how many files were not read that somebody may read."""
        return sum(bool(one.unread) and not one.spec.secret for one in self.files)

    @property
    def certificates(self) -> dict[str, Held]:
        """How the card's certificates stand, by their files' paths, as far as these and the public keys were read."""
        return held_in(self.layout, {one.spec.path: one.bytes for one in self.files if not one.unread})


@contextlib.contextmanager
def _progress(layout: Layout, found: Iterator[FileContent]) -> Iterator[Iterable[FileContent]]:
    with progress.bar(found, len(layout.files), _("reading"), hidden=not sys.stderr.isatty()) as shown:
        yield shown


def _from_reader(reader: str, known: Layout | None, keys: str | None, pin: str | None) -> _Shown:
    """The card in a reader, as far as it lets itself be read. PcscError, TerminalError."""
    with Pcsc(pcsc.find_reader(reader), reset_at_end=True) as connection:
        terminal = _terminal(Target(connection, known), keys, pin)
        with _progress(terminal.layout, contents(terminal)) as found:
            return _Shown(terminal.layout, terminal.suite.name, masked(connection.atr), list(found))


def _terminal(target: Target, keys: str | None, pin: str | None) -> Terminal:
    """A session in which the PIN is verified, if there is one. With keys or a PIN it goes by hand, so that the card is
    not asked for what it refused before.
    """
    if not keys and not pin:
        terminal = Terminal(target.connection, target.known, keys=NoKeys())
        terminal.begin()
        return terminal
    from harness.cli.by_hand import by_hand  # of [conformance]

    hand = by_hand(target, keys, pin)
    if pin and not (outcome := hand.do("verify")).done:
        raise PinRefused(_("verifying the PIN"), outcome.response.sw)
    return hand.terminal


@click.command()
@card_options.options()
@card_options.persona_option
@card_options.reader_option
@card_options.interface_option
@card_options.keys_option
@pins.option("pin", pins.PIN)
@card_options.show_secrets_option
@card_options.json_option
@click.pass_context
def show(
    ctx: click.Context,
    choice: CardChoice,
    persona: str | None,
    reader: str | None,
    interface: Interface,
    keys: str | None,
    pin: str | None,
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Print every item of a card, decoded, with the access conditions of its files.

    With --interface contactless: what of it is there in a field, under which conditions.

    With --reader: what the card there lets be read, by READ RECORD and READ BINARY alone; the PIN and keys only if they
    are given, each tried once. Exit code 4 where files could not be read.
    """
    if reader is not None:
        card = _from_reader(reader, card_options.leave_to_reader(choice, persona, interface), keys, pin)
    else:
        if keys is not None:
            raise click.UsageError(_("--keys needs --reader: the card in an image or of a persona hides nothing"))
        image = choice.look(persona)
        layout = catalogue.over(image.layout, interface)
        files = list(of_image(image, layout, show_secrets=show_secrets))
        card = _Shown(layout, image.algorithm, image.atr_over(interface), files)
    if as_json:
        click.echo(json.dumps(_as_json(card, show_secrets=show_secrets), ensure_ascii=False, indent=1))
    else:
        _print(card)
    if card.unread:
        say(
            ngettext(
                "{count} file was not read 个文件未读", "{count} files were not read 个文件未读", card.unread
            ).format(count=card.unread),
            err=True,
        )
        ctx.exit(UNCERTAIN)


def _print(card: _Shown) -> None:
    held, now = card.certificates, Clock().now()
    say(f"{chinese_first(card.layout.title, card.layout.title_zh)}, {card.algorithm}, ATR {card.atr.hex().upper()}")
    for file in card.files:
        spec = file.spec
        click.echo()
        say(
            _("{path} {name}  [read {read}; update {update}]  ({grade})").format(
                path=spec.path,
                name=chinese_first(spec.name_en, spec.name),
                read=in_words(spec.read),
                update=in_words(spec.update),
                grade=spec.grade,
            )
        )
        if file.unread:
            say("  " + _("not read: {why}").format(why=file.unread))
        elif spec.structure is Structure.TRANSPARENT:
            say("  " + _("{size} bytes, {used} used").format(size=spec.size, used=len(file.bytes.rstrip(bytes(1)))))
        if (stands := held.get(spec.path)) is not None:
            say(f"  {_(WORDS[stands.state(now)])} {stands.span}".rstrip())
        for one in file.items:
            label = one.spec.label or f"#{one.number}"
            say(f"  {label} {chinese_first(one.spec.name_en, one.spec.name)}: {one.words}".replace("  :", ":"))


def _as_json(card: _Shown, *, show_secrets: bool) -> dict[str, Any]:
    held, now = card.certificates, Clock().now()
    files = {}
    for file in card.files:
        spec = file.spec
        entry: dict[str, Any] = {"name": spec.name, "name_en": spec.name_en, "structure": spec.structure}
        entry |= {"read": str(spec.read), "update": str(spec.update), "grade": spec.grade}
        if file.unread:
            entry["unread"] = file.unread
        elif spec.structure is Structure.TRANSPARENT:
            content = file.bytes.hex().upper()
            entry["hex"] = content if show_secrets or not spec.secret else "*" * len(content)
            if (stands := held.get(spec.path)) is not None:
                entry["certificate"] = {"state": str(stands.state(now)), "span": stands.span}
        else:
            entry["items"] = [
                {
                    "tag": one.spec.label,
                    "record": one.number,
                    "name": one.spec.name,
                    "name_en": one.spec.name_en,
                    "format": one.spec.format,
                    "grade": one.spec.grade,
                    "value": one.value,
                    **({"meaning": one.meaning} if one.meaning else {}),
                }
                for one in file.items
            ]
        files[spec.path] = entry
    return {
        "layout": card.layout.name,
        "algorithm": card.algorithm,
        "atr": card.atr.hex().upper(),
        "files": files,
    }


@click.command()
@click.argument("commands", metavar="HEX|WORD…", nargs=-1, required=True)
@card_options.target_options
@card_options.keys_option
@pins.option("pin", pins.PIN)
@card_options.show_secrets_option
@card_options.json_option
@click.pass_context
def apdu(
    ctx: click.Context,
    commands: tuple[str, ...],
    target: AbstractContextManager[Target],
    keys: str | None,
    pin: str | None,
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Send commands and print the answers in words, with the card's reasons where it is in this process.

    HEX is one command, with spaces and colons or without; so are four and more single bytes in a row. `reset` resets
    the card; `select:SSSE`, `auth:RKSSSE` (its root from --keys), `read:SSSE/EF06/09` and `verify` (the PIN from --pin)
    are the words of `sscard shell`: with one of them among the commands, a card in a reader is looked at first, and
    asked no second time what it refused once. All are sent; exit code 1 if the card refused any.
    """
    lines = [_line(text) for text in _joined(commands)]
    refused = False
    with target as card:
        hand = _hand(card, keys, pin) if any(isinstance(line, str) and line != RESET for line in lines) else None
        for line in lines:
            if line == RESET:
                atr = card.connection.reset().hex().upper()
                if hand is not None:
                    hand.terminal.forget()
                click.echo(json.dumps({"event": "reset", "atr": atr}) if as_json else _("reset: {atr}").format(atr=atr))
            elif hand is not None:
                refused |= not _by_hand(hand, line, show_secrets=show_secrets, as_json=as_json)
            elif isinstance(line, bytes):
                answer = card.connection.send(line)
                refused |= answer[-2:-1] not in TAKEN
                tell(
                    Exchange(line, answer, card.heard.reason if card.heard else ""),
                    show_secrets=show_secrets,
                    as_json=as_json,
                )
    ctx.exit(1 if refused else 0)


def _hand(card: Target, keys: str | None, pin: str | None) -> ByHand:
    from harness.cli.by_hand import by_hand  # of [conformance], which commands in hex need not

    return by_hand(card, keys, pin)


def _by_hand(hand: ByHand, line: str | bytes, *, show_secrets: bool, as_json: bool) -> bool:
    """Does a line and tells it; false where the card refused it."""
    outcome = hand.do(line if isinstance(line, str) else line.hex())
    for exchange in outcome.exchanges:
        tell(exchange, show_secrets=show_secrets, as_json=as_json)
    if outcome.value and not as_json:
        click.echo(visible_line(outcome.value))
    return outcome.done


RESET = "reset"
WORD = re.compile(r"([a-z_]{4,})(?::(.*))?")
SHORTEST = 4
"""Bytes of the shortest command: fewer single ones in a row are commands of their own, for trying what a card says."""


def _joined(words: tuple[str, ...]) -> Iterator[str]:
    """Single bytes in a row as the one command that they are."""
    for single, group in groupby(words, lambda word: len(word) == 2):
        found = list(group)
        if single and len(found) >= SHORTEST:
            yield "".join(found)
        else:
            yield from found


def _line(text: str) -> str | bytes:
    """A word as a line of the shell, a command as its bytes; a usage error for what is neither."""
    word = WORD.fullmatch(text)
    if word is None or not set(text.lower()) - set("0123456789abcdef: "):
        return _hex(text)
    return " ".join(filter(None, word.groups()))


def _hex(text: str) -> bytes:
    try:
        command = bytes.fromhex("".join(text.replace(":", " ").split()))
    except ValueError:
        raise click.BadParameter(
            _(
                "expected bytes in hex, or a word as select:SSSE, auth:KEY, read:EF06/09, verify, reset; found {count} "
                "characters, not all of them pairs of digits"
            ).format(count=len(text))
        ) from None
    if not command:
        raise click.BadParameter(_("an empty command"))
    return command


@click.command()
@card_options.options()
@card_options.persona_option
@card_options.show_secrets_option
@card_options.json_option
def keys(choice: CardChoice, persona: str | None, *, show_secrets: bool, as_json: bool) -> None:
    """List a card's keys: where, id, use, levels, tries left and grade. The keys themselves with --show-secrets."""
    rows = []
    image = choice.look(persona)
    found = list(keys_of(image))
    for held in found:
        key = held.spec
        row = {
            "name": key.name,
            "application": key.application,
            "id": f"{key.id:02X}",
            "use": key.use,
            "levels": key.levels,
            "tries": held.tries,
            "psam": str(key.psam or ""),
            "hsm": key.hsm,
            "grade": key.grade,
            "purpose": key.title_en,
            "purpose_zh": key.title,
        }
        value = image.memory.get(key_cell(key.name))
        if show_secrets and isinstance(value, bytes):
            row["key"] = value.hex().upper()
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row, held in zip(rows, found, strict=True):
        key = held.spec
        where = f"{key.name:9} {key.application} {key.id:02X} {use_told(key.use):24}"
        secret = f" {row['key']}" if "key" in row else ""
        tries = _("levels {levels} tries {tries} [{grade}]").format(
            levels=key.levels, tries=held.tries, grade=key.grade
        )
        say(f"{where} {tries}{secret} {chinese_first(key.title_en, key.title)}")


COMMANDS = (show, apdu, keys)
