"""What tests of the office's fronts share: a client with tokens, a command line, a card that is pulled out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import yaml
from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from emulator.filesystem.memory.image import Image
from harness.cli import main
from harness.office.cards import chosen
from harness.office.cards.in_register import RegisterCards
from harness.office.cards.store import CardStore
from harness.office.case import roles
from harness.office.desk import tokens
from harness.office.desk.office import Office
from harness.office.operations import ALL
from harness.office.register import seed
from harness.office.requests.models import Personal
from harness.office.vocabulary import Role
from harness.readers import pcsc
from harness.readers.connection import Connection
from harness.web.office import create
from harness.web.office.examples import STORY, Example
from tests.kit import offices
from tests.kit.offices import START, Desk, citizen

CLERKS = {Role.CLERK: seed.MAKER, Role.BANK: seed.BANKER, Role.ADMINISTRATOR: seed.OFFICER}
OFTEN = "1000000/minute"
NOW = START.isoformat()
ME = citizen()
WRITES = (0xDC, 0x24)
"""UPDATE RECORD, PIN CHANGE/UNBLOCK."""


# --- over HTTP ---


_ASKED: ContextVar[Office] = ContextVar("asked")
"""The office that a request to the shared service is for."""


class _WhicheverIsAsked:
    def __getattr__(self, name: str) -> Any:
        return getattr(_ASKED.get(), name)


@cache
def _shared() -> FastAPI:
    """One service for all offices: its routes take longer to make than most tests."""
    return create(cast(Office, _WhicheverIsAsked()), rate=OFTEN, failures=OFTEN)


class Caller:
    """A client with a token of each role. ``options``: of a service of its own."""

    def __init__(self, desk: Desk, **options: Any) -> None:
        self.desk = desk
        self._options = {"rate": OFTEN, "failures": OFTEN} | options
        self.client = TestClient(
            self.app if options else self._ask_shared, base_url="http://127.0.0.1", raise_server_exceptions=False
        )
        with desk.register.transaction() as session:
            self.tokens = {role: tokens.give(session, name, desk.clock.now()) for role, name in CLERKS.items()}

    @cached_property
    def app(self) -> FastAPI:
        """A service of its own."""
        return create(self.desk.office, **self._options)

    async def _ask_shared(self, scope: Scope, receive: Receive, send: Send) -> None:
        _ASKED.set(self.desk.office)
        await _shared()(scope, receive, send)

    def headers(self, role: Role | None = Role.CLERK) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}

    def post(self, path: str, body: Any = None, role: Role | None = Role.CLERK, **query: Any) -> httpx2.Response:
        return self.client.post(path, json=body, params=query, headers=self.headers(role))

    def get(self, path: str, role: Role | None = None, **query: Any) -> httpx2.Response:
        return self.client.get(path, params=query, headers=self.headers(role))

    def tell(self, one: Example, body: dict[str, Any] | None = None) -> httpx2.Response:
        """One example, by a role that may, with its card in the reader."""
        operation = ALL.get(one.operation)
        allowed = operation.roles.allowed if operation else roles.SERVICE
        role = next(role for role in CLERKS if role in allowed)
        path = f"/operations/{one.operation}" if operation else f"/{one.operation}"
        return self.post(path, body or one.body, role, **({"drawer": one.card} if one.card else {}))

    def until(self, operation: str) -> None:
        """The story, up to and with the first of that operation."""
        for one in STORY:
            assert self.tell(one).status_code == 200, one
            if one.operation == operation:
                return


def kind(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["kind"]


# --- at the command line ---


class CommandLine:
    """A register in a folder, or at an address with its secret in a file, and commands given at it. On a server where
    ``Desk`` has its own there.
    """

    def __init__(self, folder: Path, register: str = "", secret: Path | None = None) -> None:
        self.folder, self._server = folder, None if register else offices.server
        if self._server is not None:
            register, secret = self._server.where(folder / "office.db")
        self._where = ["--register", register or str(folder / "office.db")]
        self._where += ["--secret", str(secret)] if secret else []
        self.run("init")

    def run(self, *arguments: str, expect: int = 0, stdin: str | None = None, **environment: str) -> Result:
        given = ["office", *self._where, "--now", NOW, *arguments]
        result = CliRunner().invoke(main, given, input=stdin, env=environment)
        assert result.exit_code == expect, (result.output, result.exception)
        return result

    def result(self, *arguments: str, expect: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", expect=expect).stdout)

    def image(self, number: str) -> Image:
        """What a card of its drawer is now."""
        if self._server is None:
            return CardStore(self.folder / "office-cards").image(number)
        with closing(self._server.of(self.folder / "office.db")) as register:
            return chosen.store(register, None).image(number)

    def write(self, name: str, result: Any) -> str:
        path = self.folder / name
        path.write_text(
            result if isinstance(result, str) else yaml.safe_dump(result, allow_unicode=True), encoding="utf-8"
        )
        return str(path)

    def issued(self, *more: str) -> str:
        """The card of a made-up person who is ``ME``."""
        person = self.write("me.yaml", person_as_text(ME))
        return str(self.result("issue", "--person", person, "--electronic-pin", "135790", *more)["card"])


def person_as_text(person: Personal) -> dict[str, Any]:
    """As somebody writes it: documents as text."""
    fields: dict[str, Any] = person.model_dump(mode="json", exclude_none=True)
    return fields | {"document": f"{person.document.type}:{person.document.number}"}


# --- a torn card ---


class Torn:
    """A card that takes so many writes and is pulled out before the next."""

    def __init__(self, connection: Connection, updates: int) -> None:
        self._connection, self._left = connection, updates
        self.atr = connection.atr
        self.reset, self.close = connection.reset, connection.close

    def send(self, command: bytes) -> bytes:
        self._left -= command[1] in WRITES
        if self._left < 0:
            raise pcsc.PcscError("the card was taken out", pcsc.REMOVED_CARD)
        return self._connection.send(command)


def through(patch: pytest.MonkeyPatch, wrap: Callable[[Connection], Connection]) -> None:
    """Every card that an office puts into its reader is reached by way of this, wherever its cards are kept."""
    for kind in (CardStore, RegisterCards):
        patch.setattr(kind, "inserted", _wrapped(kind.inserted, wrap))


def _wrapped(
    whole: Callable[[Any, str], AbstractContextManager[Connection]], wrap: Callable[[Connection], Connection]
) -> Callable[[Any, str], AbstractContextManager[Connection]]:
    @contextmanager
    def inserted(self: Any, number: str) -> Iterator[Connection]:
        with whole(self, number) as connection:
            yield wrap(connection)

    return inserted


@contextmanager
def pulled_out(monkeypatch: pytest.MonkeyPatch, updates: int) -> Iterator[None]:
    with monkeypatch.context() as patch:
        through(patch, lambda connection: Torn(connection, updates))
        yield
