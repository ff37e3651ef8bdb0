from __future__ import annotations

import pytest

from emulator.reader import slot


@pytest.fixture(params=["woken", "looking"])
def hanging_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on POSIX, where ending to receive wakes who waits for bytes, and as on Windows."""
    if request.param == "looking":
        monkeypatch.setattr(slot, "SHUTDOWN_WAKES", False)
    elif not slot.SHUTDOWN_WAKES:
        pytest.skip("nothing wakes it here")
