"""A hundred thousand commands in the Session view: they scroll like ten, are found and drawn, served or in a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.studio.app import create
from harness.studio.context import Studio
from harness.studio.session import page as pages
from harness.studio.session import router
from harness.studio.session.sessions import Sessions
from harness.studio.settings import Settings
from harness.web import app as web
from tests.kit import browsers
from tests.unit.harness.studio.session.sessions import tables

pytestmark = pytest.mark.timeout(600)  # a hundred thousand rows are judged first

COUNT = 100_000
FEW = 1000
TIMES = 2.5
"""How much longer a frame may take than with few rows, on a machine that does other things at the same time."""
OPENED = 15.0
"""Seconds until a file of some ten megabytes shows its first row, the browser's own start of a page among them."""
SOON = 3000.0
"""Milliseconds until what was scrolled to is there, or was found."""
SCROLLED = """async (steps) => {
  const box = document.querySelector(".rows");
  const took = [];
  let last = performance.now();
  for (let step = 0; step <= steps; step++) {
    box.scrollTop = ((box.scrollHeight - box.clientHeight) * step) / steps;
    await new Promise(requestAnimationFrame);
    took.push(performance.now() - last);
    last = performance.now();
  }
  return took.sort((one, other) => one - other)[Math.floor(took.length * 0.95)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.chromium() as one:
        yield one


def told(count: int) -> Sessions:
    sessions, events, number = Sessions(), tables(), 0
    while number < count:
        for table in events[: count - number]:
            number += 1
            sessions.hear({**table, "t": number / 1000, "n": number})
    return sessions


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return told(COUNT)


@pytest.fixture(scope="module")
def few() -> Sessions:
    return told(FEW)


def frame(page: Page, count: int) -> float:
    """Milliseconds that nearly every frame takes at most while one scrolls through all rows."""
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(count))
    took: float = page.evaluate(SCROLLED, 100)
    return took


def is_usable(page: Page) -> None:
    """With a hundred thousand rows scrolled to their end."""
    rows = page.get_by_role("grid")
    expect(page.locator(f"#row-{COUNT}")).to_be_visible(timeout=SOON)
    assert page.locator(".line").count() < 100, "only what is seen is in the page"
    rows.focus()
    page.keyboard.press("Home")
    expect(page.locator("#row-1")).to_be_visible(timeout=SOON)
    page.locator(".rows").evaluate("(box) => { box.scrollTop = box.scrollHeight / 2; }")
    expect(page.locator(f"#row-{COUNT // 2 + 3}")).to_be_visible(timeout=SOON)
    page.get_by_label("Find", exact=True).fill("no row has this")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Not found.")).to_be_visible(timeout=SOON)
    page.get_by_label("Status word").fill("6Cxx")
    expect(rows.get_by_role("row").first).to_contain_text("wrong Le", timeout=SOON)
    assert page.locator(".bar-of").count() > 100, "the time line is counted"


def test_they_scroll_as_the_server_tells_them(browser: Browser, sessions: Sessions, few: Sessions) -> None:
    hub = Studio(Settings()).hub
    with (
        web.background(create(hub, {"session": router.router(few)})) as one,
        web.background(create(hub, {"session": router.router(sessions)})) as other,
        browsers.opened(browser, f"{one}/#/session") as small,
        browsers.opened(browser, f"{other}/#/session") as large,
    ):
        frames = [(frame(small, FEW), frame(large, COUNT)) for _ in range(3)]
        assert min(large / small for small, large in frames) < TIMES, frames
        is_usable(large)


def test_they_scroll_in_a_file_that_opens_at_once(
    browser: Browser, sessions: Sessions, few: Sessions, tmp_path: Path
) -> None:
    for one, name in ((few, "few.html"), (sessions, "session.html")):
        text = pages.page(one.live.rows(), one.live.summary())
        assert len(text) < 30_000_000
        (tmp_path / name).write_text(text, encoding="utf-8")
    began = time.monotonic()
    with browsers.opened(browser, (tmp_path / "session.html").as_uri()) as large:
        expect(large.locator("#row-1")).to_be_visible()
        assert time.monotonic() - began < OPENED
        with browsers.opened(browser, (tmp_path / "few.html").as_uri()) as small:
            frames = [(frame(small, FEW), frame(large, COUNT)) for _ in range(3)]
        assert min(large / small for small, large in frames) < TIMES, frames
        is_usable(large)
