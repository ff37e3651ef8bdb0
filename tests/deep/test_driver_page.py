"""The test page of `sscard driver serve --web` in a real browser."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import native
from tests.deep.browser import Page, chromium
from tests.e2e.test_driver_docs import PAGES, example

PICTURES = os.environ.get("SSCARD_SCREENSHOTS")
"""A folder for pictures of what was tried; none are made without."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with native.serving(*native.CARD, "--no-socket", "--tcp", "0", "--web", "0") as (_, (url, _)), chromium() as tab:
        tab.open(f"{url}/test")
        tab.until("document.getElementById('state').dataset.open === 'yes'")
        yield tab


def test_it_reads_the_card(page: Page) -> None:
    page.run("document.getElementById('basic').click()")
    page.until("document.getElementById('name')")
    assert page.run("document.getElementById('name').textContent") == "测试甲"
    assert page.run("document.getElementById('number').textContent") == "A00000011"
    if PICTURES:
        page.screenshot(Path(PICTURES, "driver.png"))


def test_it_asks_for_the_pin_and_logs_none(page: Page) -> None:
    page.run("document.getElementById('entries').value = '135790'; document.getElementById('verify').click()")
    page.until("document.getElementById('log').textContent.includes('-51')")
    log = page.run("document.getElementById('log').textContent")
    assert "密码错误，剩余2次" in log
    assert "135790" not in log


def test_it_reads_items(page: Page) -> None:
    page.run("document.getElementById('read').click()")
    page.until("document.getElementById('log').textContent.includes('SSSEEF05|20300914|A00000011|$')")


@pytest.mark.parametrize("name", PAGES)
def test_the_example_of_the_docs(name: str, page: Page, tmp_path: Path) -> None:
    del page  # its server has another port
    (tmp_path / "counter.html").write_text(f"<!doctype html><meta charset=utf-8>{example(name, 'html')}", "utf-8")
    folder = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    command = example(name, "sh", "--web").split()
    with ThreadingHTTPServer(("127.0.0.1", 8000), folder) as elsewhere:
        thread = threading.Thread(target=elsewhere.serve_forever)
        thread.start()
        try:
            with native.serving(*command[3:], "--socket", f"{tmp_path}/s"), chromium() as tab:
                tab.open("http://127.0.0.1:8000/counter.html")
                tab.until("document.getElementById('name').textContent === '测试甲'")
        finally:
            elsewhere.shutdown()
            thread.join()


def test_nothing_went_elsewhere(page: Page) -> None:
    assert (
        page.run("performance.getEntriesByType('resource').filter((one) => !one.name.startsWith(origin)).length") == 0
    )
