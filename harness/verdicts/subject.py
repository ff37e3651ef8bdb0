"""What a verdict is on: a vector, a rule, a scenario, as reports tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """What a subject shows a card against: what programs send, what the text says, our own layouts."""

    FIELD = "field"
    TEXT = "text"
    OWN = "own"


PROOF_WORDS = {
    Proof.FIELD: ("what public programs send", "公开程序的实际命令"),
    Proof.TEXT: ("the text of the standards", "标准文本"),
    Proof.OWN: ("our own layouts and decisions", "本项目的布局与决定"),
}
"""What that is, in words: English and Chinese."""


class Grade(StrEnum):
    """A report's word for what a subject rests on: the text, what we infer from it, nothing but our own decision."""

    NORMATIVE = "normative"
    INFERRED = "inferred"
    OWN = "own"


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
    grade: Grade
    source: str
    path: str = ""
    proof: Proof = Proof.TEXT
    origin: str = ""
