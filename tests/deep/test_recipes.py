"""docs/recipes.md, followed word for word on a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "recipes.md"
FILES = ("pyproject.toml", "README.md", "README.zh-CN.md")
COPIED = ("emulator", "harness", "sscard", "vectors", "tests", "docs", "scripts", *FILES)
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
EDIT = re.compile(r"# (new|after|instead) ([\w./-]+)(?:: (.*))?\n")


def recipes(page: Path) -> dict[str, str]:
    """The text of each recipe, by its heading."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str) -> list[tuple[str, str]]:
    return [(kind, textwrap.dedent(body)) for _, kind, body in FENCE.findall(text)]


def edit(home: Path, body: str) -> None:
    """Does what a block's first line says: a new file, or lines after or instead of one that stands there once."""
    found = EDIT.match(body)
    assert found, f"a block says where it goes: {body.splitlines()[0]}"
    what, name, line = found.groups()
    path, rest = home / name, body[found.end() :]
    if what == "new":
        assert not path.exists(), name
        path.write_text(rest, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8")
    assert before.count(f"{line}\n") == 1, f"{name} has this line once: {line}"
    path.write_text(before.replace(f"{line}\n", (f"{line}\n" if what == "after" else "") + rest), encoding="utf-8")


def run(home: Path, command: str, expected: list[str]) -> None:
    """A command of the page, with this Python, on the copy; what stands under it is in its output."""
    tools = {
        "sscard": "from harness.cli import main; main()",
        "pytest": "import pytest; raise SystemExit(pytest.main())",
    }
    name, _, rest = command.partition(" ")
    start = (
        f'"{sys.executable}" -c "{tools[name]}" {rest}'
        if name in tools
        else command.replace("python", sys.executable, 1)
    )
    done = subprocess.run(
        ["bash", "-c", start], cwd=home, env={**os.environ, "PYTHONPATH": str(home)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    for line in expected:
        assert line in done.stdout + done.stderr, f"{command}: {line!r} is not in\n{done.stdout}"


@pytest.mark.parametrize("name", recipes(PAGE))
def test_a_recipe_is_followed(name: str, tmp_path: Path) -> None:
    home = tmp_path / "project"
    for one in COPIED:
        copy = shutil.copytree if (ROOT / one).is_dir() else shutil.copy
        home.mkdir(exist_ok=True)
        copy(ROOT / one, home / one)
    done = blocks(recipes(PAGE)[name])
    assert done
    for kind, body in done:
        if kind == "console":
            for part in body.split("$ ")[1:]:
                command, *expected = part.strip().splitlines()
                run(home, command, expected)
        else:
            edit(home, body)


def test_both_languages_have_the_same_steps() -> None:
    both = [list(map(blocks, recipes(page).values())) for page in (PAGE, PAGE.with_name("recipes.zh-CN.md"))]
    assert both[0] == both[1]
