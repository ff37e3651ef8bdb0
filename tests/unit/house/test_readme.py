"""What the READMEs say is tried: the example, the personas, the commands."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from emulator import catalogue
from emulator.filesystem.layouts.terms import CardKind
from harness.cli import main

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_example_works_and_is_four_lines(name: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in example.splitlines() if line]) == 4
    exec(example, {})


@pytest.mark.parametrize("name", ["layouts.md", "layouts.zh-CN.md"])
def test_the_example_layout_is_good_and_does_what_it_says(name: str, tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "own.toml").write_text(found.group(1), encoding="utf-8")
    own = catalogue.layout(tmp_path / "own.toml")
    item = own.files["SSSE/EF06"].item(0x09)
    assert item is not None
    assert (own.pin.tries, str(own.files["SSSE/EF06"].read), item.length) == (6, "free", 50)
    assert [str(own.keys[name].psam) for name in ("UKSSSE", "RKSSSE")] == ["28/12", "67/0A"]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_personas_commands_and_links(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert all(f"`{persona}`" in text for persona in (*catalogue.personas(), *catalogue.personas(CardKind.PSAM)))
    assert all(command in text for command in main.list_commands(click.Context(main)))
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = link.partition("#")
        there = ROOT / file
        assert there.exists(), link
        assert not anchor or f"## {anchor.replace('-', ' ')}\n" in there.read_text(encoding="utf-8").lower(), link
