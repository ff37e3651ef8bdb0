"""Where a user's roots come from, and that a file with a fault is not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.crypto.keys import test_root as root_of
from harness.terminal import roots
from harness.terminal.roots import RootsError


def test_the_published_ones_and_none() -> None:
    assert roots.load("test")("UKSSSE", 2) == root_of("UKSSSE", 2)
    with pytest.raises(LookupError, match="UKSSSE"):
        roots.load(None)("UKSSSE", 1)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[roots]\nUKSSSE = "{"11" * 16}"\n"UKSSSE 2" = "{"22" * 16}"\n', encoding="utf-8")
    root = roots.load(str(path))
    assert root("UKSSSE", 1) == b"\x11" * 16
    assert root("UKSSSE", 2) == b"\x22" * 16
    with pytest.raises(LookupError, match="PUK"):
        root("PUK", 1)


@pytest.mark.parametrize(
    "text",
    ['[roots]\nUKSSSE = "ABCDEF"\n', "ABCDEF", '[roots]\nUKSSSE = "ABCDEFXY"\n', "[roots]\nUKSSSE = 3\n"],
    ids=["short", "no TOML", "no hex", "no text"],
)
def test_files_with_a_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RootsError, match=r"keys\.toml") as error:
        roots.load(str(path))
    assert "ABCDEF" not in str(error.value)
