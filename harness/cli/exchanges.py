"""A command and its answer as the command line prints them."""

from __future__ import annotations

import json

import click

from emulator.apdu.command import ResponseAPDU
from emulator.chip import Exchange
from harness.trace import decode

TAKEN = (b"\x90", b"\x61", b"\x62")
"""First bytes of status words that a command ends with which was done, as ISO 7816-4 has them: all others refuse."""


def tell(exchange: Exchange, *, show_secrets: bool, as_json: bool) -> None:
    """Prints one command and its answer, in words or as a line of JSON."""
    shown = decode.command_hex(exchange.command, show_secrets=show_secrets)
    if as_json:
        response = ResponseAPDU.parse(exchange.answer)
        row = {
            "command": shown,
            "instruction": decode.instruction_name(exchange.command),
            "data": response.data.hex().upper(),
            "sw": f"{response.sw:04X}",
            "meaning": decode.answer_words(exchange.answer),
            **({"reason": decode.cause(exchange.answer, exchange.reason)} if exchange.reason else {}),
        }
        click.echo(json.dumps(row, ensure_ascii=False))
        return
    click.echo(f"→ {shown}  {decode.command_words(exchange.command)}")
    answer = decode.status_apart(exchange.answer.hex().upper())
    click.echo(f"← {answer}  {decode.meaning(exchange.answer, exchange.reason)}")
