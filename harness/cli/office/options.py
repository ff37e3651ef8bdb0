"""Options from a request's model, and the request from them: all that an operation asks for has an option."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import click
from pydantic import BaseModel, SecretStr
from sqlalchemy.orm import Session

from emulator.interface import chip_factor
from emulator.messages import _, deferred
from harness.cli import pins, usage
from harness.cli.office.common import FILE
from harness.cli.office.desk import Desk
from harness.office.register import queries
from harness.office.register.queries import Unknown
from harness.office.register.tables import Person
from harness.office.requests import parsed
from harness.office.requests.models import ALL, Apply, Document, Request, Text
from harness.office.vocabulary import Channel, DocumentType, Word
from harness.readers.connection import Connection

OF_ALL = frozenset(Request.model_fields)
VARIABLES = {
    ("apply", "electronic_pin"): "SSCARD_ELECTRONIC_PIN",
    ("apply-electronic", "pin"): "SSCARD_ELECTRONIC_PIN",
    ("electronic-pin", "old"): "SSCARD_ELECTRONIC_PIN",
    ("electronic-pin", "new"): "SSCARD_NEW_ELECTRONIC_PIN",
    ("show-credential", "pin"): "SSCARD_ELECTRONIC_PIN",
}
WITHOUT = {
    ("reset-pin", "new"): ("--unblock", "No new PIN: only the tries are set back (解锁)."),
    ("electronic-pin", "old"): ("--reset", "Without the old PIN (重置): the holder shows the identity document."),
}
"""Secrets that may be left out, and the flag that says so."""
LABELS = {
    "old": deferred("Old PIN"), "new": deferred("New PIN"), "pin": deferred("PIN"),
    "electronic_pin": deferred("The electronic card's initial PIN"),
}  # fmt: skip


TYPES = f"TYPE: {'; '.join(f'{one} {one.zh}' for one in DocumentType)}."


class _Document(click.ParamType[Document]):
    """TYPE:NUMBER."""

    name = "TYPE:NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Document:
        """A document; a usage error says what was expected."""
        if isinstance(value, Document):
            return value
        del param, ctx
        with usage.of():
            return parsed.document(str(value))


DOCUMENT = _Document()


def plain(annotation: Any) -> Any:
    """The type itself, without what Annotated and Optional add."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = next(one for one in get_args(annotation) if one is not types.NoneType)
    return annotation


def parameters(request: type[Request]) -> list[click.Parameter]:
    """Everything that the request's model takes, the whole from a file, and which card is in the reader."""
    own = [one for name in request.model_fields if name not in OF_ALL for one in _own(request, name)]
    number = [] if "number" in request.model_fields else [
        click.Option(["--number", "card_number"], metavar="NUMBER", help="A card that is not in the reader, by number.")
    ]  # fmt: skip
    return [
        *own,
        click.Option(["--holder"], type=DOCUMENT, help="Whose card; id-card where no TYPE is given. "
                     "[whoever's card is in the reader]"),
        click.Option(["--identity"], is_flag=True, help="The holder's own document is shown."),
        click.Option(["--shown"], type=DOCUMENT, multiple=True, help=f"A document that is shown; repeat. {TYPES}"),
        *number,
        click.Option(["--agent"], type=FILE, metavar="AGENT.yaml", help="Who comes instead, and why (article 32)."),
        click.Option(["--channel"], type=click.Choice([str(one) for one in Channel])),
        click.Option(["--file", "source"], type=FILE, metavar="REQUEST.yaml", help="The whole request; options win."),
        *readers(),
    ]  # fmt: skip


def readers() -> list[click.Parameter]:
    """Returns the options ``--card`` and ``--reader``."""
    return [
        click.Option(["--card"], metavar="NUMBER", help="Put the drawer's card into the reader."),
        click.Option(["--reader"], metavar="NAME", help="The card in the PC/SC reader whose name begins so."),
    ]


def _own(request: type[Request], name: str) -> Iterator[click.Parameter]:
    spec = request.model_fields[name]
    kind, flag = plain(spec.annotation), _written(name)
    needed = "Needed. " if spec.is_required() else ""
    if name == "application":
        yield click.Argument(["application"], type=int, required=False)
    elif kind is SecretStr:
        variable = _variable(request, name)
        spelt = pins.names(name) if name in pins.SPELLINGS else [flag]
        yield click.Option(
            spelt, envvar=variable, callback=pins.checked, metavar="PIN", help=f"Or ${variable}, or asked for."
        )
        if (request.operation, name) in WITHOUT:
            without, text = WITHOUT[request.operation, name]
            yield click.Option([without, f"no_{name}"], is_flag=True, help=text)
    elif kind is bool:
        yield click.Option([flag], is_flag=True)
    elif kind is bytes:
        yield click.Option([flag], type=FILE, metavar="JPEG")
    elif kind is Document:
        yield click.Option([flag], type=DOCUMENT, help=needed or None)
    elif kind == tuple[Text, ...]:
        yield click.Option([flag], multiple=True, metavar="NAME", help=f"{needed}Repeat; or {ALL}.")
    elif get_origin(kind) is tuple or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        many = get_origin(kind) is tuple
        text = "Persons, in YAML or CSV." if many else "In YAML; see docs/office.md."
        yield click.Option([flag], type=FILE, metavar="FILE", help=needed + text)
    elif isinstance(kind, type) and issubclass(kind, Word):
        words = [str(one) for one in kind]
        yield click.Option([flag], type=click.Choice(words), help=needed or None)
    else:
        metavar = {int: "N", date: "YYYY-MM-DD"}.get(kind, "TEXT")
        yield click.Option([flag], metavar=metavar, help=needed or None)


def _variable(request: type[Request], name: str) -> str:
    return VARIABLES.get((request.operation, name), pins.NEW_PIN if name == "new" else pins.PIN)


def ask(desk: Desk, request: type[Request], given: dict[str, Any], connection: Connection | None) -> Request:
    """The request that options and file make; a PIN that is nowhere is asked for without echo."""
    source, identity = given.pop("source", None), given.pop("identity", False)
    told = (parsed.mapping(source) if source else {}) | _options(request, given)
    secret = {name for name, spec in request.model_fields.items() if plain(spec.annotation) is SecretStr}
    needed = {name for name, spec in request.model_fields.items() if spec.is_required()} - secret - set(told)
    if needed:
        lacking = ", ".join(_written(name) for name in request.model_fields if name in needed)
        raise click.UsageError(
            _("{operation} needs {lacking}; or --file, with all of it").format(
                operation=request.operation, lacking=lacking
            )
        )
    for name in request.model_fields:
        if name in secret - set(told) and not given.get(f"no_{name}"):
            confirmed = name in ("new", "electronic_pin")
            option = pins.SPELLINGS[name][0] if name in pins.SPELLINGS else _written(name)
            told[name] = pins.ask(LABELS[name], option, _variable(request, name), confirm=confirmed)
    asked = parsed.model(request, told, str(source or request.operation))
    if not identity:
        return asked
    with desk.register.reading() as session:
        return asked.model_copy(update={"shown": (*asked.shown, _identity(session, asked, connection))})


def _options(request: type[Request], given: dict[str, Any]) -> dict[str, Any]:
    """What options say; a flag not raised says nothing, and one against a PIN wins over the environment's."""
    said = {name: value for name, value in given.items() if value not in (None, (), False)}
    said = {name: value for name, value in said.items() if f"no_{name}" not in said}
    told = {name: _read(request, name, value) for name, value in said.items() if name in request.model_fields}
    return told | ({"card": said["card_number"]} if "card_number" in said else {})


def _written(name: str) -> str:
    return name.upper() if name == "application" else f"--{name.replace('_', '-')}"


def _read(request: type[Request], name: str, value: Any) -> Any:
    """A file's content where the option names a file."""
    if not isinstance(value, Path):
        return list(value) if isinstance(value, tuple) else value
    kind = plain(request.model_fields[name].annotation)
    if kind is bytes:
        return value.read_bytes()
    return parsed.people(value) if get_origin(kind) is tuple else parsed.mapping(value)


def _identity(session: Session, asked: Request, connection: Connection | None) -> Document:
    """The document of whoever the request is about, as the register has it; Unknown."""
    own = asked.person.document if isinstance(asked, Apply) else asked.holder
    if own is not None:
        return own
    person = _person(session, asked, connection)
    if person is None:
        raise Unknown(_("--identity: 未知持卡人 nobody is known whose document that were: name --holder TYPE:NUMBER"))
    return Document(type=person.document_type, number=person.document_number)


def _person(session: Session, asked: Request, connection: Connection | None) -> Person | None:
    number = getattr(asked, "application", None)
    if number is not None:
        application = queries.application(session, number)
        return application.person if application else None
    if asked.card is None and connection is not None:
        card = queries.card_by_chip(session, chip_factor(connection.atr).hex().upper())
    else:
        card = queries.card(session, asked.card)
    return card.person if card else None
