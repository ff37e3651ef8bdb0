"""The page itself: its parts, its two languages, its colours, and what it says when its server is gone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.kit import browsers

pytestmark = pytest.mark.pcsc


def test_the_page_has_its_parts_in_two_languages_and_says_when_its_server_is_gone(browser: Browser) -> None:
    with browsers.studio() as (served, url), browsers.opened(browser, url, refused="ERR_CONNECTION") as page:
        parts = page.get_by_role("navigation").get_by_role("link")
        expect(parts).to_have_text(["Readers", "Session", "Card", "Verdicts", "Office"])
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.get_by_role("button", name="中文").click()
        expect(parts).to_have_text(["读卡器", "会话", "卡片", "判定", "经办"])
        for name in ("会话", "卡片", "判定", "经办", "读卡器"):
            page.get_by_role("link", name=name).click()
            expect(page).to_have_title(f"{name} · sscard")
        page.get_by_role("button", name="配色：随系统").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        expect(page.get_by_role("heading", name="读卡器", exact=True)).to_be_visible()
        assert served.end() == 0
        expect(page.get_by_role("alert")).to_contain_text("页面的服务已断开")
