"""Verdicts as a part of the page: its runs are this user's, its slots those of the run that the page is of."""

from __future__ import annotations

import itertools
from typing import Any

from fastapi import APIRouter

from harness.keys.spent import state_folder
from harness.serving import control
from harness.serving.control import ControlError, Running
from harness.studio.context import Studio
from harness.studio.verdicts import programs, routes
from harness.studio.verdicts.jobs import Jobs
from harness.studio.verdicts.store import FOLDER, Store

EVENT = "jobs"


def router(studio: Studio) -> APIRouter:
    """The routes; runs that are begun by them end with the page, and are told to every browser. ProgramNameError."""
    revisions = itertools.count(1)

    def slots() -> Running | None:
        """The run with its slots as they are now."""
        if studio.run is None:
            return None
        try:
            return control.chosen(name=studio.run.id)
        except ControlError:
            return None

    def told() -> dict[str, Any]:
        return {"revision": next(revisions), "runs": [one.as_table() for one in jobs.unfinished()]}

    jobs = Jobs(
        Store(state_folder() / FOLDER),
        programs.parsed(studio.settings.programs),
        changed=lambda: studio.hub.changed(EVENT, told),
        slots=slots,
        trace_of=lambda name: studio.trace_of(name),  # which the session's part says, be it made before or after
    )
    studio.endings.append(jobs.close)
    studio.hub.changed(EVENT, told)
    return routes.router(jobs)
