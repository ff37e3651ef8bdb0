"""The shell's commands in docs/office*.md, in their order, as a reader types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.office.people import made_up
from tests.kit.served import DEADLINE, SSCARD, serving

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("office.md", "office.zh-CN.md")
MORNING = ("--now", "2025-03-03T09:00")
"""When the page's morning at the counter is."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def commands(block: str) -> list[str]:
    """A block's commands, without what is said of them; a line that ends with a backslash goes on."""
    lines = (re.sub(r"\s+#\s.*$", "", line) for line in re.sub(r" \\\n\s*", " ", block).splitlines())
    return [line for line in lines if line]


def test_both_languages_say_the_same_commands() -> None:
    english, chinese = ([commands(block) for block in blocks(page, "sh")] for page in PAGES)
    assert english == chinese
    ours = [[line for line in block.splitlines() if line.startswith("$")] for block in blocks(PAGES[0], "console")]
    assert ours == [
        [line for line in block.splitlines() if line.startswith("$")] for block in blocks(PAGES[1], "console")
    ]


def shell(line: str, folder: Path, **environment: str) -> str:
    """One command in a reader's shell; its output."""
    path = f"{Path(SSCARD).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True,
        timeout=4 * DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def service(line: str, folder: Path) -> Iterator[None]:
    """A command that serves until it is ended, once it listens."""
    program, *arguments = line.split()
    assert program == "sscard"
    with subprocess.Popen(
        [SSCARD, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            told = process.stdout.readline()
            assert told.startswith("listening http://127.0.0.1:8645"), told
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)


@pytest.fixture
def morning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the page's morning begins it: an office, its first card, and that card's move."""
    folder = tmp_path
    monkeypatch.chdir(folder)
    page = (DOCS / PAGES[0]).read_text(encoding="utf-8")
    for name, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.DOTALL):
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "face.jpg").write_bytes(made_up.PHOTO)
    (console,) = blocks(PAGES[0], "console")
    for line in re.findall(r"^\$ sscard office (.*)$", console, re.MULTILINE)[:3]:
        done = CliRunner().invoke(main, ["office", *MORNING, *line.split()])
        assert done.exit_code == 0, done.output
    return folder


def test_the_service_and_what_is_asked_of_it(morning: Path) -> None:
    (giving, serve), asking = (commands(block) for block in blocks(PAGES[0], "sh")[1:3])
    assert serve.startswith("sscard office serve")
    token = shell(giving, morning).strip()
    with service(serve, morning):
        answers = [json.loads(shell(f"{line} --silent --fail-with-body", morning, TOKEN=token)) for line in asking]
    assert [(one["operation"], one["card"]) for one in answers] == [("query", "A00000011"), ("transfer", "A00000011")]


@pytest.mark.pcsc
def test_a_card_in_a_reader_instead_of_the_drawer(tmp_path: Path) -> None:
    """With `sscard run --persona blank` in another terminal, as the page says."""
    page = (DOCS / PAGES[0]).read_text(encoding="utf-8")
    assert "`sscard run --persona blank` in one terminal" in page
    shell("sscard office init", tmp_path)
    with serving("--persona", "blank"):
        issued, moved = (shell(line, tmp_path) for line in commands(blocks(PAGES[0], "sh")[0]))
    assert re.search(r"card: A\d{7}[0-9X]", issued)
    assert "参保地转移 transfer of the insurance region: 办理完成 done" in moved
