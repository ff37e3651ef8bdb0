"""The test page of `sscard driver serve --web` in a real browser."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import native
from tests.e2e.test_driver_docs import PAGES, example
from tests.kit.browsers import chromium, opened
from tests.kit.examples import COUNTER, PADS

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


@contextmanager
def elsewhere(folder: Path, port: int = 0) -> Iterator[str]:
    """The origin of a server of that folder's pages; ``port`` 0 is a free one."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def browser_of(page: Page) -> Browser:
    browser = page.context.browser
    assert browser is not None
    return browser


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_the_docs(name: str, page: Page, tmp_path: Path) -> None:
    (tmp_path / "counter.html").write_text(f"<!doctype html><meta charset=utf-8>{example(name, 'html')}", "utf-8")
    command = example(name, "sh", "--web").split()
    with (
        elsewhere(tmp_path, 8000) as origin,
        native.serving(*command[3:], "--socket", f"{tmp_path}/s"),
        opened(browser_of(page), f"{origin}/counter.html", refused="favicon") as tab,
    ):
        expect(tab.locator("#name")).to_have_text("测试甲")


@pytest.mark.parametrize(
    ("persona", "pad", "told"),
    [
        ("pin-changed", PADS["pin-changed"], ("测试改", "verified 已验证", "四川省成都市虚构区测试路1号", "")),
        ("rare-name", PADS["rare-name"], ("测试䶮", "changed 已修改", "四川省成都市虚构区测试路1号", "")),
        ("pin-changed", "111111", ("测试改", "", "", "iVerifyPIN: -51 密码错误，剩余2次 PIN wrong, 2 tries left")),
    ],
    ids=["own PIN", "initial PIN", "wrong PIN"],
)
def test_the_page_of_the_examples(persona: str, pad: str, told: tuple[str, ...], page: Page, tmp_path: Path) -> None:
    with elsewhere(COUNTER) as origin:
        given = ("--persona", persona, "--psam", "--pad", pad, "--web", "0", "--origin", origin)
        with native.serving(*given, "--socket", f"{tmp_path}/s") as (_, (url, _place)):
            address = f"{origin}/read_card.html?{url.replace('http', 'ws')}"
            with opened(browser_of(page), address, refused="favicon") as tab:
                tab.locator("#read:enabled").click()
                for place, text in zip(("name", "pin", "address", "problem"), told, strict=True):
                    expect(tab.locator(f"#{place}")).to_have_text(text)
