"""The test page of `sscard driver serve --web` in a real browser."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import native
from tests.e2e.test_driver_docs import PAGES, example
from tests.kit.browsers import chromium, opened

PICTURES = os.environ.get("SSCARD_SCREENSHOTS")
"""A folder for pictures of what was tried; none are made without."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    serving = native.serving(*native.CARD, "--no-socket", "--tcp", "0", "--web", "0")
    with serving as (_, (url, _)), chromium() as browser, opened(browser, f"{url}/test", refused="favicon") as tab:
        expect(tab.locator("#state")).to_have_attribute("data-open", "yes")
        yield tab


def test_it_reads_the_card(page: Page) -> None:
    page.locator("#basic").click()
    expect(page.locator("#name")).to_have_text("测试甲")
    expect(page.locator("#number")).to_have_text("A00000011")
    if PICTURES:
        page.screenshot(path=Path(PICTURES, "driver.png"))


def test_it_asks_for_the_pin_and_logs_none(page: Page) -> None:
    page.locator("#entries").fill("135790")
    page.locator("#verify").click()
    expect(page.locator("#log")).to_contain_text("-51")
    expect(page.locator("#log")).to_contain_text("密码错误，剩余2次")
    expect(page.locator("#log")).not_to_contain_text("135790")


def test_it_reads_items(page: Page) -> None:
    page.locator("#read").click()
    expect(page.locator("#log")).to_contain_text("SSSEEF05|20300914|A00000011|$")


def test_nothing_went_elsewhere(page: Page) -> None:
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter((one) => !one.name.startsWith(origin)).length")
        == 0
    )


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_the_docs(name: str, page: Page, tmp_path: Path) -> None:
    (tmp_path / "counter.html").write_text(f"<!doctype html><meta charset=utf-8>{example(name, 'html')}", "utf-8")
    folder = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    command = example(name, "sh", "--web").split()
    with ThreadingHTTPServer(("127.0.0.1", 8000), folder) as elsewhere:
        thread = threading.Thread(target=elsewhere.serve_forever)
        thread.start()
        try:
            browser = page.context.browser
            assert browser is not None
            with (
                native.serving(*command[3:], "--socket", f"{tmp_path}/s"),
                opened(browser, "http://127.0.0.1:8000/counter.html", refused="favicon") as tab,
            ):
                expect(tab.locator("#name")).to_have_text("测试甲")
        finally:
            elsewhere.shutdown()
            thread.join()
