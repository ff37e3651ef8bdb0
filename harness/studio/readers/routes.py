"""``/api/readers``: slots and steering them, the cards that can be put in, new personas, faults."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from emulator import catalogue
from emulator.filesystem.layouts.terms import CardKind
from emulator.messages import _
from harness.driver import pad_desk
from harness.faults.plan import FaultError
from harness.serving import control, doctor
from harness.serving.control import ControlError
from harness.studio.card.cards import of_moment
from harness.studio.context import Studio
from harness.studio.readers import drafts, face, ready_faults, shelf, uploads
from harness.studio.readers.drafts import Asked, Draft, Kept
from harness.studio.readers.requests import Entered, Steer
from harness.web.refusals import Problem
from harness.web.strict import StrictRoute

PATIENCE = 30.0
"""Seconds that a run has to put a card in and to hear of it from PC/SC."""
Show = Annotated[bool, Query(description="The person's values too, where they may be somebody's")]


def router(studio: Studio) -> APIRouter:
    """The routes, over the run whose cards the page shows."""
    routes = APIRouter(route_class=StrictRoute)

    @routes.get("/slots", summary="读卡器 The slots as they are")
    def slots() -> dict[str, Any]:
        return {"slots": _asked(studio, {"op": "state"})["slots"]}

    @routes.post("/steer", summary="操作 One slot steered")
    def steer(asked: Steer) -> dict[str, Any]:
        try:
            request = asked.asked()
        except FaultError as error:
            raise Problem(422, "input", str(error)) from None
        return _asked(studio, request)

    @routes.get("/cards", summary="可插入的卡 Personas, layouts and faults to choose from")
    def cards() -> dict[str, Any]:
        plans = map(catalogue.layout, catalogue.layouts())
        return {
            "personas": list(shelf.everyone()),
            "layouts": [
                {
                    "name": one.name,
                    "title": one.title,
                    "title_zh": one.title_zh,
                    "algorithms": list(one.algorithms),
                    "contactless": one.contactless is not None,
                }
                for one in plans
                if one.card is CardKind.USER
            ],
            "faults": ready_faults.rows(),
        }

    @routes.get("/face/{slot}", summary="卡面 What is printed on the card in a slot")
    def printed(slot: int, *, show: Show = False) -> dict[str, Any]:
        card = of_moment(_asked(studio, {"op": "moment", "slot": slot}))
        return face.face(card.image, made_up=card.made_up, show=show)

    @routes.get("/doctor", summary="检查 What stands between this machine and a card in a reader")
    def examined() -> dict[str, Any]:
        return {"findings": [asdict(one) for one in doctor.examine()]}

    @routes.post("/image", summary="映像文件 An image file to be put in, its bytes as the body")
    async def image(request: Request) -> dict[str, Any]:
        return await run_in_threadpool(uploads.keep, await request.body())

    @routes.post("/persona/check", summary="检查人物 A draft as TOML, and what is wrong with it")
    def check(draft: Draft) -> dict[str, Any]:
        told = drafts.judged(draft)
        return {"good": not told.wrong, "text": told.text, "wrong": told.wrong}

    @routes.post("/persona/number", summary="虚构号码 A made-up social security number")
    def number(asked: Asked) -> dict[str, str]:
        try:
            return {"number": drafts.number(asked)}
        except ValueError:
            raise Problem(422, "input", _("expected a date that exists, YYYYMMDD")) from None

    @routes.post("/persona/save", summary="保存人物 A draft kept among one's own personas")
    def save(draft: Kept) -> dict[str, str]:
        told = drafts.judged(draft)
        if told.wrong:
            raise Problem(422, "input", _("the persona is not good yet: mend what is marked first"))
        file = shelf.save(draft.form.key, told.text, replace=draft.replace)
        return {"name": file.name, "path": str(file)}

    @routes.get("/pads", summary="密码键盘 PIN pads of driver services, and who waits at them")
    def pads() -> dict[str, Any]:
        return {"pads": pad_desk.pads()}

    @routes.post("/pads/enter", summary="密码输入 What the cardholder enters at a pad")
    def enter(entered: Entered) -> dict[str, Any]:
        pad_desk.enter(entered.pad, entered.entry.get_secret_value())
        return {}

    return routes


def _asked(studio: Studio, request: dict[str, Any]) -> dict[str, Any]:
    """A run's answer. Problem, in the run's own words where it refuses."""
    if studio.run is None:
        raise Problem(409, "no-reader", _("no run serves cards here: start `sscard run --web`"))
    if len(json.dumps(request)) >= control.LONGEST:
        raise Problem(413, "size", _("expected at most {count} bytes").format(count=control.LONGEST))
    try:
        answer = control.ask(studio.run, request, timeout=PATIENCE)
    except ControlError as error:
        raise Problem(409, error.said or "refused", str(error)) from None
    return {name: value for name, value in answer.items() if name != "ok"}
