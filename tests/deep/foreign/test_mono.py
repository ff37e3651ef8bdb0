"""C# under mono: WinSCard's functions, and the driver library, both by P/Invoke."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import native
from tests.deep.foreign.clients import SOURCES, card_basics, holds, said
from tests.deep.foreign.conftest import Reader


def compiled(folder: Path, name: str) -> Path:
    said("mcs", f"-out:{folder / name}.exe", SOURCES / f"{name}.cs")
    return folder / f"{name}.exe"


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("talk"), "Talk")


def test_winscard(talk: Path, either: Reader) -> None:
    holds(either.talk, said("mono", talk, either.name, *(one.command for one in either.talk)))


def test_the_driver_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = native.built(tmp_path / "build")
    program = compiled(tmp_path, "ReadCard")
    with native.serving(*native.CARD, "--socket", f"{tmp_path}/s") as (_, (place,)):
        monkeypatch.setenv("SSCARD_DRIVER", place)
        card_basics(said("mono", program, environment={"LD_LIBRARY_PATH": str(built)}))
