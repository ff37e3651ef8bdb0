"""The card over HTTP: its tree now and at a moment, how two differ, and an image that is dropped on the page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from harness.studio.card.cards import Ask, Cards, Source
from harness.studio.card.changes import compared
from harness.studio.card.held import HeldCard
from harness.studio.card.model import Card, as_json
from harness.studio.card.tree import tree
from harness.web.refusals import Problem
from harness.web.strict import StrictRoute

Of = Annotated[str, Query(max_length=64, description="slot:0, slot:0@NUMBER or file:ID")]
Show = Annotated[bool, Query(description="People's values too, where they are masked")]
Number = Annotated[int | None, Query(ge=0, description="The number of a command: the card as it was after it")]
Name = Annotated[str, Query(max_length=200, description="What the file is called")]


def router(ask: Ask) -> APIRouter:
    """``ask``: asks the run whose cards are seen."""
    routes = APIRouter(route_class=StrictRoute)
    cards = Cards(ask)

    @routes.get("/tree", summary="A card's tree")
    def of_card(of: Of, *, show: Show = False) -> dict[str, Any]:
        return _at(cards, Source.parse(of), of, show=show)

    @routes.get("/moment", summary="The tree of a slot's card as it was after a command")
    def moment(slot: Annotated[int, Query(ge=0)], n: Number = None, *, show: Show = False) -> dict[str, Any]:
        of = f"slot:{slot}" if n is None else f"slot:{slot}@{n}"
        return _at(cards, Source(slot, n), of, show=show)

    @routes.get("/compare", summary="Where two cards differ, or one at two moments")
    def compare(left: Of, right: Of, *, show: Show = False) -> dict[str, Any]:
        held = [cards.get(Source.parse(one)) for one in (left, right)]
        found = compared(*held, show_values=show or all(one.made_up for one in held))
        sides = zip(held, (left, right), (found.left, found.right), strict=True)
        told = [_answer(card, of, shown) for card, of, shown in sides]
        return {"left": told[0], "right": told[1], "changes": as_json(found.changes)}

    @routes.get("/changes", summary="What changed since another moment, without the trees")
    def changes(of: Of, since: Of, *, show: Show = False) -> dict[str, Any]:
        held = [cards.get(Source.parse(one)) for one in (since, of)]
        found = compared(*held, show_values=show or all(one.made_up for one in held))
        return {"of": of, "since": since, "changes": as_json(found.changes)}

    @routes.post("/files", summary="An image to look at")
    async def drop(request: Request, *, name: Name = "image") -> dict[str, Any]:
        key, card = await run_in_threadpool(cards.drop, await request.body(), name)
        return _told(card, f"file:{key}", show=False) | {"name": name}

    return routes


def _at(cards: Cards, source: Source, of: str, *, show: bool) -> dict[str, Any]:
    """The card, and of an earlier moment what that very event changed: none where the one before is not kept, or was
    another card's.
    """
    card = cards.get(source)
    before = _before(cards, source)
    if before is None or before.image.atr != card.image.atr:
        return _told(card, of, show=show)
    found = compared(before, card, show_values=show or card.made_up)
    return _answer(card, of, found.right) | {"changes": as_json(found.changes)}


def _before(cards: Cards, source: Source) -> HeldCard | None:
    if not source.number:
        return None
    try:
        return cards.get(Source(source.slot, source.number - 1))
    except Problem:
        return None


def _told(card: HeldCard, of: str, *, show: bool) -> dict[str, Any]:
    return _answer(card, of, tree(card, show_values=show or card.made_up)) | {"changes": []}


def _answer(card: HeldCard, of: str, shown: Card) -> dict[str, Any]:
    return {"of": of, "made_up": card.made_up, "number": card.number, "card": as_json(shown)}
