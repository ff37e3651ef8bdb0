"""C# under mono: WinSCard's functions by P/Invoke. The driver library: test_examples.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deep.foreign.clients import SOURCES, holds, said
from tests.deep.foreign.conftest import Reader


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("talk") / "Talk.exe"
    said("mcs", f"-out:{program}", SOURCES / "Talk.cs")
    return program


def test_winscard(talk: Path, either: Reader) -> None:
    holds(either.talk, said("mono", talk, either.name, *(one.command for one in either.talk)))
