"""Where a user's roots come from, and that a file with a fault is not quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import catalogue
from emulator.crypto.keys import test_root as root_of
from harness.keys import roots
from harness.keys.roots import RootsError


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[root]\nUKSSSE = "{"11" * 16}"\n', "expected .roots. alone, found 'root'"),
        (f'[roots]\nUKSSSE = "{"11" * 16}"\n[root]\nPUK = "{"11" * 16}"\n', "found 'root'"),
        ("", "is empty"),
        ("# nothing", "no key stands"),
        ("[roots]\n", "no key stands"),
        (f'[roots]\n"UKSSSE v2" = "{"11" * 16}"\n', "found 'UKSSSE v2'"),
    ],
)
def test_a_typo_in_a_file_of_keys_is_no_file_without_keys(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RootsError, match=words):
        roots.load(str(path))


def test_all_faults_are_told_at_once_with_their_lines_and_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    key = "11" * 16
    path.write_text(
        f'[roots]\nUKSSE = "{key}"\nPUK = "{key}1"\n"RKSSSE 2" = 5\n"KTK 2" = "{key}"\nBK = "{"1G" * 16}"\n'
        f'[root]\nUKSSSE = "{key}"\n', encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(RootsError) as error:
        roots.load(str(path))
    told = str(error.value)
    for words in (
        "line 2: unknown key 'UKSSE'; did you mean \"UKSSSE\"?",
        "line 3: a root has 16 bytes, PUK has not: expected 32 hex digits, found 33",
        "line 4: 'RKSSSE 2': expected 32 hex digits in quotes",
        "line 5: KTK has 1 versions, not 2",
        "line 6: 'BK': expected hex digits alone",
        "line 7: expected [roots] alone, found 'root'; did you mean \"roots\"?",
    ):
        assert words in told
    assert key not in told


def test_a_key_that_stands_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[roots]\nUKSSSE = "{"11" * 16}"\nUKSSSE = "{"22" * 16}"\n', encoding="utf-8")
    with pytest.raises(RootsError, match="line 3: 'UKSSSE' stands twice, first in line 2"):
        roots.load(str(path))


def test_a_layout_of_ones_own_brings_its_keys(tmp_path: Path) -> None:
    layout = tmp_path / "own.toml"
    layout.write_text(
        'extends = "3.00"\nschema = 1\nname = "own"\n[key.UKOWN]\napplication = "DF01"\nid = "99"\n'
        'use = "external-authentication"\nlevels = 3\ntries = 3\nversions = 1\nname = "自有"\nname_en = "own"\n'
        'grade = "D"\n', encoding="utf-8",
    )  # fmt: skip
    path = tmp_path / "keys.toml"
    path.write_text(f'[roots]\nUKOWN = "{"11" * 16}"\n', encoding="utf-8")
    with pytest.raises(RootsError, match="unknown key 'UKOWN'"):
        roots.load(str(path))
    assert roots.load(str(path), catalogue.layout(str(layout)))("UKOWN", 1) == b"\x11" * 16


def test_a_key_in_the_place_of_a_name_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'{"ABCDEF12" * 4} = "UKSSSE"\n', encoding="utf-8")
    with pytest.raises(RootsError) as error:
        roots.load(str(path))
    assert "ABCDEF12" not in str(error.value)
