"""A session on a time line: rows one by one where there are few, else how many fall into each part of the time.

``static/views/session/rows.js`` says the same of a session that is all in the browser; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.studio.session.filters import Filter
from harness.studio.session.rows import Level, Row
from harness.studio.session.store import Session

SINGLE = 400
"""Rows that are told one by one; more are counted. [D]"""
WORST = (Level.PLAIN, Level.GOOD, Level.SILENT, Level.WARNING, Level.REFUSED)
"""The level of a part of the time is the last of these that is in it."""
_RANK = {level: rank for rank, level in enumerate(WORST)}
Seen = Sequence[tuple[int, Row]]


def timeline(session: Session, asked: Filter, start: float | None, end: float | None, parts: int) -> dict[str, Any]:
    """For JSON: the whole time (``first``, ``last``), the part that is seen (``start``, ``end``), in seconds since the
    session's first event, and either ``rows`` or ``bins``, each of its lane.
    """
    rows = session.meant(asked)
    times = [row.t for __, row in rows]
    first, last = min(times, default=0.0), max(times, default=0.0)
    begin, stop = first if start is None else start, last if end is None else end
    seen = [rows[at] for at, t in enumerate(times) if begin <= t <= stop]
    told: dict[str, Any] = {"first": first, "last": last, "start": begin, "end": stop, "count": len(seen)}
    if len(seen) <= SINGLE:
        return told | {"rows": [_single(position, row) for position, row in seen]}
    return told | {"parts": parts, "bins": _bins(seen, begin, max(stop - begin, 1e-9) / parts, parts)}


def _bins(seen: Seen, begin: float, width: float, parts: int) -> list[dict[str, Any]]:
    found: dict[tuple[str, int], list[int]] = {}
    for position, row in seen:
        key = row.said.lane, min(int((row.t - begin) / width), parts - 1)
        one = found.get(key)
        if one is None:
            one = found[key] = [position, 0, 0, 0]
        one[1] += 1
        one[2] += len(row.findings)
        one[3] = max(one[3], _RANK[row.said.level])
    return [
        {"lane": lane, "at": at, "position": position, "count": count, "findings": findings, "level": WORST[rank]}
        for (lane, at), (position, count, findings, rank) in sorted(found.items())
    ]


def _single(position: int, row: Row) -> dict[str, Any]:
    said = row.said
    return {
        "position": position,
        "n": row.number,
        "t": row.t,
        "latency": row.latency or 0.0,
        "lane": said.lane,
        "slot": said.slot,
        "kind": said.kind,
        "level": said.level,
        "name": said.instruction or said.kind,
        "sw": said.sw,
        "findings": len(row.findings),
    }
