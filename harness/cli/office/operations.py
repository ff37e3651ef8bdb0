"""One command per operation of the Measures, made from its declaration."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.office import asking
from harness.cli.office.desk import Command, Desk
from harness.office.operation import Operation
from harness.office.operations import ALL

APART = frozenset({"show-credential", "verify-credential"})
"""These have commands of their own, `credential show` and `credential verify`."""


def _command(operation: Operation[Any]) -> click.Command:
    @click.pass_obj
    def perform(desk: Desk, /, card: str | None, reader: str | None, **given: Any) -> None:
        with desk.reader(card, reader) as connection:
            request = asking.ask(desk, operation.request, given, connection)
            done = desk.office.perform(request, desk.clerk(operation), connection)
        desk.done(operation, done)

    citation = operation.citation
    return Command(
        operation.name,
        callback=perform,
        params=asking.parameters(operation.request),
        short_help=f"{operation.zh} {operation.en}（{citation.label_zh}）",
        help=f"{operation.zh} {operation.en}\n\n{citation.label_zh}：{citation.zh}\n\n"
        f"{citation.label_en}: {citation.en}",
    )


COMMANDS = tuple(_command(one) for name, one in ALL.items() if name not in APART)
