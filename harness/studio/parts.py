"""The parts of the page, by the name that stands behind ``/api/``."""

from __future__ import annotations

from fastapi import APIRouter

from harness.studio.context import Studio


def routers(studio: Studio) -> dict[str, APIRouter]:  # noqa: ARG001 — parts take what they share from it
    """A router for each part."""
    return {}
