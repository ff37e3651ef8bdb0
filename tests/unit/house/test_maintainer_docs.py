"""What is written for maintainers holds: links lead somewhere, files named are there, both languages are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md"), *ROOT.glob("vectors/*.md"))
)
IN_BOTH = ("CONTRIBUTING", "README", "docs/architecture", "docs/guesses", "docs/index", "docs/recipes")
OF_THE_HOUSE = re.compile(r"`((?:emulator|harness|sscard|tests|docs|scripts|vectors)/[\w./-]*)`")


def anchors(path: Path) -> set[str]:
    """Headings as links name them: lower case, no punctuation, hyphens for blanks."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", [one for one in PAGES if one != "CHANGELOG.md"])
def test_files_that_are_named_are_there(page: str) -> None:
    """Recipes name files that their reader is to make: those stand in blocks, not in running text."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(OF_THE_HOUSE.findall(text)) - {"sscard/driver.sock"}  # a socket, in the user's own folder
    missing = {one for one in named if not (ROOT / one).exists() and not (ROOT / f"{one}.py").exists()}
    assert not missing


@pytest.mark.parametrize("name", IN_BOTH)
def test_pages_for_everybody_are_in_both_languages(name: str) -> None:
    assert (ROOT / f"{name}.md").exists()
    assert (ROOT / f"{name}.zh-CN.md").exists()


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_every_page_is_in_the_index_of_its_language() -> None:
    for path in (ROOT / "docs").glob("*.md"):
        index = "index.zh-CN.md" if path.name.endswith(".zh-CN.md") else "index.md"
        if path.name != index:
            assert path.name in (ROOT / "docs" / index).read_text(encoding="utf-8"), path.name
