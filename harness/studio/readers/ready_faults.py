"""Plans of faults at hand: one for each kind, as the command line would have it. The texts are read when asked for."""

from __future__ import annotations

from typing import Any

from harness.faults import plan as plans
from harness.faults.kinds import KINDS
from harness.faults.plan import Plan

READY = (
    "removal,moment=within,instruction=UPDATE_RECORD,once=yes",
    "power-cut,after=1,instruction=UPDATE_RECORD,once=yes",
    "status,sw=6581,executed=yes,instruction=UPDATE_RECORD,once=yes",
    "mute,seconds=1,instruction=READ_RECORD,once=yes",
    "delay,seconds=2,instruction=READ_RECORD,every=5",
    "garbled,instruction=READ_RECORD,one_in=10",
    "truncated,instruction=READ_RECORD,nth=2",
    "oversized,instruction=READ_RECORD,nth=2",
    "sw61,part=8,instruction=READ_RECORD",
    "sw6c,instruction=READ_RECORD,every=3",
    "reset,moment=before,every=10",
    "repeat,instruction=READ_RECORD,every=4",
    "challenge,once=yes",
)
"""What shows the most of each kind: the writes that are torn, the readings that come wrong. [D]"""
YAML = "format:"


def rows() -> list[dict[str, Any]]:
    """Each with its kind in both languages, and its text."""
    kinds = [KINDS[text.partition(",")[0]] for text in READY]
    return [
        {"text": text, "kind": kind.kind, "title": kind.title, "title_zh": kind.title_zh}
        for text, kind in zip(READY, kinds, strict=True)
    ]


def read(text: str) -> dict[str, Any]:
    """What a run is asked for a plan that was typed: YAML if it has a line ``format:``, else a fault a line; # begins a
    comment. FaultError for a fault that is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if any(line.startswith(YAML) for line in lines):
        plans.loads(text, "plan")
        return {"plan": text}
    Plan(tuple(map(plans.from_text, lines)))
    return {"faults": lines}
