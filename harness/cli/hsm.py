"""machine: the encryption machine (加密机)."""

from __future__ import annotations

import functools
import json
from typing import Any

import click

from emulator.messages import _, chinese_first
from harness.cli import card_options, usage
from harness.cli import origins as origins_
from harness.cli import request_log as request_log_
from harness.cli.card_options import F
from harness.cli.lines import say
from harness.hsm.machine import PROVINCE, EncryptionMachine
from harness.keys import roots as sources

HOST, PORT = "127.0.0.1", 35990


@click.group()
def machine() -> None:
    """The encryption machine (加密机): answers terminals' requests, and holds the keys."""


def _machine_options(function: F) -> F:
    """--region and --roots, handed on as ``held``, the machine."""

    @click.option(
        "--region", metavar="PREFIX", default=PROVINCE, show_default=True,
        help="Regions that begin so: two digits a province; four or six a city, with roots of two levels at most.",
    )  # fmt: skip
    @click.option(
        "--roots", metavar="FILE|test", default=sources.TEST, show_default=True,
        help="National roots in TOML; `test`: the published ones.",
    )  # fmt: skip
    @functools.wraps(function)
    def wrapped(*args: Any, region: str, roots: str, **kwargs: Any) -> Any:
        known = sources.load(roots)
        with usage.of("--region"):
            held = EncryptionMachine(known, region=region)
        return function(*args, held=held, **kwargs)

    return wrapped  # type: ignore[return-value]


@machine.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: a free one.")
@click.option(
    "--host", default=HOST, show_default=True, metavar="ADDRESS", help="Where it listens, as clients name it."
)
@origins_.option
@request_log_.option
@_machine_options
def serve_machine(
    held: EncryptionMachine, port: int, host: str, origins: tuple[str, ...], request_log: str | None
) -> None:
    """Serve over HTTP until Ctrl-C. Prints `listening URL`; URL/docs is the page, URL/openapi.json the schema."""
    from harness.web import app as web  # they take a while to load, and `sscard --help` need not wait
    from harness.web import hsm as service

    web.serve(service.create(held, hosts=[host], origins=origins), host, port, request_log)


@machine.command("keys")
@_machine_options
@card_options.json_option
def list_keys(held: EncryptionMachine, *, as_json: bool) -> None:
    """List the keys that have an address: address, name, levels, purpose. Never a key's value."""
    if as_json:
        rows = [
            {
                "address": key.hsm,
                "name": key.name,
                "levels": key.levels,
                "purpose": key.title_en,
                "purpose_zh": key.title,
            }
            for key in held.keys
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for key in held.keys:
        say(
            _("{hsm}  {name:8} levels {levels}  {title}").format(
                hsm=key.hsm, name=key.name, levels=key.levels, title=chinese_first(key.title_en, key.title)
            )
        )


COMMANDS = (machine,)
