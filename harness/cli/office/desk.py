"""What the office's commands work at: register, drawer, clock and clerk, opened when they are needed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import click
import yaml
from click.core import ParameterSource

from emulator.errors import SscardError
from emulator.messages import _, chinese_first
from harness.cli.lines import say
from harness.cli.office.common import REGISTER, common, seen_password
from harness.clock import Clock
from harness.office.cards import chosen
from harness.office.cards.store import Cards
from harness.office.case.operation import Operation
from harness.office.case.services import Services
from harness.office.desk.office import Done, Office
from harness.office.measures.workdays import Workdays
from harness.office.register import seed
from harness.office.register.address import Address
from harness.office.register.failures import no_register
from harness.office.register.store import Register
from harness.office.vocabulary import Role
from harness.readers import pcsc
from harness.readers.connection import Connection, Pcsc

CLERKS = {Role.CLERK: seed.MAKER, Role.ADMINISTRATOR: seed.OFFICER, Role.BANK: seed.BANKER}
"""Who acts where nobody is named: the first of these roles that the operation is for."""


class Command(click.Command):
    """A command of the office: takes the group's options too, and says its errors as this program does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *common(hidden=True)]

    def invoke(self, ctx: click.Context) -> Any:
        """With a desk as the context's object."""
        given = {one.name: ctx.params.pop(one.name) for one in common() if one.name}
        settings = ctx.obj | {name: value for name, value in given.items() if value}
        ctx.obj = desk = Desk.of(settings)
        if any(one is not None and _typed(one) for one in (ctx, ctx.parent)):
            seen_password(desk.address, "--register")
        ctx.call_on_close(desk.close)
        try:
            return super().invoke(ctx)
        except click.ClickException:
            raise
        except SscardError as error:
            if desk.as_json:
                click.echo(json.dumps({"error": error.as_table()}, ensure_ascii=False, indent=1))
            raise


def _typed(ctx: click.Context) -> bool:
    return ctx.get_parameter_source("register") is ParameterSource.COMMANDLINE


@dataclass
class Desk:
    """``named``: the clerk the user named, if any; ``folder``: of cards, None where the register keeps them."""

    address: Address
    folder: Path | None
    secret: Path | None
    named: str | None
    clock: Clock
    calendars: tuple[Path, ...]
    as_json: bool
    _held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """Returns the desk that the group's options describe."""
        address = settings["register"] or Path(REGISTER)
        calendars = tuple(settings["calendar"])
        return cls(
            address,
            chosen.folder(address, settings["drawer"]),
            settings["secret"],
            settings["clerk"],
            _clock(settings["now"]),
            calendars,
            settings["as_json"],
        )

    @cached_property
    def register(self) -> Register:
        """Opens the register that ``init`` made. NoRegister where there is none."""
        if isinstance(self.address, Path) and not self.address.exists():
            raise no_register(self.address)
        return self.opened(make=False)

    def opened(self, *, make: bool = True) -> Register:
        """The register, made if it is not there."""
        register = Register(self.address, secret_file=self.secret, make=make)
        self._held.callback(register.close)
        return register

    @cached_property
    def office(self) -> Office:
        """Returns the office that works with this register and card store."""
        return Office(self.register, Services(self.cards, Workdays(self.calendars)), self.clock)

    @cached_property
    def cards(self) -> Cards:
        """Returns the office's card store."""
        return chosen.store(self.register, self.folder)

    def clerk(self, operation: Operation[Any, Any] | None = None) -> str:
        """Who acts: whoever was named, else the seed's clerk of a role that the operation is for."""
        allowed = operation.roles.allowed if operation else frozenset(Role)
        return self.named or next(name for role, name in CLERKS.items() if role in allowed)

    @contextlib.contextmanager
    def reader(self, card: str | None, reader: str | None) -> Iterator[Connection | None]:
        """The drawer's card of that number, the card in a PC/SC reader, or none."""
        if card is not None and reader is not None:
            raise click.UsageError(_("--card puts a virtual card into the reader, --reader takes a real one: name one"))
        if reader is not None:
            with Pcsc(pcsc.find_reader(reader)) as connection:
                yield connection
        elif card is not None:
            with self._drawn(card) as connection:
                yield connection
        else:
            yield None

    @contextlib.contextmanager
    def _drawn(self, number: str) -> Iterator[Connection]:
        with self.office.services.card_store.inserted(number) as connection:
            yield connection

    def close(self) -> None:
        """Closes the register, if it was opened."""
        self._held.close()

    # --- what is said ----------------------------------------------------------------------------------------------

    def table(self, told: Any) -> None:
        """Data for programs or for people."""
        text = json.dumps(told, ensure_ascii=False, indent=1) if self.as_json else readable(told)
        click.echo(text)

    def done(self, operation: Operation[Any, Any], done: Done) -> None:
        """Prints what came of a request, or gives it as JSON."""
        if self.as_json:
            self.table(done.as_table())
            return
        click.echo(f"{chinese_first(operation.en, operation.zh)}: {_cited(done)}")
        if done.card:
            click.echo(_("card: {card}").format(card=done.card))
        told = {name: value for name, value in done.data.items() if name != "card"}
        if told:
            click.echo(readable(told))
        for one in done.notices:
            say(f"! {one}")


def readable(told: Any) -> str:
    """As YAML, which is read as it stands."""
    return yaml.safe_dump(told, allow_unicode=True, sort_keys=False, width=120).rstrip("\n")


def _cited(done: Done) -> str:
    return _("办理完成 done（{label_zh} {label_en}）").format(
        label_zh=done.article.label_zh, label_en=done.article.label_en
    )


def _clock(text: str | None) -> Clock:
    if text is None:
        return Clock()
    try:
        return Clock(datetime.fromisoformat(text))
    except ValueError:
        raise click.BadParameter(_("expected a moment as 2025-03-03T09:00"), param_hint="--now") from None
