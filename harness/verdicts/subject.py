"""What a verdict is on: a vector, a rule, a scenario, as reports tell of it."""

from __future__ import annotations

from dataclasses import dataclass

PROOFS = ("field", "text", "own")
"""What a subject shows a card against: what programs send, what the text says, our own layouts."""


@dataclass(frozen=True, slots=True)
class Subject:
    """``standard``: the item or clause that it stands for; ``source`` with its grade and sources, ``grade`` the
    report's word for it. ``origin``: the public program that a flow is of, by its id in the register of sources; empty
    where it is no flow. ``path``: the file that it stands in.
    """

    id: str
    title: str
    title_zh: str
    standard: str
    grade: str
    source: str
    path: str = ""
    proof: str = "text"
    origin: str = ""
