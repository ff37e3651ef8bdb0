"""The examples of docs/driver-library.md run, and what it says of the code is so."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from emulator import catalogue
from harness.driver import endpoint
from harness.driver.interface import FUNCTIONS
from harness.web.app import RATE
from tests import native
from tests.kit.served import DEADLINE, SSCARD

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("driver-library.md", "driver-library.zh-CN.md")
NAME, NUMBER = "测试甲", "A00000011"


def example(page: str, language: str, beginning: str = "") -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    text: str = next(block for block in blocks if beginning in block)
    return text


@pytest.fixture(params=PAGES)
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with build/ in it, and the environment that the page says, of which the library starts its server."""
    (tmp_path / "page").write_text(request.param)
    native.built(tmp_path / "build")
    said = dict(re.findall(r'^export (\w+)="(.*)"$', example(request.param, "sh", "export"), re.MULTILINE))
    assert said["SSCARD_DRIVER_COMMAND"].endswith(".venv/bin/sscard")
    monkeypatch.setenv("SSCARD_DRIVER_COMMAND", SSCARD)
    monkeypatch.setenv("SSCARD_DRIVER_ARGS", said["SSCARD_DRIVER_ARGS"])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield tmp_path
    native.end(native.server_of(endpoint.default()))


def ran(folder: Path, *command: str) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_c_example(folder: Path) -> None:
    page = (folder / "page").read_text()
    (folder / "read.c").write_text(example(page, "c"), encoding="utf-8")
    found = re.search(r"`(gcc [^`]+)`", (DOCS / page).read_text(encoding="utf-8"))
    assert found
    ran(folder, "sh", "-c", found[1])
    code, _, out = ran(folder, "./read").decode("gbk").partition(" ")
    assert (code, out.split("|")[4]) == ("0", NAME)


def test_the_python_example(folder: Path) -> None:
    (folder / "read.py").write_text(example((folder / "page").read_text(), "python"), encoding="utf-8")
    assert ran(folder, sys.executable, "read.py").decode() == f"0 {NAME} {NUMBER}\n"


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_the_web_section(page: str, tmp_path: Path) -> None:
    command = example(page, "sh", "--web").split()
    assert command[:3] == ["sscard", "driver", "serve"]
    body = re.search(r"-d '(.*)'", example(page, "sh", "curl"))
    assert body
    with native.serving(*command[3:], "--socket", f"{tmp_path}/s") as (_, (url, _)):
        assert url == "http://127.0.0.1:35992"
        told = httpx2.post(f"{url}/call", content=body[1], timeout=DEADLINE).json()
    assert told["success"] == "-35", "the PIN is right, but the initial one"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_said_of_the_code(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    sources = "".join(one.read_text(encoding="utf-8") for one in native.SOURCES.glob("*.[ch]"))
    variables = {*re.findall(r'"(SSCARD_DRIVER\w*)"', sources), "SSCARD_DRIVER_PAD"}
    assert set(re.findall(r"^\| `(SSCARD\w+)` \|", text, re.MULTILINE)) == variables
    assert str(len(FUNCTIONS)) in text
    assert f"{int(RATE.partition('/')[0]):,}" in text
    assert str(endpoint.PORT) in text
    assert all(name in catalogue.personas() for name in re.findall(r"--persona ([\w-]+)", text))
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (DOCS / link.partition("#")[0]).exists(), link
