"""Requests as forms: what an operation asks for, field by field, and whether what is written so far is of that form."""

# No annotations as text here: FastAPI reads those of routes within functions, whose names it could not find again.
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Path
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError

from emulator.messages import _
from harness.office.desk import forms
from harness.office.operations import ALL
from harness.office.register.audit import Actor
from harness.web import app as web
from harness.web.office import answers, examples
from harness.web.office.entry import Door
from harness.web.refusals import Problem

TAGS: list[str | Enum] = ["表单 forms"]
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": answers.Refused, "description": "无此业务 no such operation"}
}
MANY = 50
"""Mistakes that are told at once. [D]"""


def add(app: FastAPI, door: Door, more: dict[str, type[BaseModel]]) -> None:
    """Adds the routes. ``more``: requests that are no operation's, by name."""
    requests: dict[str, type[BaseModel]] = {name: one.request for name, one in ALL.items()} | more
    names = Path(description="业务名称，见/services。As /services has it.", json_schema_extra={"enum": list(requests)})

    def asked(name: str) -> type[BaseModel]:
        if name not in requests:
            raise Problem(404, "unknown", _("无此业务 no operation is named so: /services has all of them"))
        return requests[name]

    @app.get(
        "/forms/{name}",
        tags=TAGS,
        summary="业务表单 what a request asks for: its JSON schema, with names in both languages",
        description="`x-zh`, `x-en`：字段名称 names; `x-words`：可选值 choices; `x-examples`：示例.",
        response_model=None,
        responses=UNKNOWN,
    )
    def form(name: Annotated[str, names]) -> Response:
        return JSONResponse({**forms.form(asked(name)), "x-examples": examples.for_form(name)})

    @app.post(
        "/forms/{name}/check",
        tags=TAGS,
        summary="核对表单 whether a request is of the right form; nothing is done",
        description="只核对格式，不办理、不留痕。`problems`为空即格式正确。\n\nThe form alone is looked at: no rule is "
        "asked, nothing is done, no line is written. `at` is where something is wrong, `text` and `kind` what.",
        response_model=None,
        responses=answers.GUARDED | UNKNOWN,
    )
    def check(
        name: Annotated[str, names], written: Annotated[dict[str, Any], Body()], caller: Annotated[Actor, Depends(door)]
    ) -> Response:
        del caller
        return JSONResponse({"problems": _problems(asked(name), written)})


def _problems(request: type[BaseModel], written: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        request.model_validate(written)
    except ValidationError as error:
        return [_problem(one) for one in error.errors()[:MANY]]
    return []


def _problem(one: Mapping[str, Any]) -> dict[str, Any]:
    place, said = web.wrong(one)
    return {"at": [str(step) for step in place], "kind": one["type"], "text": said}
