"""What the READMEs say is tried: the example, the personas, the commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator import personas
from harness.cli import main

ROOT = Path(__file__).parents[2]


def test_the_example_works() -> None:
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    exec(found.group(1), {})


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_personas_commands_and_links(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert all(f"`{persona}`" in text for persona in (*personas.names(), *personas.names("psam")))
    assert all(command in text for command in main.commands)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / link).exists(), link
