"""The routes of verdicts: offers, runs, their reports and cases, files to take away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import FileResponse

from emulator.errors import NotFound
from emulator.kept import keep
from emulator.messages import _
from harness.studio.verdicts import command, digest, offers, outcome
from harness.studio.verdicts.digest import MOST, Wanted
from harness.studio.verdicts.jobs import Jobs
from harness.studio.verdicts.requests import AnyRequest
from harness.studio.verdicts.store import OUTPUT, Run
from harness.verdicts import report_diff
from harness.verdicts.report_file import REPORT, ReportFile
from harness.web.strict import StrictRoute

TYPES = {
    "report.html": "text/html; charset=utf-8",
    "report.json": "application/json",
    "junit.xml": "application/xml",
    "report.pdf": "application/pdf",
    "trace.jsonl": "application/jsonl; charset=utf-8",
    "trace.html": "text/html; charset=utf-8",
    "manifest.json": "application/json",
    OUTPUT: "text/plain; charset=utf-8",
}
"""Files of a run that a browser may have."""
PAGES = frozenset({"report.html", "trace.html"})
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
)
"""Of a report that is opened: it can do nothing as this page."""
KEPT_REPORTS = 3
TAIL = 8000
"""Letters of what a run printed that are shown with it."""
LISTED = 200
"""Runs of the history that are given."""
Text = Annotated[str, Query(max_length=200)]


class NoSuchPart(NotFound):
    """The run has no such case, report or file."""

    word = "run"


def router(jobs: Jobs) -> APIRouter:
    """Under ``/api/verdicts``."""
    routes = APIRouter(route_class=StrictRoute)
    reports: dict[str, ReportFile] = {}

    def report(run: Run) -> ReportFile | None:
        path = jobs.store.folder(run.id) / command.REPORT
        try:
            stamp = f"{run.id} {(path / REPORT).stat().st_mtime_ns}"
        except OSError:
            return None
        if stamp not in reports and (found := outcome.report_of(path)) is not None:
            keep(reports, stamp, found, KEPT_REPORTS)
        return reports.get(stamp)

    def whole(name: str) -> tuple[ReportFile, str]:
        run = jobs.get(name)
        found = report(run)
        if found is None:
            raise NoSuchPart(_("this run has no report that is whole"))
        return found, str(run.request["kind"])

    @routes.get("/offers", summary="可以运行什么 What can be run")
    def what_there_is() -> dict[str, Any]:
        return offers.offers(jobs)

    @routes.get("/runs", summary="全部运行 All runs, the newest first")
    def every_run() -> dict[str, Any]:
        return {"total": len(jobs.store.names()), "runs": [one.as_table() for one in jobs.newest(LISTED)]}

    @routes.post("/runs", status_code=201, summary="开始 Begin one")
    def begin(asked: Annotated[AnyRequest, Body()]) -> dict[str, Any]:
        return jobs.start(asked).as_table()

    @routes.get("/runs/{name}", summary="一次运行 One run, with its map")
    def one_run(name: str) -> dict[str, Any]:
        run = jobs.get(name)
        folder = jobs.store.folder(name)
        found = report(run)
        told = run.as_table() | {"files": files(folder), "output": tail(folder), "report": None}
        if found is not None:
            names = ("program", "date", "product", "target", "profile", "session", "environment", "not_judged")
            told["report"] = {one: found.table[one] for one in names if one in found.table}
            told["heat"] = digest.heat(found.table, str(run.request["kind"]))
        return told

    @routes.post("/runs/{name}/cancel", summary="取消 Cancel it")
    def cancel(name: str) -> dict[str, Any]:
        return jobs.cancel(name).as_table()

    @routes.delete("/runs/{name}", status_code=204, summary="删除 Delete it")
    def delete(name: str) -> Response:
        jobs.delete(name)
        return Response(status_code=204)

    @routes.get("/runs/{name}/cases", summary="其中的判定 Its cases, some at a time")
    def cases(
        name: str, verdict: Text = "", row: Text = "", column: Text = "", text: Text = "", *, judged: bool = False,
        offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> dict[str, Any]:  # fmt: skip
        found, kind = whole(name)
        return digest.cases(found.table, kind, Wanted(verdict, row, column, text, judged), offset, limit)

    @routes.get("/runs/{name}/cases/{number}", summary="一项判定 One case with its steps and exchanges")
    def case(name: str, number: int) -> dict[str, Any]:
        found, kind = whole(name)
        told = digest.case(found.table, kind, number)
        if told is None:
            raise NoSuchPart(_("this run has no such case"))
        return told

    @routes.get("/runs/{name}/since/{earlier}", summary="与另一次比较 What is otherwise than in another run")
    def since(name: str, earlier: str) -> dict[str, Any]:
        (before, kind), (after, kind_after) = whole(earlier), whole(name)
        if kind != kind_after:
            raise NoSuchPart(_("these are runs of different kinds, which have no case in common"))
        return report_diff.compare(before, after).as_table()

    @routes.get("/runs/{name}/files/{file}", summary="文件 A file of its report")
    def file(name: str, file: str) -> Response:
        path = next((one for one in places(jobs.store.folder(name), file) if one.is_file()), None)
        if path is None:
            raise NoSuchPart(_("this run has no such file"))
        headers = {"cache-control": "no-store"}
        if file in PAGES:
            return FileResponse(path, media_type=TYPES[file], headers={**headers, "content-security-policy": SANDBOX})
        return FileResponse(path, media_type=TYPES[file], headers=headers, filename=f"{name}-{file}")

    return routes


def places(folder: Path, file: str) -> list[Path]:
    """Where a file of this name would be; nowhere for one that is not told."""
    return [folder / command.REPORT / file, folder / file] if file in TYPES else []


def files(folder: Path) -> list[str]:
    """The names of the files that there are."""
    return [name for name in TYPES if any(one.is_file() for one in places(folder, name))]


def tail(folder: Path) -> str:
    """The end of what is kept of what a run printed."""
    try:
        return (folder / OUTPUT).read_bytes().decode("utf-8", "replace")[-TAIL:]
    except OSError:
        return ""
