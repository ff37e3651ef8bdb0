"""Who and what there is: people, cards, applications, losses, each in a list and by itself, masked; the office as a
whole; and who is asking.
"""

# No annotations as text here: FastAPI reads those of routes within functions, whose names it could not find again.
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Self

from fastapi import Depends, FastAPI, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field, model_validator

from emulator.messages import _
from harness.messages.spoken import SpokenError
from harness.office.case import roles
from harness.office.desk import lists, single
from harness.office.desk.lists import Page, Row
from harness.office.desk.office import Office
from harness.office.measures.articles import Citation
from harness.office.register.audit import Actor, Note
from harness.office.register.wanted import WantedApplications, WantedCards, WantedPeople
from harness.office.requests.models import CardNumber, Document, Model, Name, Number
from harness.office.vocabulary import Kind, Life, Loss, Progress
from harness.web.office import answers
from harness.web.office.entry import Door

TAGS: list[str | Enum] = ["清单 lists"]
OVERVIEW: list[str | Enum] = ["监督 supervision"]
PAGED = "按登记编号排列，`after`取下一页。A page by the register's numbers; `after` goes on after one."
After = Annotated[int, Field(ge=0, lt=2**63)]
Most = Annotated[int, Field(ge=1, le=lists.MOST)]
Bank = Annotated[str | None, Query(max_length=80, description="The bank's code, as /banks has it. 银行代码。")]
WhoseCards = Annotated[Number | None, Query(description="The register's number of the person. 人员登记编号。")]


def page(after: After = 0, most: Most = lists.PAGE) -> Page:
    """Which rows a request is for."""
    return Page(after, most)


Paged = Annotated[Page, Depends(page)]


class Find(Model):
    """找人 Whom to find: by part of the name, or by the whole document. In a body: neither belongs into an address."""

    name: Name | None = None
    document: Document | None = None
    after: After = 0
    most: Most = lists.PAGE

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.name is None and self.document is None:
            raise SpokenError(_("expected a name, a document, or both"))
        return self


@dataclass(frozen=True, slots=True)
class Looker:
    """Lets those look who serve, and writes down that they did."""

    office: Office
    door: Door

    def let(self, caller: Actor) -> None:
        """Problem 403 for a bank's clerk."""
        self.door.only(caller, roles.SERVICE, "list", lists.C)

    def note(
        self, caller: Actor, what: str, by: Sequence[str] = (), person: int | None = None, card: int | None = None
    ) -> None:
        """A line of the trail, on the disk before the answer goes out."""
        act = lists.seen(what, list(by), person, card)
        self.office.register.note(Note(self.office.clock.now(), caller, act))

    @staticmethod
    def answer(what: str, rows: list[Row], on: Page) -> Response:
        """A page of a list, and what the next one begins after."""
        return JSONResponse({what: rows, "after": on.next(rows, lists.NUMBER[what])})


def add(app: FastAPI, office: Office, door: Door, readers: Sequence[str]) -> None:
    """Adds the routes."""
    looker = Looker(office, door)
    _me(app, office, door, readers)
    _overview(app, looker)
    _people(app, looker)
    _cards(app, looker)
    _applications(app, looker)


def _me(app: FastAPI, office: Office, door: Door, readers: Sequence[str]) -> None:
    @app.get(
        "/me",
        tags=OVERVIEW,
        summary="令牌所属的经办人员 whose token this is",
        description="`readers`: beginnings of the PC/SC readers' names that requests may name.",
        response_model=None,
        responses=answers.GUARDED,
    )
    def me(caller: Annotated[Actor, Depends(door)]) -> Response:
        with office.register.reading() as session:
            who = single.clerk(session, caller.name, office.clock.now())
        return JSONResponse({**who, "readers": list(readers)})


def _overview(app: FastAPI, looker: Looker) -> None:
    office = looker.office

    @app.get(
        "/overview",
        tags=OVERVIEW,
        summary=f"总览（不含个人信息）how much there is, and what waits: nobody's data（{Citation(30)}）",
        response_model=None,
        responses=answers.GUARDED,
    )
    def overview(caller: Annotated[Actor, Depends(looker.door)]) -> Response:
        looker.door.only(caller, roles.SERVICE, "overview", Citation(30))
        with office.register.reading() as session:
            return JSONResponse(single.overview(session, office.services, office.clock.now()))


def _people(app: FastAPI, looker: Looker) -> None:
    office = looker.office

    @app.get(
        "/people",
        tags=TAGS,
        summary=f"清单（脱敏）people, masked（{lists.C}）",
        description=PAGED,
        operation_id="people",
        response_model=None,
        responses=answers.GUARDED,
    )
    def people(
        caller: Annotated[Actor, Depends(looker.door)],
        on: Paged,
        region: Annotated[
            str | None,
            Query(pattern="^[0-9]{1,6}$", description="The beginning of a region's code. 行政区划代码前几位。"),
        ] = None,
        dead: Annotated[bool | None, Query(description="Known to have died, or not. 已登记死亡与否。")] = None,
    ) -> Response:
        looker.let(caller)
        with office.register.reading() as session:
            rows = lists.people(session, on, WantedPeople(region=region, dead=dead))
        looker.note(caller, "people")
        return looker.answer("people", rows, on)

    @app.post(
        "/people/find",
        tags=TAGS,
        summary=f"找人（脱敏）people by name or document, masked（{lists.C}）",
        description="留痕记载查找方式，不记载查找内容。The trail says what was searched by, and not for whom.",
        operation_id="find",
        response_model=None,
        responses=answers.GUARDED,
    )
    def find(request: Find, caller: Annotated[Actor, Depends(looker.door)]) -> Response:
        looker.let(caller)
        document = (request.document.type, request.document.number) if request.document else None
        on = Page(request.after, request.most)
        with office.register.reading() as session:
            rows = lists.people(session, on, WantedPeople(name=request.name, document=document))
        looker.note(caller, "people", [name for name in ("name", "document") if getattr(request, name) is not None])
        return looker.answer("people", rows, on)

    @app.get(
        "/people/{number}",
        tags=TAGS,
        summary=f"一人（脱敏）a person with cards and applications, masked（{lists.C}）",
        operation_id="person",
        response_model=None,
        responses=answers.WORKING,
    )
    def person(number: Number, caller: Annotated[Actor, Depends(looker.door)]) -> Response:
        looker.let(caller)
        with office.register.reading() as session:
            found = single.person(session, office.services, office.clock.now(), number)
        looker.note(caller, "person", person=number)
        return JSONResponse(found)


def _cards(app: FastAPI, looker: Looker) -> None:
    office = looker.office

    @app.get(
        "/cards",
        tags=TAGS,
        summary=f"清单（脱敏）cards, masked（{lists.C}）",
        description=f"{PAGED}\n\n`loss`：当前是否挂失（临时挂失到期即失效）as it stands now: a temporary one lapses.",
        operation_id="cards",
        response_model=None,
        responses=answers.GUARDED,
    )
    def cards(
        caller: Annotated[Actor, Depends(looker.door)],
        on: Paged,
        person: WhoseCards = None,
        bank: Bank = None,
        life: Life | None = None,
        loss: Loss | None = None,
        frozen: bool | None = None,
        suspended: bool | None = None,
    ) -> Response:
        looker.let(caller)
        wanted = WantedCards(person=person, bank=bank, life=life, loss=loss, frozen=frozen, suspended=suspended)
        with office.register.reading() as session:
            rows = lists.cards(session, office.services, office.clock.now(), on, wanted)
        looker.note(caller, "cards", person=person)
        return looker.answer("cards", rows, on)

    @app.get(
        "/cards/{card}",
        tags=TAGS,
        summary=f"一卡（脱敏）a card and its life so far（{lists.C}）",
        operation_id="card",
        response_model=None,
        responses=answers.WORKING,
    )
    def life(card: CardNumber, caller: Annotated[Actor, Depends(looker.door)]) -> Response:
        looker.let(caller)
        with office.register.reading() as session:
            found = single.card(session, office.services, office.clock.now(), card)
        looker.note(caller, "card", person=found["person"], card=found["at"])
        return JSONResponse(found)

    @app.get(
        "/losses",
        tags=TAGS,
        summary=f"挂失中的卡 cards that are reported lost now（{Citation(18)}）",
        description=f"{PAGED}\n\n`ends`、`hours_left`：临时挂失何时失效 when a temporary loss lapses.",
        operation_id="losses",
        response_model=None,
        responses=answers.GUARDED,
    )
    def losses(caller: Annotated[Actor, Depends(looker.door)], on: Paged) -> Response:
        looker.let(caller)
        with office.register.reading() as session:
            rows = lists.losses(session, office.services, office.clock.now(), on)
        looker.note(caller, "losses")
        return looker.answer("losses", rows, on)


def _applications(app: FastAPI, looker: Looker) -> None:
    office = looker.office

    @app.get(
        "/applications",
        tags=TAGS,
        summary=f"清单（脱敏）applications, masked（{lists.C}）",
        description=f"{PAGED}\n\n`days_left`：距期限的工作日数 working days until the deadline.",
        operation_id="applications",
        response_model=None,
        responses=answers.GUARDED,
    )
    def applications(
        caller: Annotated[Actor, Depends(looker.door)],
        on: Paged,
        person: WhoseCards = None,
        bank: Bank = None,
        kind: Kind | None = None,
        progress: Progress | None = None,
        open_: Annotated[bool | None, Query(alias="open", description="Not ended, or ended. 未办结与否。")] = None,
    ) -> Response:
        looker.let(caller)
        wanted = WantedApplications(person, bank, kind, progress, open_)
        with office.register.reading() as session:
            rows = lists.applications(session, office.services, office.clock.now(), on, wanted)
        looker.note(caller, "applications", person=person)
        return looker.answer("applications", rows, on)
