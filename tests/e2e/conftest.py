from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import native
from tests.native import CARD, Library


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native.built(tmp_path_factory.mktemp("built"))


@pytest.fixture
def library(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """With a socket of its own where nobody listens yet, and nothing to start."""
    monkeypatch.setenv("SSCARD_DRIVER", f"unix:{tmp_path}/s")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", "/nowhere/sscard")
    loaded = Library(built, tmp_path)
    yield loaded
    loaded.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with native.serving(*CARD, "--socket", f"{tmp_path}/s") as (process, _):
        yield process
