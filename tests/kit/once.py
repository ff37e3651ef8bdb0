"""Proof that a card behind a bad network did each command once and answered it to the one who sent it.

Each command of a pair carries its number or asks for 8 bytes of chance, so that no two answers are alike: what the
program at the reader heard is held against the card's own trace.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.far_client import GONE

CHALLENGE = "0084000008"
FIRST = 0x7001
"""Of the file ids that are selected, which no card has."""


@dataclass
class Pairs:
    """What was sent through a reader, and what was heard."""

    send: Callable[[str], str]
    heard: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By number: the answer to the numbered command, and the challenge that came after it."""

    def ask(self) -> bool:
        """One pair; false where the card left at it."""
        number = FIRST + len(self.heard)
        numbered = self.send(f"00A4000002{number:04X}")
        chance = self.send(CHALLENGE) if numbered != GONE else GONE
        self.heard[number] = numbered, chance
        return GONE not in (numbered, chance)

    torn: int = 0
    """Answers of which only the beginning was heard: vpcd hands on what had come of one when its connection ends."""

    @property
    def gone(self) -> int:
        """How many pairs the card left at."""
        return sum(GONE in one for one in self.heard.values())

    def check(self, trace: Path) -> None:
        """Holds all that was heard against the card's trace."""
        done: dict[int, list[str]] = {}
        number = 0
        for event in map(json.loads, trace.read_text(encoding="utf-8").splitlines()):
            if event["event"] == "reset":
                number = 0  # what follows belongs to no pair
            elif event["event"] == "apdu" and event["command"].startswith("00A4000002"):
                number = int(event["command"][10:], 16)
                assert number not in done, f"command {number:04X} was carried out twice"
                done[number] = [event["answer"]]
            elif event["event"] == "apdu" and event["command"] == CHALLENGE and number:
                done[number].append(event["answer"])
        assert all(len(one) <= 2 for one in done.values()), "a challenge was given twice"
        for number, told in self.heard.items():
            answers = [*done.get(number, []), "", ""]
            for heard, said in zip(told, answers, strict=False):
                assert heard == GONE or (heard and said.startswith(heard)), (
                    f"{number:04X}: {told} was heard of {answers}"
                )
                self.torn += heard not in (GONE, said)
        assert {one for one in done if one >= FIRST} <= set(self.heard), "commands that nobody sent"
