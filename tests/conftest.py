from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.readers import pcsc
from tests import isolation
from tests.support import Card, new_card

_isolation = "not tried"
_runtime = tempfile.TemporaryDirectory(prefix="sscard-tests-")


def pytest_configure() -> None:
    global _isolation
    _isolation = isolation.enter()
    os.environ.pop(pcsc.SOCKET_VARIABLE, None)
    # What a killed program leaves behind goes when the tests end.
    os.environ["XDG_RUNTIME_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = _runtime.name


def pytest_unconfigure() -> None:
    _runtime.cleanup()


def pytest_report_header() -> str:
    return f"namespaces: {_isolation}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lacking = ", ".join(one.what for one in pcsc.missing())
    if lacking and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("pcsc"):
                item.add_marker(pytest.mark.skip(reason=f"not installed: {lacking}"))


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        assert children.read_text().split() == []
    assert not pcsc.DEFAULT_SOCKET.exists()


@pytest.fixture(params=["2.00-3des", "3.00-3des", "3.00-sm4"])
def card(request: pytest.FixtureRequest) -> Card:
    """The adult's card, powered, in every version and algorithm."""
    layout, _, algorithm = request.param.partition("-")
    return new_card(layout, algorithm)
