"""A report's page in a real browser: what is filtered, unfolded and printed; its own policy lets its own script run."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.kit import browsers
from tests.unit.harness.cli.test_cli import run
from tests.unit.harness.verdicts.test_page import HOSTILE, VECTORS


@pytest.fixture
def address(tmp_path: Path) -> str:
    (tmp_path / "mine.yaml").write_text(VECTORS, encoding="utf-8")
    folder = tmp_path / "report"
    arguments = ("--profile", "3.00-sm4", "--product", HOSTILE, "--report", str(folder))
    run("vectors", "run", str(tmp_path / "mine.yaml"), *arguments, expect=1)
    return (folder / "report.html").as_uri()


def test_a_report_is_filtered_unfolded_and_printed(address: str) -> None:
    with browsers.chromium() as browser, browsers.opened(browser, address) as page:
        rows = page.locator(".cases > tbody > tr:visible")
        expect(rows).to_have_count(3)
        told = page.locator("#filter output")
        expect(told).to_have_text("3 / 3")
        page.get_by_label("通过 passed", exact=False).last.uncheck()
        expect(rows).to_have_count(2)
        page.get_by_label("筛选 filter").fill("mine-bad")
        expect(told).to_have_text("1 / 3")
        expect(rows).to_contain_text("MINE-BAD")
        page.get_by_label("筛选 filter").fill("nothing is called so")
        expect(told).to_have_text("0 / 3")
        expect(page.locator(".profile:visible")).to_have_count(0)

        page.goto(f"{address}#f1")
        expect(page.locator("#f1")).to_be_visible()
        page.reload()
        trace = page.locator(".cases pre").first
        expect(trace, "folded until it is asked for").to_be_hidden()
        page.locator(".cases summary").first.click()
        expect(trace).to_be_visible()
        page.locator(".cases summary").first.click()
        page.emulate_media(media="print")
        expect(page.locator("#filter")).to_be_hidden()
        expect(trace, "what was folded is printed").to_be_visible()
        assert page.evaluate("document.title").startswith("不符合 Does not conform: <script>")
