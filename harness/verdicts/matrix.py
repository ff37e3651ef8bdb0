"""A row of a report's matrix: which vectors or scenarios stand for an item of a standard."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the standard. ``cells``: ids of vectors, by profile. ``proof``: the same vectors by what they show a
    card against. ``gap``: why there may be none. ``label``: what stands for the part of the standard where the item is
    none of LD/T 6001's.
    """

    id: str
    part: int
    title: str
    title_zh: str
    gap: str
    cells: dict[str, tuple[str, ...]]
    label: str = ""
    gap_zh: str = ""
    proof: dict[str, tuple[str, ...]] = field(default_factory=dict)
