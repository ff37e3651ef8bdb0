"""Verdicts on the page: vectors on the card in a slot, their map and one case; a typo; a long run cancelled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit import browsers

pytestmark = pytest.mark.pcsc
HOSTILE = "<img src=x onerror=alert(1)> \u202e1"
PATIENCE = 60_000
"""Milliseconds that a run may take."""


def test_runs_are_begun_watched_cancelled_and_looked_at(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSCARD_STATE", str(tmp_path))
    program = ("--program", "patient=sleep 600")
    with (
        browsers.studio("--persona", "adult-chengdu", *program) as (_served, url),
        browsers.opened(browser, f"{url}/#/verdicts", refused="/api/verdicts/runs") as page,
    ):
        begin, running = page.get_by_role("button", name="Begin"), page.locator(".running li")
        history = page.get_by_role("region", name="History").get_by_role("row")

        # A program that never ends, in every situation, and a typo beside it.
        page.get_by_label("Proving").check()
        page.get_by_label("Program", exact=True).select_option("patient")
        page.get_by_label("It calls SSCardDriver alone").check()
        begin.click()
        expect(running).to_contain_text("patient")
        page.get_by_label("Sweep").check()
        page.get_by_label("Program", exact=True).select_option("patient")
        wrong = page.get_by_label("A run that works prints")
        wrong.fill("(")
        begin.click()
        expect(page.get_by_role("alert")).to_contain_text("not a regular expression")
        expect(wrong).to_have_attribute("aria-invalid", "true")

        # Some vectors on the card in the slot, through PC/SC.
        page.get_by_label("Vectors", exact=True).check()
        page.get_by_label("On what").select_option("0")
        page.get_by_label("Whose card it is").select_option("adult-chengdu")
        page.get_by_label("Items of the standard").select_option(["VERIFY", "RESET"])
        page.get_by_label("Product and version").fill(HOSTILE)
        begin.click()
        expect(history.filter(has_text="slot 0")).to_contain_text("passed", timeout=PATIENCE)

        # What went over so, judged as a terminal's session.
        page.get_by_label("Session", exact=True).check()
        begin.click()
        judged = history.filter(has_text="Session")
        expect(judged).to_contain_text("conform", timeout=PATIENCE)

        # The one that never ends.
        running.get_by_role("button", name="Cancel").click()
        cancelled = history.filter(has_text="patient")
        expect(cancelled).to_contain_text("not judged", timeout=PATIENCE)
        expect(cancelled).to_contain_text("cancelled")
        expect(running).to_have_count(0)

        # The map, by keyboard; a case with its exchanges.
        history.filter(has_text="slot 0").get_by_role("button", name="Vectors").click()
        cells = page.locator(".heat .cell")
        first = cells.and_(page.locator("[tabindex='0']"))
        first.focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator(".heat td:has(:focus)")).to_have_attribute("data-row", "1")
        page.get_by_role("searchbox").fill("VERIFY-LC")
        page.get_by_role("button", name="VERIFY-LC", exact=True).click()
        case = page.get_by_role("region", name=re.compile("VERIFY-LC"))
        expect(case.locator(".exchanges")).to_contain_text("VERIFY")
        case.locator(".steps").get_by_role("button").nth(1).click()
        expect(case.locator(".exchanges li.chosen").first).to_contain_text("step 2")
        expect(page.get_by_role("link", name="report.html")).to_be_visible()
        page.get_by_text("About this run").click()
        expect(page.get_by_text("<img src=x onerror=alert(1)> \\u202e1")).to_be_visible()

        # All of it is there after a reload; what was run is deleted.
        page.reload()
        expect(case.locator(".exchanges")).to_contain_text("VERIFY")
        page.get_by_role("button", name="All runs").click()
        cancelled.get_by_role("button", name="Delete").click()
        expect(cancelled).to_have_count(0)
    assert len([*(tmp_path / "studio" / "runs").iterdir()]) == 2
