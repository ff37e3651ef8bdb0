"""A whole session as one JSON text that does not repeat itself: what rows share stands once, and rows name it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.studio.session.rows import Row, Said, Stood, shared

OWN = ("n", "line", "t", "command", "plain", "answer", "latency", "findings")
"""What a row has for itself, in this order, behind the numbers of what it says and of how its card stood. Its time is
``began`` and ``t``.
"""


def packed(rows: Iterable[Row]) -> dict[str, Any]:
    """``said`` and ``stood``: what rows share; ``rows``: lists of two numbers and the values of ``OWN``, the last empty
    ones left out; ``began``: the time of the first row by the wall clock, empty where the trace has none.
    """
    saids: dict[Said, int] = {}
    states: dict[Stood, int] = {}
    lists: list[list[Any]] = []
    began = ""
    for row in rows:
        began = began or row.time
        own = row.own()
        one = [
            saids.setdefault(row.said, len(saids)),
            states.setdefault(row.stood, len(states)),
            *(own.get(name, 0) for name in OWN),
        ]
        while one[-1] == 0:
            one.pop()
        lists.append(one)
    return {
        "began": began,
        "own": OWN,
        "said": [shared(one) for one in saids],
        "stood": [shared(one) for one in states],
        "rows": lists,
    }


def as_text(value: Any) -> str:
    """JSON that may stand in an HTML page's script: no character in it ends the script or begins a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
