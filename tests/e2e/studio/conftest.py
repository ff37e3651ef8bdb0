from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.kit import browsers
from tests.kit.postgres import cluster, wherever_said

__all__ = ["cluster", "wherever_said"]


@pytest.fixture  # one a test: Playwright's event loop would be in the way of other tests of this process
def browser() -> Iterator[Browser]:
    with browsers.chromium() as one:
        yield one
