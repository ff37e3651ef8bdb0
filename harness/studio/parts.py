"""The parts of the page, by the name behind ``/api/``. One whose extra is missing says so; the others work."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from emulator.messages import _
from harness.extras import MissingExtra, missing
from harness.studio.card import router as card
from harness.studio.card.cards import asking
from harness.studio.context import Studio
from harness.studio.office import part as office
from harness.studio.readers import routes as readers
from harness.studio.session import router as session
from harness.web.refusals import Problem


def _card(studio: Studio) -> APIRouter:
    return card.router(asking(lambda: studio.run))


def _verdicts(studio: Studio) -> APIRouter:
    from harness.studio.verdicts import part  # vectors and scenarios need extras that a page of cards does not

    return part.router(studio)


PARTS: dict[str, Callable[[Studio], APIRouter]] = {
    "card": _card,
    "session": session.part,
    "readers": readers.router,
    "verdicts": _verdicts,
    "office": office.router,
}


def routers(studio: Studio) -> dict[str, APIRouter]:
    """A router for each part."""
    return {name: _made(make, studio) for name, make in PARTS.items()}


def _made(make: Callable[[Studio], APIRouter], studio: Studio) -> APIRouter:
    try:
        return make(studio)
    except ModuleNotFoundError as error:
        lacking = missing(error, _("this part of the page"))
        if lacking is None:
            raise
        return _refusing(lacking)


def _refusing(lacking: MissingExtra) -> APIRouter:
    """Answers whatever is asked of a part with what it lacks."""
    routes = APIRouter()

    @routes.api_route("/{path:path}", methods=["GET", "POST", "DELETE"], include_in_schema=False)
    async def refused(path: str) -> None:
        del path
        raise Problem(501, "extra", str(lacking))

    return routes
