"""Which of many like cases a run takes: all of them in `make deep`, some of them otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

Case = TypeVar("Case")
DEEP = os.environ.get("SSCARD_FUZZ") == "deep"


def sampled(cases: Iterable[Case], every: int) -> list[Case]:
    """All cases where ``SSCARD_FUZZ`` is ``deep``, else every so manyth, from the first on."""
    return list(islice(cases, 0, None, 1 if DEEP else every))
