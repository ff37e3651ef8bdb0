"""show, apdu, keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import groupby
from typing import Any

import click

from emulator.apdu.command import ResponseAPDU
from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.layouts.terms import Structure
from emulator.filesystem.memory.cells import key_cell, tries_cell
from emulator.filesystem.memory.image import Image
from emulator.messages import _
from harness.cli import card_options
from harness.cli.card_options import CardChoice, Target
from harness.terminal.values import ItemValue, brought_up, decode_record
from harness.trace import decode


def _read(image: Image, spec: FileSpec, *, show_secrets: bool) -> list[ItemValue]:
    """A file's content straight from the image; a transparent file has one nameless item."""
    records = image.memory.records(spec.path)
    if spec.structure is Structure.TRANSPARENT:
        return []
    found = [one for number, record in enumerate(records, 1) for one in decode_record(spec, record, number)]
    if spec.secret and not show_secrets:
        return [replace(one, value="*" * len(str(one.value))) for one in found]
    return list(brought_up(found))


@click.command()
@card_options.options()
@card_options.persona_option
@card_options.show_secrets_option
@card_options.json_option
def show(choice: CardChoice, persona: str | None, *, show_secrets: bool, as_json: bool) -> None:
    """Print every item of a card, decoded, with the access conditions of its files."""
    image = choice.look(persona)
    if as_json:
        click.echo(json.dumps(_as_json(image, show_secrets=show_secrets), ensure_ascii=False, indent=1))
        return
    click.echo(f"{image.layout.title_zh} {image.layout.title}, {image.algorithm}, ATR {image.atr.hex().upper()}")
    for spec in image.layout.files.values():
        click.echo(
            _("\n{path} {name} {name_en}  [read {read}; update {update}]  ({grade})").format(
                path=spec.path,
                name=spec.name,
                name_en=spec.name_en,
                read=spec.read,
                update=spec.update,
                grade=spec.grade,
            )
        )
        if spec.structure is Structure.TRANSPARENT:
            (content,) = image.memory.records(spec.path)
            click.echo(_("  {size} bytes, {count} used").format(size=spec.size, count=len(content.rstrip(bytes(1)))))
        for one in _read(image, spec, show_secrets=show_secrets):
            label = one.spec.label or f"#{one.number}"
            click.echo(f"  {label} {one.spec.name} {one.spec.name_en}: {one.words}".replace("  :", ":"))


def _as_json(image: Image, *, show_secrets: bool) -> dict[str, Any]:
    files = {}
    for spec in image.layout.files.values():
        entry: dict[str, Any] = {"name": spec.name, "name_en": spec.name_en, "structure": spec.structure}
        entry |= {"read": str(spec.read), "update": str(spec.update), "grade": spec.grade}
        if spec.structure is Structure.TRANSPARENT:
            content = image.memory.records(spec.path)[0].hex().upper()
            entry["hex"] = content if show_secrets or not spec.secret else "*" * len(content)
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
                for one in _read(image, spec, show_secrets=show_secrets)
            ]
        files[spec.path] = entry
    return {
        "layout": image.layout.name,
        "algorithm": image.algorithm,
        "atr": image.atr.hex().upper(),
        "files": files,
    }


@click.command()
@click.argument("commands", metavar="HEX…", nargs=-1, required=True)
@card_options.target_options
@card_options.show_secrets_option
@card_options.json_option
@click.pass_context
def apdu(
    ctx: click.Context,
    commands: tuple[str, ...],
    target: AbstractContextManager[Target],
    *,
    show_secrets: bool,
    as_json: bool,
) -> None:
    """Send commands and print the answers in words, with the card's reasons where it is in this process.

    HEX is one command, with spaces and colons or without; so are four and more single bytes in a row. The word `reset`
    resets the card. All are sent; exit code 1 if the card refused any.
    """
    raw = [None if text == "reset" else _hex(text) for text in _joined(commands)]
    refused = False
    with target as card:
        for command in raw:
            if command is None:
                atr = card.connection.reset().hex().upper()
                click.echo(json.dumps({"event": "reset", "atr": atr}) if as_json else _("reset: {atr}").format(atr=atr))
                continue
            answer = card.connection.send(command)
            reason = card.heard.reason if card.heard else ""
            refused |= answer[-2:-1] not in TAKEN
            shown = decode.command_hex(command, show_secrets=show_secrets)
            if as_json:
                response = ResponseAPDU.parse(answer)
                row = {
                    "command": shown,
                    "instruction": decode.instruction_name(command),
                    "data": response.data.hex().upper(),
                    "sw": f"{response.sw:04X}",
                    "meaning": decode.answer_words(answer),
                    **({"reason": reason} if reason else {}),
                }
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                click.echo(f"→ {shown}  {decode.command_words(command)}")
                click.echo(f"← {decode.status_apart(answer.hex().upper())}  {decode.meaning(answer, reason)}")
    ctx.exit(1 if refused else 0)


TAKEN = (b"\x90", b"\x61", b"\x62")
"""First bytes of status words that a command ends with which was done, as ISO 7816-4 has them: all others refuse."""
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


def _hex(text: str) -> bytes:
    try:
        command = bytes.fromhex("".join(text.replace(":", " ").split()))
    except ValueError:
        raise click.BadParameter(
            _(
                "expected bytes in hex, or the word reset; found {count} characters, not all of them pairs of digits"
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
    for key in image.layout.keys.values():
        row = {
            "name": key.name,
            "application": key.application,
            "id": f"{key.id:02X}",
            "use": key.use,
            "levels": key.levels,
            "tries": image.memory.counter(tries_cell(key.name)),
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
    for row in rows:
        where = f"{row['name']:9} {row['application']} {row['id']} {row['use']:24}"
        secret = f" {row['key']}" if "key" in row else ""
        tries = _("levels {levels} tries {tries} [{grade}]").format(
            levels=row["levels"], tries=row["tries"], grade=row["grade"]
        )
        click.echo(f"{where} {tries}{secret} {row['purpose_zh']} {row['purpose']}")


COMMANDS = (show, apdu, keys)
