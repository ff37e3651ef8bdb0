"""The wheel in environments that have nothing of this tree, on every Python that setup.sh found; and what make release
makes. The sources that ship build the same wheel (tests/e2e/test_wheel.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHONS = sorted((ROOT / "build" / "pythons").glob("python3.*/bin/python"))
"""An environment each, with all that the wheel needs and without the wheel: made by scripts/setup.sh deep."""
THEIRS = """
import sscard

def test_a_card_of_theirs(card, terminal):
    assert terminal.read("SSSE/EF06/09") == "测试甲"
    assert sscard.__version__

def test_in_a_reader(private_reader):
    assert private_reader.environment["PCSCLITE_CSOCK_NAME"]
"""
WHOLE = """
import importlib, json, pkgutil, sys
from importlib import metadata, resources
import sscard
assert sscard.__file__.startswith(sys.prefix), sscard.__file__
named = [one.name for one in pkgutil.walk_packages(sscard.__path__, "sscard.")]
for name in named:
    if name.rpartition(".")[2] not in ("__main__",) and "migrations" not in name:
        importlib.import_module(name)
there = resources.files("sscard")
for file in ["py.typed", "harness/studio/static/index.html", "harness/driver/native", "harness/trace/schema-3.json",
             "harness/vectors/reset.yaml", "emulator/locale/zh_CN/LC_MESSAGES/sscard.mo"]:
    assert there.joinpath(*file.split("/")).is_file() or there.joinpath(*file.split("/")).is_dir(), file
print(len(named))
"""


@dataclass
class Installed:
    """An environment with the wheel."""

    folder: Path
    work: Path

    def run(self, *words: str, expect: int = 0, **more: str) -> str:
        """What a program of the environment prints on both streams; it must end with ``expect``."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        state = {"SSCARD_STATE": str(self.work / "state"), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [self.folder / "bin" / words[0], *words[1:]],
            cwd=self.work, env=kept | state | more, text=True, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda path: path.parents[1].name)
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    folder = request.param.parents[1]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    before = files(folder)
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--force-reinstall", "--no-deps", str(wheel)], check=True)
    yield Installed(folder, tmp_path_factory.mktemp(folder.name))
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "sscard"], check=True)
    assert files(folder) == before, "what was uninstalled leaves nothing"


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_there_are_environments() -> None:
    assert PYTHONS, "scripts/setup.sh deep makes them"


def test_nothing_that_it_needs_is_missing(installed: Installed) -> None:
    assert "No broken requirements" in installed.run("python", "-m", "pip", "check")
    assert int(installed.run("python", "-I", "-c", WHOLE)) > 300


def test_a_card_goes_into_a_reader_and_a_terminal_works_on_it(installed: Installed) -> None:
    said = installed.run("sscard", "run", "--private", "--demo", "--once")
    assert "The session worked" in said
    assert "Virtual PCD" in said


def test_the_commands_work(installed: Installed) -> None:
    assert "测试甲" in installed.run("sscard", "show", "--show-secrets")
    assert "usage" in installed.run("sscard", "nothing", expect=2).lower()
    assert "passed" in installed.run("sscard", "vectors", "run", "--no-pdf", "--report", "report")
    report = json.loads((installed.work / "report" / "report.json").read_text(encoding="utf-8"))
    assert not report.get("failed")
    installed.run("sscard", "driver", "build", "-o", "library")
    assert {path.name for path in (installed.work / "library").iterdir()} >= {"libSSCardDriver.so", "SSCardDriver.h"}
    installed.run("sscard", "office", "init")
    assert json.loads(installed.run("sscard", "scenarios", "list", "--json"))
    assert "用法" in installed.run("sscard", "--lang", "zh", "--help")


def test_the_plugin_serves_a_project_of_somebody_elses(installed: Installed) -> None:
    project = installed.work / "project"
    project.mkdir()
    (project / "test_theirs.py").write_text(THEIRS, encoding="utf-8")
    said = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project))
    assert "2 passed" in said
