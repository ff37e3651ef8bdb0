"""The documentation's site before MkDocs has it: each language's tree, and where its links lead."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from scripts.site.build import LANGUAGES, ROOT, BrokenLink, Language, Stage, heading, joined, navigation, pages

ENGLISH, CHINESE = LANGUAGES
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: three pages, one of them in both languages, a file, and a folder of files."""
    for name, text in {
        "README.md": "# The card\n\n[中文](README.zh-CN.md) · [guide](docs/guide.md#one)\n",
        "README.zh-CN.md": "# 卡\n\n[English](README.md) · [指南](docs/guide.md)、[数据](data/a.toml)、[全部](data)\n",
        "docs/guide.md": "# Guide\n\n## One\n\n"
        "[home](../README.md) `[x](no.md)`, the [table] [D]\n\n```\n[y](no.md)\n```\n",
        "docs/more/README.md": "# More\n\n[guide](../guide.md), [out](https://example.com), [here](#more)\n",
        "data/a.toml": "a = 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_links_lead_to_the_page_of_the_same_language_wherever_it_stands_in_the_site(project: Path) -> None:
    stage = Stage(ENGLISH, project)
    assert sorted(stage.pages) == ["guide.md", "more/index.md", "overview.md"]
    assert stage.text("overview.md") == "# The card\n\n[guide](guide.md#one)\n"
    assert "[home](overview.md)" in stage.text("guide.md")
    assert "[guide](../guide.md), [out](https://example.com), [here](#more)" in stage.text("more/index.md")


def test_the_link_to_the_other_language_is_the_switch_of_the_site(project: Path) -> None:
    text = Stage(CHINESE, project).text("overview.md")
    assert "English" not in text
    assert "[指南](guide.md)" in text


def test_what_is_no_page_is_copied_and_a_folder_of_it_listed(project: Path) -> None:
    stage = Stage(CHINESE, project)
    assert "[数据](files/data/a.toml)、[全部](files/data/index.md)" in stage.text("overview.md")
    assert stage.listing("files/data/index.md") == "# `data`\n\n- [a.toml](a.toml)\n"
    assert stage.copies == {"files/data/a.toml": project / "data/a.toml"}


def test_what_stands_in_code_is_no_link(project: Path) -> None:
    text = Stage(ENGLISH, project).text("guide.md")
    assert "`[x](no.md)`, the [table] \\[D]" in text
    assert "\n[y](no.md)\n" in text


def test_chinese_that_goes_on_in_the_next_line_is_one_line_without_a_blank() -> None:
    lines = ["# 卡", "先读，", "  再用`sscard`", "写。**见**", "- 一", "  二", "| 三 |", "", "four", "five"]
    code = [("```", False), ("甲", False), ("", False), ("乙", False), ("```", False)]
    told = list(joined([*((line, True) for line in lines), *code]))
    assert [line for line, prose in told if prose] == [
        "# 卡", "先读，再用`sscard`写。**见**", "- 一二", "| 三 |", "", "four", "five",
    ]  # fmt: skip
    assert told[-5:] == code


def test_the_page_of_a_folder_that_is_no_section_is_an_entry_of_one(project: Path) -> None:
    (project / "examples").mkdir()
    (project / "examples" / "README.md").write_text("# Examples\n\n[card](../README.md)\n", encoding="utf-8")
    assert "[card](../overview.md)" in Stage(ENGLISH, project).text("examples/overview.md")


def test_a_page_without_chinese_says_so_among_the_chinese_ones(project: Path) -> None:
    assert Stage(CHINESE, project).text("guide.md").startswith("> 本页只有英文。")
    assert not Stage(ENGLISH, project).text("guide.md").startswith(">")


def test_a_heading_is_named_in_the_language_of_the_page_alone(project: Path) -> None:
    (project / "docs/guide.zh-CN.md").write_text("# 指南\n", encoding="utf-8")
    (project / "docs/more/README.md").write_text("# More\n\n[guide](../guide.md#one)\n", encoding="utf-8")
    assert "[guide](../guide.md#one)" in Stage(ENGLISH, project).text("more/index.md")
    assert "[guide](../guide.md)" in Stage(CHINESE, project).text("more/index.md")


@pytest.mark.parametrize("link", ["no.md", "../../elsewhere.md", "more/no.toml"])
def test_a_link_that_leads_nowhere_is_told_with_its_page(project: Path, link: str) -> None:
    (project / "docs/guide.md").write_text(f"[x]({link})\n", encoding="utf-8")
    with pytest.raises(BrokenLink, match=rf"docs/guide.md: {re.escape(link)} leads"):
        Stage(ENGLISH, project).text("guide.md")


def test_a_page_that_the_plan_has_not_is_found_all_the_same(project: Path) -> None:
    texts = {place: Stage(CHINESE, project).text(place) for place in pages(project)}
    plan = [{"titles": ["Begin", "开始"], "pages": {"overview.md": ["Home", "首页"]}}]
    assert navigation(texts, plan, CHINESE) == [
        {"开始": [{"首页": "overview.md"}]},
        {"其他": [{"Guide": "guide.md"}, {"More": "more/index.md"}]},
    ]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.folder)
def test_every_page_of_ours_can_be_staged(language: Language) -> None:
    stage = Stage(language)
    assert len(stage.pages) > 60
    for place in stage.pages:
        assert heading(stage.text(place)), place


def test_the_plan_of_the_site_names_pages_that_are_there() -> None:
    plan = yaml.safe_load((ROOT / "scripts/site/nav.yml").read_text(encoding="utf-8"))
    named = {place for section in plan for place in section.get("pages", {})}
    assert named - set(pages()) == {"api.md"}


def test_chinese_pages_link_to_chinese_ones() -> None:
    wrong = []
    for page in pages().values():
        own = CHINESE.source(page)
        if own == page:
            continue
        for link in LINK.findall(re.sub(r"```.*?```", "", own.read_text(encoding="utf-8"), flags=re.DOTALL)):
            there = Path(os.path.normpath(own.parent / link.partition("#")[0]))
            if there.suffix == ".md" and there != page and CHINESE.source(there) != there:
                wrong.append(f"{own.relative_to(ROOT)}: {link}")
    assert not wrong


def test_every_picture_is_small_and_shown_by_the_page_of_its_language() -> None:
    folder = ROOT / "docs/pictures"
    for page in pages().values():
        for language in LANGUAGES:
            for name in re.findall(
                r"!\[[^\]]+\]\(\S*pictures/([^)]+)\)", language.source(page).read_text(encoding="utf-8")
            ):
                assert (folder / name).exists(), f"{page}: {name}"
                assert name.endswith(f".{language.tag}.png") or language.source(page) == page
    shown = {path.stem.partition(".")[0] for path in folder.iterdir()}
    assert {path.name for path in folder.iterdir()} == {f"{one}.{tag.tag}.png" for one in shown for tag in LANGUAGES}
    everything = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("docs/**/*.md"))
    for path in folder.iterdir():
        assert path.stat().st_size < 150_000, path.name
        assert f"pictures/{path.name})" in everything, path.name
