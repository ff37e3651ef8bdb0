"""Version, changelog, classifiers and docs/versions.md say the same; what make release asks of them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import emulator.filesystem.memory.image as images
from emulator import catalogue
from emulator.version import VERSION
from harness.trace import read, record
from scripts import release
from scripts.locked import PROJECT

ROOT = Path(__file__).parents[3]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
PAGES = [ROOT / "docs" / name for name in ("versions.md", "versions.zh-CN.md")]


def row(page: Path, subject: str) -> list[str]:
    """The cells beside one that begins so, in the table of files."""
    (found,) = re.findall(rf"^\| {subject}[^|]*\|([^|]*)\|([^|]*)\|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return list(found)


def test_the_changelog_begins_with_this_version_and_the_classifier_fits() -> None:
    assert [one for one in release.heading(CHANGELOG, VERSION) if "begins with" in one] == []
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert "Development Status :: 5 - Production/Stable" in PROJECT["classifiers"]


def test_there_is_an_image_of_every_release() -> None:
    releases = set(re.findall(r"^## (\S+) \(", CHANGELOG, re.MULTILINE)) | {"0.2.0"}
    written = {path.name.partition("-")[0] for path in (ROOT / "tests" / "data" / "images").iterdir()}
    assert releases == written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_says_which_files_are_read_and_written(page: Path) -> None:
    chinese = "zh" in page.name
    image, layouts, trace = ("卡的映像", "随附", "跟踪") if chinese else ("card image", "layouts", "trace")
    assert [re.findall(r"`version` (\d+)", cell) for cell in row(page, image)] == [[str(images.VERSION)]] * 2
    assert set(re.findall(r"`([^`]+)`", row(page, layouts)[0])) == set(catalogue.layouts())
    assert [[int(one) for one in re.findall(r"\d+", cell)] for cell in row(page, trace)] == [
        list(read.VERSIONS),
        [record.VERSION],
    ]


@pytest.mark.parametrize("schema", read.VERSIONS[:-1])
def test_a_trace_of_every_earlier_schema_is_read(schema: int) -> None:
    file = ROOT / "tests" / "data" / "traces" / f"schema-{schema}.jsonl"
    assert f'"v": {schema}' in file.read_text(encoding="utf-8")
    assert list(read.events(file))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("# Changelog\n\n## 1.2.0 (2026-01-31)\n\n- x\n", ""),
        ("## 1.2.0 (unreleased)\n", "write the day"),
        ("## 1.1.0 (2026-01-31)\n\n## 1.2.0 (2025-01-31)\n", "begins with 1.1.0"),
        ("nothing\n", "begins with no version"),
    ],
)
def test_a_release_wants_its_day_in_the_changelog(text: str, wrong: str) -> None:
    said = list(release.heading(text, "1.2.0"))
    assert len(said) == bool(wrong)
    assert wrong in "".join(said)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A commit of a version that may be released, and the script working on it."""
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator" / "version.py").write_text('VERSION = "1.2.0"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("## 1.2.0 (2026-01-31)\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(release, "STAMP", tmp_path / "build" / "tested")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "nobody@example.org")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a version"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.usefixtures("repository")
def test_a_tested_commit_may_be_released() -> None:
    assert [one.partition(":")[0] for one in release.obstacles()] == ["make test has not passed on this tree"]
    release.tested()
    assert list(release.obstacles()) == []


def test_another_tree_than_the_tested_one_may_not(repository: Path) -> None:
    release.tested()
    (repository / "new.py").write_text("", encoding="utf-8")
    assert [one.partition(":")[0] for one in release.obstacles()] == ["the tree is not what is committed"]
    release.tested()
    for words in (["add", "."], ["commit", "-qm", "more"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    assert "make test has not passed" in next(release.obstacles())


def test_a_version_is_released_once(repository: Path) -> None:
    release.tested()
    subprocess.run(["git", "tag", "v1.2.0"], cwd=repository, check=True)
    assert list(release.obstacles()) == []
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "later"], cwd=repository, check=True)
    assert [one.partition(" names")[0] for one in release.obstacles()] == ["the tag v1.2.0"]


def test_packages_that_differ_from_place_to_place_are_no_release(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (repository / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "moody"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\nbypass-selection = true\n'
        '[tool.hatch.build.targets.wheel.hooks.custom]\npath = "hook.py"\n',
        encoding="utf-8",
    )  # fmt: skip
    hook = (
        "import os\nfrom hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, data):\n"
        "        with open(os.path.join(self.root, 'zone'), 'w') as file:\n            file.write(os.environ['TZ'])\n"
        "        data['force_include'][os.path.join(self.root, 'zone')] = 'zone'\n"
    )
    (repository / "hook.py").write_text(hook, encoding="utf-8")
    for words in (["add", "."], ["commit", "-qm", "a package"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    with pytest.raises(release.NotReleased, match=r"not the same when built twice: moody-1-\S+\.whl$"):
        release.build(tmp_path_factory.mktemp("out"))
