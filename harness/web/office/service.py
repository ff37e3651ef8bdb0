"""The service: its operations, one route each, and what goes with them."""

# No annotations as text here: FastAPI reads those of routes within functions, whose names it could not find again.
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import Field, SecretStr

from emulator import catalogue
from emulator.messages import _
from harness.office.case import roles
from harness.office.case.operation import Operation
from harness.office.desk import instant
from harness.office.desk.office import Office
from harness.office.measures.articles import Citation
from harness.office.operations import ALL
from harness.office.register.audit import Actor
from harness.office.requests.models import Activate, Apply, Make, Model, Number, Request
from harness.readers import pcsc
from harness.web import app as web
from harness.web.office import answers, examples, forms, lookup
from harness.web.office.entry import FAILURES, Door, InReader, Readers
from harness.web.refusals import Problem

BODY_LIMIT = 8 * 1024 * 1024
"""A school's batch of a thousand, each with a photograph."""
RATE = "600/minute"
TITLE = "四川省社会保障卡经办（测试）The office, for tests"
DESCRIPTION = """
每项业务一个路径，业务规则均注明《四川省社会保障卡经办管理办法》条款；所有人员均为虚构。

One path per operation of the Measures (川人社规〔2023〕6号); each says its article, each refusal names it in Chinese
and English. Everybody in it is made up. `drawer=NUMBER` puts a virtual card into the reader, `reader=NAME` takes a
PC/SC reader that the service was started with. The examples work on a fresh register, in the order of a card's life.

| status | kind | |
| --- | --- | --- |
| 409 | `refused` | 不予办理：`rule`, `article`, `paragraph`, `zh`, `en` |
| 409 | `half-way` | 中断待续办：`POST /pending/{pending}/resume` 或 `/abandon` |
| 404 | `unknown` | 查无此人、此卡 no such person, card or number |
| 502 | `failed`, `reader` | 未作改动 chip, bank or reader did not do it: nothing has changed |
| 503 | `busy` | 卡或登记库正被使用 in use by another: try again |
| 401, 403, 422, 429 | `token`, `role`, `reader`, `input`, `rate` | |
"""


class Issue(Model):
    """即时制卡: an application, and the card that is made of it."""

    request: Apply
    layout: str = "3.00"
    algorithm: Annotated[str, Field(pattern="^(3des|sm4)$")] = "3des"
    with_account: bool = False


class Resume(Model):
    """``pin``: the new PIN once more, where ``needs_pin`` says so."""

    pin: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What every route works with."""

    office: Office
    door: Door
    readers: Readers


def create(
    office: Office,
    *,
    readers: Sequence[str] = (),
    hosts: Sequence[str] = web.NAMES,
    origins: Sequence[str] = (),
    rate: str = RATE,
    failures: str = FAILURES,
) -> FastAPI:
    """The service. ``readers``: beginnings of PC/SC readers' names that requests may name. ``failures``: wrong tokens
    that one client may send; the rest as web.app.create has it.
    """
    door = Door(office, failures)
    needed = {"register": office.register.ready, "cards": office.services.card_store.ready}
    if readers:
        needed["readers"] = partial(_all_there, readers)
    app = web.create(
        TITLE, DESCRIPTION, hosts=hosts, origins=origins, rate=rate, body_limit=BODY_LIMIT, admit=door.admit,
        ready=needed,
    )  # fmt: skip
    office.register.waited = app.state.observer.metrics.waited
    service = Service(office, door, Readers(office, readers))
    for operation in ALL.values():
        _operation(app, service, operation)
    _issue(app, service)
    _pending(app, service)
    lookup.add(app, office, service.door, readers)
    forms.add(app, service.door, {"issue": Issue})
    return app


def _all_there(readers: Sequence[str]) -> None:
    for name in readers:
        pcsc.find_reader(name)


def _known_layout(name: str) -> None:
    """A name: a path would let callers try which files there are."""
    if name not in catalogue.layouts():
        raise Problem(
            422, "input", _("body.layout: expected one of {layouts}").format(layouts=", ".join(catalogue.layouts()))
        )


def _quoted(citation: Citation) -> str:
    return f"{citation.label_zh}：{citation.zh}\n\n{citation.label_en}: {citation.en}"


def _operation(app: FastAPI, service: Service, operation: Operation[Any, Any]) -> None:
    allowed, citation = operation.roles.allowed, operation.citation

    def perform(
        request: Request,
        caller: Annotated[Actor, Depends(service.door)],
        card: Annotated[InReader, Depends(service.readers)],
    ) -> Response:
        service.door.only(caller, allowed, operation.name, citation)
        if isinstance(request, Make):
            _known_layout(request.layout)
        with card.opened() as connection:
            return JSONResponse(service.office.perform(request, caller.name, connection).as_table())

    perform.__annotations__["request"] = Annotated[
        operation.request, Body(openapi_examples=examples.of(operation.name))
    ]
    demands = "\n".join(f"- `{one.id}` {one.citation}：{one.zh} {one.en}" for one in operation.rules)
    app.post(
        f"/operations/{operation.name}",
        name=operation.name,
        operation_id=operation.name,
        tags=["业务 operations"],
        summary=f"{operation.zh} {operation.en}（{citation.label_zh}）",
        description=f"{_quoted(citation)}\n\n角色 roles: {', '.join(sorted(allowed))}\n\n{demands}",
        response_model=answers.of(operation),
        responses=answers.WORKING,
    )(perform)


def _issue(app: FastAPI, service: Service) -> None:
    citation = Citation(11, 2)

    @app.post(
        "/issue",
        tags=["即时制卡 instant issuance"],
        summary=f"即时制卡：从申领到启用 from application to a card in use（{citation.label_zh}）",
        description=f"{_quoted(citation)}\n\n中断后再次调用即续办 what was cut off goes on when called again.",
        response_model=answers.of(ALL[Activate.operation]),
        responses=answers.WORKING,
    )
    def issue(
        request: Annotated[Issue, Body(openapi_examples=examples.of("issue"))],
        caller: Annotated[Actor, Depends(service.door)],
        card: Annotated[InReader, Depends(service.readers)],
    ) -> Response:
        service.door.only(caller, roles.SERVICE, "issue", citation)
        _known_layout(request.layout)
        operations: list[str] = []
        with card.opened() as connection:
            done = instant.issue(
                service.office,
                request.request,
                caller.name,
                connection,
                layout=request.layout,
                algorithm=request.algorithm,
                with_account=request.with_account,
                say=lambda one: operations.append(one.operation),
            )
        return JSONResponse({**done.as_table(), "operations": operations})


def _pending(app: FastAPI, service: Service) -> None:
    citation = Citation(30)
    tags: list[str | Enum] = ["待续办 interrupted work"]

    @app.get(
        "/pending",
        tags=tags,
        summary="中断待续办的业务 what was begun and not ended",
        response_model=None,
        responses=answers.GUARDED,
    )
    def pending(caller: Annotated[Actor, Depends(service.door)]) -> Response:
        service.door.only(caller, roles.SERVICE, "pending", citation)
        return JSONResponse(service.office.pending())

    @app.post(
        "/pending/{number}/resume",
        tags=tags,
        summary="续办 finishes it, on the same card",
        response_model=answers.AnyDone,
        responses=answers.WORKING,
    )
    def resume(
        number: Number,
        request: Resume,
        caller: Annotated[Actor, Depends(service.door)],
        card: Annotated[InReader, Depends(service.readers)],
    ) -> dict[str, Any]:
        service.door.only(caller, roles.SERVICE, "resume", citation)
        with card.needed() as connection:
            return service.office.resume(number, connection, request.pin, clerk=caller.name).as_table()

    @app.post(
        "/pending/{number}/abandon",
        tags=tags,
        summary="撤销 makes the chip as it was, where that can be",
        response_model=None,
        responses=answers.WORKING,
    )
    def abandon(
        number: Number,
        caller: Annotated[Actor, Depends(service.door)],
        card: Annotated[InReader, Depends(service.readers)],
    ) -> dict[str, Any]:
        service.door.only(caller, roles.SERVICE, "abandon", citation)
        with card.needed() as connection:
            service.office.abandon(number, connection, clerk=caller.name)
        return {"pending": number, "abandoned": True}
