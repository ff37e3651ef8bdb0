"""One command per operation of the Measures, made from its declaration."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from emulator.messages import _
from emulator.textfiles import writing
from harness.cli.office import options
from harness.cli.office.common import FILE, OfficeError
from harness.cli.office.desk import Command, Desk
from harness.office.case.operation import Operation
from harness.office.desk.office import Done
from harness.office.operations import ALL
from harness.office.requests.models import Export

APART = frozenset({"show-credential", "verify-credential"})
"""These have commands of their own, `credential show` and `credential verify`."""


OUTPUT: list[click.Parameter] = [
    click.Option(["-o", "--output"], type=FILE, metavar="FILE", help="Into this new file, for the owner alone.")
]


def _written(path: Path, done: Done) -> None:
    """A person's data go into a new file that nobody else may read. OfficeError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OfficeError(_("{path} is there already: name a new file").format(path=path)) from None
    with writing.named(path), os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(done.data["export"], file, ensure_ascii=False, indent=1)
    click.echo(_("written to {path}").format(path=path))


def _command(operation: Operation[Any, Any]) -> click.Command:
    @click.pass_obj
    def perform(desk: Desk, /, card: str | None, reader: str | None, output: Path | None = None, **given: Any) -> None:
        with desk.reader(card, reader) as connection:
            request = options.ask(desk, operation.request, given, connection)
            done = desk.office.perform(request, desk.clerk(operation), connection)
        if output is not None:
            _written(output, done)
            return
        desk.done(operation, done)

    citation = operation.citation
    return Command(
        operation.name,
        callback=perform,
        params=options.parameters(operation.request) + (OUTPUT if operation.name == Export.operation else []),
        short_help=f"{operation.zh} {operation.en}（{citation.label_zh}）",
        help=f"{operation.zh} {operation.en}\n\n{citation.label_zh}：{citation.zh}\n\n"
        f"{citation.label_en}: {citation.en}",
    )


COMMANDS = tuple(_command(one) for name, one in ALL.items() if name not in APART)
