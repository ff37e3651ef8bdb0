"""The documentation's site as people read it: made anew, opened from disk in a real browser, no other machine asked."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from scripts.site.build import LANGUAGES, ROOT, Language, bilingual, build, pages
from tests.deep.test_studio_looks import serious
from tests.kit import browsers

ELEMENTS = ("li", "ol", "ul", "table", "pre", "h1", "h2", "h3", "code", "strong", "em")
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link(?! rel="(?:next|prev)))\b[^>]*(?:src|href)=["'](?:https?:)?//"""
)
WIDTHS = (1280, 400)
SHOWN = ("index", "overview", "authentication", "api", "recipes", "reference/rules", "tutorial/pcsc", "studio/session")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    assert build(out) == ""
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.chromium() as one:
        yield one


def searched(page: Page, word: str) -> list[str]:
    """Titles of what the search finds; the last key is let go, as by whoever types it."""
    field = page.locator(".md-search__input")
    field.click()
    field.fill(word)
    page.keyboard.press("End")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    return [title.replace("\u200b", "") for title in page.locator(".md-search-result__item h1").all_inner_texts()]


@pytest.mark.parametrize(
    ("folder", "word", "title"),
    [
        ("en", "anti-collision", "Readers"),
        ("en", "复位应答", "Glossary"),
        ("zh", "防拔", "存储"),
        ("zh", "vsmartcard", "sscard"),
    ],
)
def test_the_search_finds_words_of_both_languages_without_a_server(
    browser: Browser, site: Path, folder: str, word: str, title: str
) -> None:
    with browsers.opened(browser, (site / folder / "index.html").as_uri()) as page:
        assert any(title in found for found in searched(page, word))


def test_the_switch_leads_to_the_same_page_of_the_other_language_and_back(browser: Browser, site: Path) -> None:
    with browsers.opened(browser, (site / "en/studio/session.html").as_uri()) as page:
        page.get_by_role("link", name="中文").click()
        expect(page).to_have_url((site / "zh/studio/session.html").as_uri())
        page.get_by_role("link", name="English").click()
        expect(page).to_have_url((site / "en/studio/session.html").as_uri())


@pytest.mark.parametrize(("language", "folder"), [("en", "en"), ("zh-CN", "zh"), ("fr", "en")])
def test_the_first_page_is_in_the_language_of_the_browser(
    browser: Browser, site: Path, language: str, folder: str
) -> None:
    with browsers.opened(browser, (site / "index.html").as_uri(), language=language) as page:
        expect(page).to_have_url((site / folder / "index.html").as_uri())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("folder", [one.folder for one in LANGUAGES])
def test_pages_can_be_seen_and_used_by_everybody_and_ask_nobody(
    browser: Browser, site: Path, folder: str, theme: browsers.Theme, width: int
) -> None:
    with browsers.opened(browser, "about:blank", theme=theme, width=width) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for name in SHOWN:
            page.goto((site / folder / f"{name}.html").as_uri())
            expect(page.locator("article h1").first).to_be_visible()
            assert serious(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls sideways"
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


def test_no_page_names_anything_elsewhere_to_be_loaded(site: Path) -> None:
    files = list(site.rglob("*.html"))
    assert len(files) > 120
    assert {str(file): LOADED.findall(file.read_text(encoding="utf-8")) for file in files} == {
        str(one): [] for one in files
    }
    for file in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", file.read_text(encoding="utf-8")), file


def counted(html: str) -> dict[str, int]:
    return {name: len(re.findall(rf"<{name}[ >]", html)) for name in ELEMENTS}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.folder)
def test_lists_tables_and_code_are_what_another_reader_of_markdown_makes_of_them(
    site: Path, language: Language
) -> None:
    """CommonMark by markdown-it, of the sources as a forge shows them."""
    other = MarkdownIt("commonmark").enable("table")
    wrong = {}
    for place, source in pages().items():
        shown = language.source(source)
        page = (site / language.folder / place).with_suffix(".html").read_text(encoding="utf-8")
        article = re.search("<article.*?</article>", page, re.DOTALL)
        assert article, place
        ours = re.sub(r'<div class="(?:language|highlight).*?</div>', "<pre><code>", article[0], flags=re.DOTALL)
        made, expected = counted(ours), counted(other.render(shown.read_text(encoding="utf-8")))
        if made != expected:
            wrong[place] = {name: (expected[name], made[name]) for name in ELEMENTS if made[name] != expected[name]}
    assert not wrong


def test_a_page_in_english_alone_says_so(site: Path) -> None:
    alone = [place for place, page in pages().items() if LANGUAGES[1].source(page) == page and not bilingual(page)]
    assert alone
    for place in alone:
        assert "本页只有英文" in (site / "zh" / place).with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.parametrize("link", ["no.md", "readers.md#no-such-heading", "../no/file.toml"])
def test_a_broken_link_fails_the_build(tmp_path: Path, link: str) -> None:
    for one in ROOT.iterdir():
        if one.name in ("docs", "examples"):
            shutil.copytree(one, tmp_path / one.name)
        elif not one.name.startswith("."):
            (tmp_path / one.name).symlink_to(one)
    page = tmp_path / "docs/studio.md"
    page.write_text(page.read_text(encoding="utf-8") + f"\n[broken]({link})\n", encoding="utf-8")
    told = build(tmp_path / "out", tmp_path)
    assert link.partition("#")[2 if "#" in link else 0].rpartition("/")[2] in told
