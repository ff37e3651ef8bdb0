"""Whether a vector is for a target at all, and whether the user lets it be run there."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.messages import _
from harness.conformance.targets.target import Target
from harness.conformance.vector import Vector
from harness.verdicts.causes import Cause
from harness.verdicts.verdict import Verdict

ALLOWED_BY = "--allow-destructive"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a vector is not run. ``cause``: None where it is not for this target."""

    reason: str
    cause: Cause | None = None

    @property
    def verdict(self) -> Verdict:
        """Returns what the refusal comes to: not applicable, or missing where it has a cause."""
        return Verdict.NOT_APPLICABLE if self.cause is None else Verdict.MISSING


def applicable(vector: Vector, target: Target, *, allow_destructive: bool) -> Refusal | None:
    """Why a vector is not run on this target; None if it is."""
    profile = target.profile
    if not vector.applies(profile.version, profile.algorithm):
        return Refusal(_("it is for {wanted}, not for {profile}").format(wanted=_words(vector), profile=profile.name))
    lacking = sorted(vector.features - profile.features)
    if lacking:
        why = (
            _("only a virtual card can be torn from power or put into any state: {lacking}")
            if "virtual" in lacking
            else _("lacking: {lacking}")
        )
        return Refusal(why.format(lacking=", ".join(lacking)))
    harm = "" if allow_destructive else target.harm(vector)
    return Refusal(f"{harm}: {ALLOWED_BY}", Cause.NOT_ALLOWED) if harm else None


def _words(vector: Vector) -> str:
    return _(" and ").join(", ".join(part) for part in (vector.versions, vector.algorithms) if part)
