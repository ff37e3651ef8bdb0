"""One fact: what is said of real cards, where, how sure it is, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.sources import Citation


@dataclass(frozen=True, slots=True)
class Fact:
    """``kind``: layout, instruction, rule, vector, office or code. ``where`` it stands, as people look it up."""

    kind: str
    where: str
    statement: str
    grade: str
    citations: tuple[Citation, ...]
