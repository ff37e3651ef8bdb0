"""The Session view beside a real reader: commands as they come, the card as it was, recordings beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit import browsers
from tests.kit.served import Served, ended
from tests.unit.harness.studio.session.sessions import HOSTILE, as_trace, every_kind

pytestmark = pytest.mark.pcsc


def socket_of(served: Served) -> dict[str, str]:
    """What lets a PC/SC program find the private readers."""
    name, __, value = next(line for line in served.seen if line.startswith("PCSCLITE_CSOCK_NAME")).partition("=")
    return {name: value}


def drop(page: Page, name: str, content: bytes) -> None:
    """Lets a file fall on the view, as a user does."""
    page.locator(".drop-zone").evaluate(
        """(zone, [name, text]) => {
          const held = new DataTransfer();
          held.items.add(new File([text], name));
          zone.dispatchEvent(new DragEvent("dragover", { dataTransfer: held, bubbles: true }));
          zone.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true }));
        }""",
        [name, content.decode()],
    )


def test_a_session_is_followed_held_filtered_travelled_and_kept(browser: Browser, tmp_path: Path) -> None:
    refused = r"status of 422 .*/api/session/open"
    with (
        browsers.studio("--slots", "2") as (served, url),
        browsers.opened(browser, f"{url}/#/session", refused=refused) as page,
    ):
        reader, environment = served.readers[0], socket_of(served)
        rows, chosen = page.get_by_role("grid"), page.get_by_role("region", name="The chosen row")

        # Commands come as a terminal sends them, in words.
        ended("terminal", "read", "SSSEEF06|09|$", "--reader", reader, environment=environment)
        name = rows.get_by_role("row").filter(has_text="READ RECORD SSSE/EF06/09").filter(has_text="9000")
        expect(name).to_be_visible()
        before = rows.get_by_role("row").filter(has_text="SELECT SSSE").first
        before.click()
        page.get_by_role("button", name="Mark to compare").click()
        name.click()
        expect(chosen).to_contain_text("SSSE/EF06/09 name")
        expect(chosen).to_contain_text("masked")

        # The card as it was; two moments of it; a branch in the free slot.
        page.get_by_role("button", name="The card as it was").click()
        expect(page.get_by_role("tree")).to_contain_text("social security environment")
        page.get_by_role("button", name="Branch into slot").click()
        expect(page.get_by_role("log")).to_contain_text("is in slot 1")
        page.get_by_role("button", name="Mark to compare").click()
        page.get_by_role("button", name="Compare two moments").click()
        expect(page).to_have_url(re.compile(r"/#/card\?.*against="))
        expect(page.locator("main")).to_contain_text("right")
        page.go_back()

        # What comes while the view is held is counted, and shown afterwards.
        expect(name).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        go_on = page.get_by_role("button", name="new)")
        expect(go_on).to_be_visible()
        shown = str(rows.get_attribute("aria-rowcount"))
        ended("terminal", "read", "SSSEEF06|08|$", "--reader", reader, environment=environment)
        expect(go_on).not_to_have_text("Go on (0 new)")
        expect(rows).to_have_attribute("aria-rowcount", shown)
        go_on.click()
        page.get_by_role("button", name="Follow").click()
        expect(rows.get_by_role("row").filter(has_text="SSSE/EF06/08").first).to_be_visible()
        page.get_by_label("Status word").fill("6Cxx")
        expect(rows.get_by_role("row").filter(has_text="9000")).to_have_count(0)
        expect(rows.get_by_role("row").filter(has_text="wrong Le").first).to_be_visible()

        # A recording beside it; one that is none is refused with its line.
        page.get_by_role("button", name="Clear filter").click()
        drop(page, "bad.jsonl", b'{"v": 3}\n')
        expect(page.get_by_role("alert")).to_contain_text("bad.jsonl: line 1")
        drop(page, f"{HOSTILE[:12]}.jsonl", as_trace(every_kind()))
        expect(rows).to_have_attribute("aria-rowcount", str(len(every_kind())))
        rows.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowDown")
        expect(chosen).to_contain_text(r"onerror=alert(1)>\u202e\x1b[31m")
        page.get_by_role("combobox", name="Session").select_option("Live")

        # The session goes home as a trace that the other commands read, and as a page.
        with page.expect_download() as told:
            page.get_by_role("link", name="Save as trace").click()
        trace = tmp_path / "kept.jsonl"
        told.value.save_as(trace)
        assert {json.loads(line)["event"] for line in trace.read_text().splitlines()} >= {"reset", "apdu"}
        assert "SSSE/EF06/09 姓名 name" in ended("trace", "show", str(trace))
        with page.expect_download() as told:
            page.get_by_role("link", name="Save as page").click()
        assert "<!doctype html>" in Path(told.value.path()).read_text(encoding="utf-8")
