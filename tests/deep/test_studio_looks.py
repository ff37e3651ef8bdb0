"""Every part of the live page as people see it: both languages, light and dark, wide and narrow; axe-core finds nothing
serious, nothing is cut off at the side, and no console tells of an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit import browsers

pytestmark = pytest.mark.pcsc

AXE = Path(__file__).parents[2] / "build/node/node_modules/axe-core/axe.min.js"
PARTS = ("readers", "session", "card", "card?against=slot:1", "verdicts", "office")
WIDTHS = {"wide": 1280, "narrow": 400}
PICTURES = os.environ.get("SSCARD_SCREENSHOTS")
"""A folder for pictures of what was tried; none are made without."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.chromium() as one:
        yield one


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The page of a run with two cards, one of which has been used."""
    with browsers.studio("--persona", "adult-chengdu", "--persona", "pin-locked", "--demo", cards=2) as (_, address):
        yield address


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people out, or nearly. It fetches no style sheet a second time, which a browser
    refuses a page on disk.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ preload: false }).then((told) => told.violations)")
    return [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:5]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_can_be_seen_and_used_by_everybody(
    browser: Browser, url: str, part: str, language: str, theme: browsers.Theme, width: str
) -> None:
    wide = WIDTHS[width]
    with browsers.opened(browser, f"{url}/#/{part}", language=language, theme=theme, width=wide) as page:
        page.wait_for_selector("main h1")
        expect(page.locator("main .wait")).to_have_count(0)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, "it does not scroll sideways"
        if PICTURES:
            page.screenshot(path=Path(PICTURES, f"{part}-{language}-{theme}-{width}.png"), full_page=True)


@pytest.fixture(scope="module")
def run(browser: Browser, url: str) -> str:
    """The page of a run of some vectors, on two kinds of card, with one case opened."""
    with browsers.opened(browser, f"{url}/#/verdicts") as page:
        page.get_by_label("Kinds of card").select_option(["3.00-3des", "3.00-sm4"])
        page.get_by_label("Items of the standard").select_option(["VERIFY", "RESET"])
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("cell").get_by_role("button", name="Vectors").click(timeout=120_000)
        page.locator(".heat .cell").first.click()
        page.get_by_role("button", name="VERIFY-LC").first.click()
        expect(page.locator(".case .exchanges li").first).to_be_visible()
        return page.url


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_run_with_its_map_and_a_case_can_be_seen_and_used_by_everybody(
    browser: Browser, run: str, language: str, theme: browsers.Theme, width: str
) -> None:
    wide = WIDTHS[width]
    with browsers.opened(browser, run, language=language, theme=theme, width=wide) as page:
        page.locator(".case .steps button").first.click()
        expect(page.locator(".heat .cell").first).to_be_visible()
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, "it does not scroll sideways"
        if PICTURES:
            page.screenshot(path=Path(PICTURES, f"run-{language}-{theme}-{width}.png"), full_page=True)
