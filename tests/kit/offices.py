"""What tests of the office share: an office with made-up outlets, clerks and people, at a moment that stands still."""

from __future__ import annotations

import base64
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import SecretStr

from emulator.chip import Chip
from emulator.filesystem.memory.nvm import PowerCut
from emulator.personas import numbers
from harness.clock import Clock
from harness.office.cards import chosen
from harness.office.case.services import Services
from harness.office.desk.office import Done, Office
from harness.office.people import made_up
from harness.office.register import seed
from harness.office.register.store import Register
from harness.office.requests import models as requests
from harness.office.requests.models import Agent, Document, Guardian, Personal
from harness.office.vocabulary import DocumentType, Incapacity, Relation
from harness.readers import pcsc
from harness.readers.connection import Connection, InProcess

HASH_COST = 2
"""The least that scrypt takes. Tests open their registers with it, and never another."""
START = datetime(2025, 3, 3, 9, 0)
PHOTO = base64.b64encode(made_up.PHOTO).decode()
EVERY_INSURANCE = ("DF03/EF05/61", "DF03/EF07/71", "DF03/EF15/7A", "DF03/EF16/51", "DF04/EF05/84")


def citizen(order: int = 11, birth: date = date(1990, 3, 7), **more: Any) -> Personal:
    """A made-up adult."""
    told: dict[str, Any] = {
        "name": "测试甲",
        "sex": "1" if order % 2 else "2",
        "birth": birth,
        "ethnic_group": "01",
        "country": "CHN",
        "occupation": "none",
        "document_until": "long-term",
        "phone": f"0000000{order:04}",
        "address": "四川省成都市虚构区测试路1号",
        "document": Document(type=DocumentType.ID_CARD, number=numbers.citizen_id(f"{birth:%Y%m%d}", order)),
        "photo": PHOTO,
        "region": "510100",
        "insured": EVERY_INSURANCE,
    }
    return Personal.model_validate(told | more)


def child(order: int = 21, birth: date = date(2019, 5, 1), **more: Any) -> Personal:
    """A made-up child with its guardian."""
    guardian = Guardian(name="测试监护人", document=citizen(13).document, phone="00000000011")
    return citizen(order, birth, **{"photo": None, "guardian": guardian, **more})


def agent(cause: Incapacity = Incapacity.MINOR, relation: Relation = Relation.GUARDIAN, *more: DocumentType) -> Agent:
    """Somebody who comes for another, with all that article 32 asks."""
    own = citizen(13).document
    papers = (DocumentType.COMMITMENT, *more)
    shown = (own, *(Document(type=one) for one in papers))
    return Agent(name="测试代理人", document=own, phone="00000000013", relation=relation, cause=cause, shown=shown)


R = TypeVar("R", bound=requests.Request)


def ask(kind: type[R], /, **fields: Any) -> R:
    """A request from plain values, as it comes from outside."""
    return kind.model_validate(fields)


def moving(to: str, **more: Any) -> requests.Transfer:
    """A transfer of every insurance that the card holds."""
    return ask(requests.Transfer, to=to, insurance=(requests.ALL,), **more)


class Torn(InProcess):
    """A card that a hand tears out where its power is cut: nothing more reaches it."""

    def __init__(self, chip: Chip, after: int | None) -> None:
        super().__init__(chip)
        chip.image.memory.nvm.cut_after = after
        self.out = False

    def seen(self) -> BaseException:
        """What the program sees of it."""
        return pcsc.PcscError("the card was torn out", pcsc.REMOVED_CARD)

    def send(self, command: bytes) -> bytes:
        self._there()
        try:
            return super().send(command)
        except PowerCut as cut:
            self.out = True
            raise self.seen() from cut

    def reset(self) -> bytes:
        self._there()
        return super().reset()

    def _there(self) -> None:
        if self.out:
            raise pcsc.PcscError("no card", pcsc.NO_SMARTCARD)


@dataclass(frozen=True)
class Content:
    """What an office's files hold. ``cards``: the drawer's, by name."""

    register: bytes
    cards: dict[str, bytes]


class Server(Protocol):
    """Where the registers of offices are that have none in their folders."""

    def of(self, folder: Path) -> Register:
        """The register of this folder's office."""

    def where(self, folder: Path) -> tuple[str, Path]:
        """Its address, and the file of its secret."""

    def kept(self, folder: Path) -> str:
        """A copy of what it holds, by a name. Nobody is connected to it."""

    def restore(self, folder: Path, name: str) -> None:
        """It holds what it did when that copy was made."""

    def held(self, folder: Path) -> bytes:
        """Every row of it, as text, but its cards'."""


server: Server | None = None
"""None: an office has its register in its folder."""


class Desk:
    """An office and what a clerk does at it."""

    def __init__(self, folder: Path, moment: datetime = START) -> None:
        self.clock = Clock(moment)
        self._folder, self._server = folder, server
        self._path, self._cards, self._written = folder / "register.db", folder / "drawer", b""
        if server is not None:
            self.register = server.of(folder)
        else:
            if not self._path.exists():
                seed.write(self._path)
                self._written = self._path.read_bytes()
            self.register = Register(self._path, durable=False, hash_cost=HASH_COST)
        self.services = Services(chosen.store(self.register, None if server else self._cards, durable=False))
        self.office = Office(self.register, self.services, self.clock)
        self.clerk = seed.MAKER

    def do(self, request: requests.Request, clerk: str = "", connection: Connection | None = None) -> Done:
        """One request, by the clerk of the outlet that makes cards unless another is named."""
        return self.office.perform(request, clerk or self.clerk, connection)

    @contextmanager
    def card(self, number: str) -> Iterator[Connection]:
        """A card of the drawer in the reader."""
        with self.services.card_store.inserted(number) as connection:
            yield connection

    def card_file(self, number: str) -> Path:
        """Where a card of a drawer that is a folder is kept."""
        return self._cards / f"{number}.json"

    def with_card(self, number: str, request: requests.Request, clerk: str = "") -> Done:
        """One request with that card in the reader."""
        with self.card(number) as connection:
            return self.do(request, clerk, connection)

    def applied(self, person: Personal | None = None, **more: Any) -> int:
        """An accepted application."""
        person = person or citizen()
        request = requests.Apply(
            person=person, bank=seed.BANK, shown=(person.document,), electronic_pin=SecretStr("135790"), **more
        )
        return int(self.do(request).data["application"])

    def issued(self, person: Personal | None = None, layout: str = "3.00", algorithm: str = "3des", **more: Any) -> str:
        """A card that was handed out and is not activated; its number."""
        person = person or citizen()
        application = self.applied(person, **more)
        self.do(requests.Make(application=application, layout=layout, algorithm=algorithm))
        shown = requests.HandOut(application=application, shown=(person.document,), **more)
        return str(self.do(shown).data["card"])

    def active(self, person: Personal | None = None, layout: str = "3.00", algorithm: str = "3des", **more: Any) -> str:
        """A card in use; its number. The first one of a fresh desk is made once a process, and copied."""
        person = person or citizen()
        if more or not self._is_fresh():
            return self.put_in_use(person, layout, algorithm, **more)
        key = (self.clock.now(), person.model_dump_json(), layout, algorithm)
        if key not in _FIRST:
            with tempfile.TemporaryDirectory(prefix="sscard-office-") as folder:
                desk = Desk(Path(folder), self.clock.now())
                _FIRST[key] = desk.put_in_use(person, layout, algorithm), desk.content()
        number, content = _FIRST[key]
        self.restore(content)
        return number

    def put_in_use(self, person: Personal, layout: str, algorithm: str, **more: Any) -> str:
        number = self.issued(person, layout, algorithm, **more)
        self.with_card(number, requests.Activate(holder=person.document, shown=(person.document,), **more))
        return number

    def _is_fresh(self) -> bool:
        """Nothing was done in it yet, by whatever way."""
        if self._written and self.content() != Content(self._written, {}):
            self._written = b""
        return bool(self._written)

    def held(self) -> bytes:
        """All that its register holds: the files as they lie there, or a server's rows."""
        if self._server is not None:
            return self._server.held(self._folder)
        return b"".join(one.read_bytes() for one in self._folder.glob(f"{self._path.name}*"))

    def content(self) -> Content | str:
        """What stands in its files, or the name of a copy on the server."""
        self.register.close()  # all is in the one file then; the next transaction opens it again
        if self._server is not None:
            return self._server.kept(self._folder)
        return Content(self._path.read_bytes(), {one.name: one.read_bytes() for one in self._cards.iterdir()})

    def restore(self, content: Content | str) -> None:
        """It holds what it did. Its program goes on: that is much quicker than to begin anew."""
        self.register.close()
        if isinstance(content, str):
            assert self._server is not None
            self._server.restore(self._folder, content)
            return
        for beside in self._path.parent.glob(f"{self._path.name}-*"):
            beside.unlink()
        self._path.write_bytes(content.register)
        for card in self._cards.iterdir():
            card.unlink()
        for name, text in content.cards.items():
            (self._cards / name).write_bytes(text)


_FIRST: dict[tuple[object, ...], tuple[str, Content | str]] = {}
"""By moment, person and kind of card: the number of the first card in use, and the office that has it."""


@contextmanager
def another_program_writes(register: Path) -> Iterator[None]:
    """Holds what a writer needs of a register in a file, as another program does that writes to it."""
    link = sqlite3.connect(register, isolation_level=None)
    link.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        link.execute("ROLLBACK")
        link.close()
