"""The parts of the page, by the name that stands behind ``/api/``."""

from __future__ import annotations

from fastapi import APIRouter

from harness.studio.card import router as card
from harness.studio.card.cards import asking
from harness.studio.context import Studio
from harness.studio.office import part as office
from harness.studio.readers import routes as readers
from harness.studio.session import router as session
from harness.studio.verdicts import part as verdicts


def routers(studio: Studio) -> dict[str, APIRouter]:
    """A router for each part."""
    return {
        "card": card.router(asking(lambda: studio.run)),
        "session": session.part(studio),
        "readers": readers.router(studio),
        "verdicts": verdicts.router(studio),
        "office": office.router(studio),
    }
