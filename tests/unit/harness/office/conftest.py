from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kit import offices
from tests.kit.postgres import Cluster, cluster, database, either

__all__ = ["cluster", "database", "either"]


@pytest.fixture(autouse=True)
def _all_on_a_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With SSCARD_TEST_REGISTER=server, as make deep has it, every office of a test has its register on a server."""
    if os.environ.get("SSCARD_TEST_REGISTER") != "server":
        yield
        return
    server: Cluster = request.getfixturevalue("cluster")
    monkeypatch.setattr(offices, "server", server)
    yield
    server.forget()
