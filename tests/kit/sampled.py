"""Which of many like cases a run takes: all of them in `make deep`, some of them otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pytest

Case = TypeVar("Case")
DEEP = os.environ.get("SSCARD_FUZZ") == "deep"
WHOLE = "SSCARD_WHOLE_SUITE"
"""Set where all tests are run, by none's name: then like cases of dear tests are sampled."""
TESTS = Path(__file__).resolve().parents[1]
EVERY = {
    "unit/harness/learning": 4,
    "unit/emulator/own_personas": 3,
    "unit/house/test_extras.py": 3,
    "unit/harness/conformance": 2,
    "unit/harness/office/operations": 2,
    "unit/harness/studio": 2,
    "unit/harness/test_plugin.py": 2,
    "unit/harness/web": 2,
    "e2e/test_driver_server.py": 2,
    "e2e/test_monitor.py": 2,
}
"""Of which tests every so manyth case of a test is enough, by where they stand; `make deep` runs all."""
DEEP_ALONE = ("e2e/studio/test_verdicts_view.py", "e2e/studio/test_office_view.py")
"""Long passes through a browser, whose parts have tests of their own: `make deep` runs them."""


def sampled(cases: Iterable[Case], every: int) -> list[Case]:
    """All cases where ``SSCARD_FUZZ`` is ``deep``, else every so manyth, from the first on."""
    return list(islice(cases, 0, None, 1 if DEEP else every))


def spared(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Those of the whole suite that are left to `make deep`: cases like others, of tests in ``EVERY``."""
    if DEEP or WHOLE not in os.environ:
        return []
    every = {TESTS / name: count for name, count in EVERY.items()}
    alone = {TESTS / name for name in DEEP_ALONE}
    counted: dict[tuple[Path, str], int] = {}
    left = []
    for item in items:
        if item.path in alone:
            left.append(item)
            continue
        count = next((every[one] for one in (item.path, *item.path.parents) if one in every), 1)
        test, case, _rest = item.nodeid.partition("[")
        if count > 1 and case:
            number = counted[item.path, test] = counted.get((item.path, test), -1) + 1
            if number % count:
                left.append(item)
    return left
