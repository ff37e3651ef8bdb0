"""The examples are somebody else's programs: nothing of ours is in them but the published test keys."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from emulator import catalogue
from emulator.crypto.keys import test_root as published_root

EXAMPLES = Path(__file__).parents[3] / "examples"
TERMINALS = EXAMPLES / "terminals"
PROGRAMS = sorted(EXAMPLES.glob("*/*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_an_example_imports_nothing_of_ours(program: Path) -> None:
    names = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(program.read_text("utf-8")))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not names & {"emulator", "harness", "sscard", "tests"}


def test_their_keys_are_the_published_ones() -> None:
    roots = tomllib.loads((TERMINALS / "test-keys.toml").read_text("utf-8"))["roots"]
    assert roots == {name: published_root(name).hex().upper() for name in roots}


def test_their_keys_stand_where_the_cards_layouts_have_them() -> None:
    table = (TERMINALS / "cardkeys.py").read_text("utf-8")
    rows = re.findall(r'"(\w+)": Key\(0x(..), (\d), 0x(..), 0x(..)\)', table)
    assert len(rows) == 8
    for name, identifier, levels, usage, psam in rows:
        spec = catalogue.layout("3.00").keys[name]
        assert spec.psam
        assert (int(identifier, 16), int(levels)) == (spec.id, spec.levels)
        assert (int(usage, 16), int(psam, 16)) == (spec.psam.usage, spec.psam.id), name


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_every_mistake_is_in_the_readme(page: str) -> None:
    source = (TERMINALS / "transfer_bad.py").read_text("utf-8")
    mistakes = re.findall(r'^    "([a-z0-9-]+)": \w+,$', source, re.MULTILINE)
    told = re.findall(r"^\| `([a-z0-9-]+)` \|", (EXAMPLES / page).read_text("utf-8"), re.MULTILINE)
    assert mistakes
    assert told == mistakes
