"""What is only looked at: outlets, services and the Measures for everybody, the trail for the management body; and the
agent's letter.
"""

# No annotations as text here: FastAPI reads those of routes within functions, whose names it could not find again.
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Path, Query
from fastapi.responses import HTMLResponse, JSONResponse, Response

from emulator.messages import _
from harness.office import letter
from harness.office.case import roles
from harness.office.desk import lookup
from harness.office.desk.office import Office
from harness.office.letter.ask import C as LETTER
from harness.office.letter.ask import LetterRequest, fill
from harness.office.measures.articles import Citation, measures
from harness.office.register import audit, queries
from harness.office.register.audit import Actor, Note, Wanted
from harness.office.register.queries import Unknown
from harness.office.requests.models import CardNumber, Number
from harness.office.vocabulary import Help, Outcome, Role
from harness.web.office import answers, examples, lists
from harness.web.office.entry import Door
from harness.web.refusals import Problem

PUBLIC: list[str | Enum] = ["公开信息 for everybody"]
ARTICLES = len(measures().articles)
MOST = 1000


def add(app: FastAPI, office: Office, door: Door, readers: Sequence[str]) -> None:
    """Adds the routes that look things up."""
    _public(app, office)
    _trail(app, office, door)
    _late(app, office, door)
    lists.add(app, office, door, readers)
    _letter(app, office, door)


def _public(app: FastAPI, office: Office) -> None:
    @app.get(
        "/outlets",
        tags=PUBLIC,
        response_model=list[dict[str, Any]],
        summary=f"服务网点 outlets（{Citation(33)}）",
        responses=answers.PUBLIC,
    )
    def outlets(
        region: Annotated[
            str, Query(pattern="^[0-9]{0,6}$", description="The beginning of a region's code. 行政区划代码前几位。")
        ] = "",
        helps: Annotated[Help | None, Query(alias="help", description="A special service. 特殊群体服务。")] = None,
    ) -> Response:
        with office.register.reading() as session:
            return JSONResponse(lookup.outlets(session, region, helps))

    @app.get(
        "/banks",
        tags=PUBLIC,
        response_model=list[dict[str, Any]],
        summary=f"发卡银行 the banks that issue cards（{Citation(8)}）",
    )
    def banks() -> Response:
        with office.register.reading() as session:
            return JSONResponse(lookup.banks(session))

    @app.get(
        "/services",
        tags=PUBLIC,
        response_model=list[dict[str, Any]],
        summary=f"业务清单 what is done, by article（{Citation(33)}）",
    )
    async def services() -> Response:
        return JSONResponse(lookup.services())

    @app.get("/rules", tags=PUBLIC, response_model=list[dict[str, Any]], summary="业务规则 every rule, by article")
    async def rules() -> Response:
        return JSONResponse(lookup.rule_table())

    @app.get("/measures/{article}", tags=PUBLIC, summary="办法原文 the Measures' words", responses=answers.PUBLIC)
    def words(article: Annotated[int, Path(ge=1, le=ARTICLES)]) -> dict[str, Any]:
        return lookup.article(article)


def _trail(app: FastAPI, office: Office, door: Door) -> None:
    @app.get(
        "/trail",
        tags=["监督 supervision"],
        summary=f"操作留痕 who did or saw what（{Citation(29)}）",
        description="最新记录在后；`before`取更早的一页。\n\nThe newest last; `before` (a line's number) turns to the "
        "page before. "
        "`person` is the register's number, as answers have it: nobody's document belongs into an address. That seals "
        "hold `/trail/verify` tells.",
        response_model=None,
        responses=answers.WORKING,
    )
    def trail(
        caller: Annotated[Actor, Depends(door)],
        person: Number | None = None,
        card: CardNumber | None = None,
        clerk: Annotated[str | None, Query(max_length=64)] = None,
        operation: Annotated[str | None, Query(max_length=64)] = None,
        outcome: Outcome | None = None,
        first: Annotated[date | None, Query(alias="from", description="The first day. 起始日期")] = None,
        until: Annotated[date | None, Query(alias="to", description="The last day, included. 截止日期（含）")] = None,
        before: Number | None = None,
        last: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> Response:
        door.only(caller, frozenset({Role.ADMINISTRATOR}), "trail", Citation(29))
        with office.register.reading() as session:
            found = queries.card(session, card) if card is not None else None
            if card is not None and found is None:
                raise Unknown(_("登记库中无此卡 the register knows no such card"))
            wanted = Wanted(person, found.id if found else None, clerk, operation, outcome, first, until, before)
            rows = [lookup.line(one) for one in audit.page(session, wanted, last)]
        office.register.note(Note(office.clock.now(), caller, audit.seen(wanted)))
        return JSONResponse({"lines": rows, "before": rows[0]["line"] if len(rows) == last else None})

    @app.get(
        "/trail/verify",
        tags=["监督 supervision"],
        summary=f"核对留痕 whether the trail is as it was written（{Citation(29)}）",
        description="`broken`为首条不符（或被截断）的记录号，均相符则为null；给出`anchor`时一并核对锚点。\n\n"
        "`broken` is the first line that is not as it was written, or was cut off; null where all are. "
        "`anchor`, as this answered it before and was "
        "kept elsewhere: whether the trail still has all of that.",
        response_model=None,
        responses=answers.WORKING,
    )
    def verify(
        caller: Annotated[Actor, Depends(door)], anchor: Annotated[str | None, Query(max_length=128)] = None
    ) -> dict[str, Any]:
        door.only(caller, frozenset({Role.ADMINISTRATOR}), "trail", Citation(29))
        with office.register.reading() as session:
            try:
                holds = audit.holds(session, anchor) if anchor is not None else None
            except audit.AnchorError as error:
                raise Problem(422, "input", _("query.anchor: {error}").format(error=error)) from None
            return {
                "broken": audit.broken(session),
                "lines": audit.count(session),
                "anchor": audit.anchor(session),
                **({"anchor_holds": holds} if holds is not None else {}),
            }


def _late(app: FastAPI, office: Office, door: Door) -> None:
    @app.get(
        "/late",
        tags=["监督 supervision"],
        summary=f"逾期未发放的申请 applications that are overdue（{Citation(12)}）",
        description="`every=true` lists every open application with its deadline; where the calendar knows no holidays "
        "of a year, `deadline` is null and `deadline_unknown` says why.",
        response_model=None,
        responses=answers.GUARDED,
    )
    def late(caller: Annotated[Actor, Depends(door)], *, every: bool = False) -> Response:
        door.only(caller, roles.SERVICE, "late", Citation(12))
        with office.register.reading() as session:
            return JSONResponse(lookup.late(session, office.services, office.clock.today(), every=every))


def _letter(app: FastAPI, office: Office, door: Door) -> None:
    @app.post(
        "/letter",
        tags=["代办 agents"],
        summary=f"代理承诺书 the agent's letter, filled（{LETTER.label_zh}）",
        description=f"{LETTER.zh}\n\n{LETTER.en}",
        response_class=Response,
        responses={
            **answers.WORKING,
            200: {"content": {"text/html": {}, "application/pdf": {}}, "description": "承诺书 the letter"},
            501: {"model": answers.Refused, "description": "未安装排版组件 what a PDF needs is not installed"},
        },
    )
    def write(
        request: Annotated[LetterRequest, Body(openapi_examples=examples.of("letter"))],
        caller: Annotated[Actor, Depends(door)],
        form: Annotated[str, Query(alias="format", pattern="^(html|pdf)$")] = "html",
    ) -> Response:
        door.only(caller, roles.SERVICE, "letter", LETTER)
        filled = fill(office.register, request, caller, office.clock.now())
        if form == "pdf":
            return Response(letter.pdf(filled), media_type="application/pdf")
        return HTMLResponse(letter.html(filled))
