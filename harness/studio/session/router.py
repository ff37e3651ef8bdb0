"""What the session view asks: windows on rows, searches, findings, the time line, recordings, downloads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from emulator.messages import _
from harness.studio.card.cards import asking
from harness.studio.context import Studio
from harness.studio.session import page
from harness.studio.session.filters import Filter
from harness.studio.session.sessions import LIVE, Sessions
from harness.studio.session.store import Session
from harness.studio.session.timeline import timeline
from harness.trace.read import TraceError
from harness.web.refusals import Problem
from harness.web.strict import StrictRoute

NEWEST = 3
"""Rows that a ``rows`` event tells; who wants more asks for them. [D]"""
WINDOW_MOST = 500
"""Rows that are asked for at once; a page shows some fifty. [D]"""
PARTS_MOST = 2000
"""Parts that a time line is divided into; pixels of a wide screen. [D]"""
FINDINGS_MOST = 2000
"""Findings that are told at once, the newest. [D]"""
Words = Annotated[str, Query(max_length=400)]
Id = Annotated[str, Query(max_length=20)]


class Branch(BaseModel):
    """分支 Which card, after which command of the run, and the free slot that it goes to."""

    model_config = ConfigDict(extra="forbid")
    slot: int = Field(ge=0)
    n: int = Field(ge=0)
    to: int = Field(ge=0)
    expects: int | None = Field(None, ge=0)
    """Changes of the free slot as the browser has seen it; None: whatever it is by now."""


def _listed(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def asked(
    slots: Annotated[str, Query(pattern="^([0-9]{1,3}(,[0-9]{1,3})*)?$")] = "",
    lanes: Words = "",
    kinds: Words = "",
    levels: Words = "",
    instruction: Words = "",
    sw: Words = "",
    change: Words = "",
    text: Words = "",
    *,
    findings: bool = False,
) -> Filter:
    """The filter that a request names; lists have commas."""
    return Filter(
        frozenset(map(int, _listed(slots))), _listed(lanes), _listed(kinds), _listed(levels), instruction, sw, change,
        text, findings,
    )  # fmt: skip


Asked = Annotated[Filter, Depends(asked)]


def part(studio: Studio) -> APIRouter:
    """The routes, over what the run's cards do; browsers hear of new rows by ``rows`` events."""
    sessions = Sessions()

    def heard(event: dict[str, Any]) -> None:
        sessions.hear(event)
        studio.hub.changed("rows", lambda: _news(sessions.live))

    def trace_of(identifier: str) -> Iterable[str] | None:
        found = sessions.get(identifier)
        return found.lines() if found is not None and found.total else None

    studio.listeners.append(heard)
    studio.trace_of = trace_of
    routes = router(sessions)
    ask = asking(lambda: studio.run)

    @routes.post("/branch", summary="A card as it was after a command, put into a free slot")
    def branch(wanted: Branch) -> dict[str, Any]:
        told = wanted.model_dump(exclude_none=True)
        return {"to": wanted.to, "slot": ask({"op": "branch", **told}).get("slot")}

    return routes


def _news(live: Session) -> dict[str, Any]:
    return live.summary() | {"rows": [row.table() for row in live.latest(NEWEST)]}


def router(sessions: Sessions) -> APIRouter:
    """The routes behind ``/api/session``."""
    routes = APIRouter(route_class=StrictRoute)

    def named(identifier: str) -> Session:
        found = sessions.get(identifier)
        if found is None:
            raise Problem(404, "session", _("this session is closed; drop its trace on the page again"))
        return found

    @routes.get("/list", summary="Sessions, the live one first")
    def all_of_them() -> list[dict[str, Any]]:
        return sessions.summaries()

    @routes.get("/rows", summary="Rows of a filter from a position on; a negative one counts from the end")
    def rows(
        meant: Asked, session: Id = LIVE, start: int = 0, count: Annotated[int, Query(ge=0, le=WINDOW_MOST)] = 100
    ) -> dict[str, Any]:
        window = named(session).window(meant, start, count)
        return {
            "first": window.first,
            "total": window.total,
            "start": window.start,
            "rows": [row.table() for row in window.rows],
        }

    @routes.get("/row", summary="One row")
    def row(n: int, session: Id = LIVE) -> dict[str, Any]:
        found = named(session).row(n)
        if found is None:
            raise Problem(404, "row", _("row {number} is not kept any more, or did not come yet").format(number=n))
        return found.table()

    @routes.get("/position", summary="Where in a filter a row stands")
    def position(meant: Asked, n: int, session: Id = LIVE) -> dict[str, int]:
        return {"position": named(session).position(meant, n)}

    @routes.get("/search", summary="The next row of a filter that has a text; null where none has")
    def search(
        meant: Asked,
        wanted: Annotated[str, Query(min_length=1, max_length=200)],
        session: Id = LIVE,
        start: int = 0,
        *,
        back: bool = False,
    ) -> dict[str, int] | None:
        found = named(session).search(meant, wanted, start, back=back)
        return {"position": found.position, "n": found.row.number} if found else None

    @routes.get("/findings", summary="What the monitor found, the newest last")
    def findings(session: Id = LIVE) -> list[dict[str, Any]]:
        return [
            {"n": one.number, "line": one.line, **asdict(noted)}
            for one, noted in named(session).findings()[-FINDINGS_MOST:]
        ]

    @routes.get("/timeline", summary="Rows, or how many of them, by time and lane")
    def time(
        meant: Asked,
        session: Id = LIVE,
        begin: Annotated[float | None, Query(allow_inf_nan=False)] = None,
        end: Annotated[float | None, Query(allow_inf_nan=False)] = None,
        parts: Annotated[int, Query(ge=1, le=PARTS_MOST)] = 400,
    ) -> dict[str, Any]:
        return timeline(named(session), meant, begin, end, parts)

    @routes.get("/trace", summary="The session as a trace, masked as it is shown", response_class=StreamingResponse)
    def trace(session: Id = LIVE) -> StreamingResponse:
        return StreamingResponse(
            named(session).lines(), media_type="application/x-ndjson", headers=_as_file("session.jsonl")
        )

    @routes.get("/html", summary="The session as one file", response_class=Response)
    def one_file(session: Id = LIVE) -> Response:
        chosen = named(session)
        text = page.page(chosen.rows(), chosen.summary())
        return Response(text, media_type="text/html; charset=utf-8", headers=_as_file("session.html"))

    @routes.post("/open", summary="A recorded trace, opened beside the live session; the body is the file")
    async def opened(request: Request, name: Annotated[str, Query(min_length=1, max_length=200)]) -> dict[str, str]:
        content = await request.body()
        try:
            return {"id": await run_in_threadpool(sessions.open, name, content)}
        except TraceError as error:
            raise Problem(422, "trace", str(error)) from None

    @routes.post("/close", summary="Closes a recording")
    def closed(session: Id) -> dict[str, str]:
        sessions.close(session)
        return {}

    return routes


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
