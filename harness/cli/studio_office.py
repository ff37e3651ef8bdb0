"""Options of ``run --web`` and ``studio`` that give the page an office."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from emulator.messages import _
from harness.cli.office.common import DRAWER, FILE, FOLDER, REGISTER_TYPE, seen_password
from harness.office.register.address import Address, ServerAddress
from harness.studio.office.choice import OfficeChoice

F = TypeVar("F", bound=Callable[..., Any])
FIRST = "--office"


def options(function: F) -> F:
    """--office and what goes with it, handed on as ``office``: an OfficeChoice, None where there is to be none."""

    @functools.wraps(function)
    def wrapped(
        *args: Any,
        office: Address | None,
        office_drawer: Path | None,
        office_secret: Path | None,
        office_calendar: tuple[Path, ...],
        office_now: str | None,
        office_reader: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        more = {
            "--office-drawer": office_drawer,
            "--office-secret": office_secret,
            "--office-calendar": office_calendar,
            "--office-now": office_now,
            "--office-reader": office_reader,
        }
        if office is None:
            for name, value in more.items():
                if value:
                    raise click.UsageError(_("{option} goes with --office REGISTER").format(option=name))
            return function(*args, office=None, **kwargs)
        drawer, password = office_drawer, ""
        if isinstance(office, ServerAddress):
            seen_password(office, FIRST)
            secrets = office.passwords()
            password = secrets.pop("password", "")
            if secrets:  # no variable of libpq's hands them on to the page's process
                raise click.UsageError(
                    _("{option}: the page takes no {names} in an address").format(
                        option=FIRST, names=", ".join(secrets)
                    )
                )
        else:
            drawer = drawer or office.with_name(DRAWER)
        choice = OfficeChoice(
            str(office),
            str(drawer or ""),
            tuple(map(str, office_calendar)),
            _moment(office_now),
            office_reader,
            str(office_secret or ""),
            password,
        )
        choice.look()  # now, and not when the cards are in their readers
        return function(*args, office=choice, **kwargs)

    for option in reversed((
        click.option(FIRST, type=REGISTER_TYPE, metavar="REGISTER",
                     help="The page has the office of this register too, as `office serve` serves it."),
        click.option("--office-drawer", type=FOLDER, metavar="FOLDER",
                     help=f"Where its virtual cards are kept. [{DRAWER}, beside the register; or in it, on a server]"),
        click.option("--office-secret", type=FILE, envvar="SSCARD_OFFICE_SECRET", metavar="FILE",
                     help="Its secret. [beside the register; office.secret for a server]"),
        click.option("--office-reader", metavar="NAME", multiple=True,
                     help="A PC/SC reader that its operations may use, by the beginning of its name; repeat. [none]"),
        click.option("--office-calendar", type=FILE, multiple=True, help="Its holidays and weekends worked; repeat."),
        click.option("--office-now", metavar="ISO", help="The moment it is there, in China. [this one]"),
    )):  # fmt: skip
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(_("expected a moment as 2025-03-03T09:00"), param_hint="--office-now") from None
    return text
