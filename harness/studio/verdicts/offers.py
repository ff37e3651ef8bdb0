"""What the forms of the page offer: everything that there is, by its name."""

from __future__ import annotations

from typing import Any

from emulator import catalogue
from harness.conformance import coverage
from harness.conformance import vector as vectors
from harness.proving import plan as plans
from harness.scenarios import model as scenarios
from harness.scenarios.checking import PROFILES as OFFICE_PROFILES
from harness.studio.verdicts.jobs import Jobs


def offers(jobs: Jobs) -> dict[str, Any]:
    """By kind of run, what may be chosen. Programs by their names alone."""
    home = vectors.home()
    names = [one.name for one in jobs.checker.programs.values()]
    return {
        "vectors": {
            "profiles": list(jobs.checker.profiles),
            "layouts": [
                {"name": name, "profiles": [f"{plan.version}-{one}" for one in plan.algorithms]}
                for name in catalogue.layouts()
                for plan in (catalogue.layout(name),)
            ],
            "items": [
                {"id": one.id, "title": one.title, "title_zh": one.title_zh} for one in coverage.matrix((), home)
            ],
            "personas": list(catalogue.personas()),
        },
        "scenarios": {
            "profiles": list(OFFICE_PROFILES),
            "scenarios": [
                {"id": one.id, "title": one.title, "title_zh": one.title_zh, "profiles": list(one.cards)}
                for one in scenarios.find([home / vectors.OFFICE])
            ],
        },
        "programs": names,
        "situations": [
            {"name": one.situation.name, "title": one.situation.title, "title_zh": one.situation.title_zh}
            for one in plans.default().cases
        ],
    }
