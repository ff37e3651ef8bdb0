"""A session as one file, opened from a folder in a real browser, without any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from harness.studio.session import page as pages
from harness.studio.session.filters import Filter
from harness.studio.session.store import Session
from harness.studio.session.timeline import timeline
from tests.kit import browsers
from tests.unit.harness.studio.session.sessions import HOSTILE, every_kind, session, tables

FILTERS: list[dict[str, Any]] = [
    {}, {"sw": "6Cxx"}, {"instruction": "VERIFY"}, {"text": "姓名"}, {"text": "Name", "sw": "9000"}, {"slots": [0]},
    {"change": "right"}, {"findings": True}, {"text": "00 b2 09 30"}, {"kinds": ["reset", "off"]}, {"lanes": ["psam"]},
    {"levels": ["warning"]}, {"text": "nothing has this"}, {"text": "pin-initial"},
]  # fmt: skip
ASKED = """async (filters) => {
  const source = globalThis.sscardSession;
  const whole = { slots: [], lanes: [], kinds: [], levels: [], instruction: "", sw: "", change: "", text: "", findings: false };
  const told = [];
  for (const one of filters) {
    const filter = { ...whole, ...one };
    const rows = (await source.window(filter, 0, 10000)).rows.map((row) => row.n);
    const last = await source.search(filter, "read", 3, true);
    told.push({ rows, last, line: await source.timeline(filter, null, null, 12), at: await source.position(filter, 20) });
  }
  return told;
}"""  # noqa: E501


def as_filter(told: dict[str, Any]) -> Filter:
    values: dict[str, Any] = {name: frozenset(one) if isinstance(one, list) else one for name, one in told.items()}
    return Filter(**values)


def asked(one: Session, told: dict[str, Any]) -> dict[str, Any]:
    """The same as ``ASKED``, of the server's rows."""
    meant = as_filter(told)
    last = one.search(meant, "read", 3, back=True)
    return {
        "rows": [row.number for row in one.window(meant, 0, 10_000).rows],
        "last": {"position": last.position, "n": last.row.number} if last else None,
        "line": timeline(one, meant, None, None, 12),
        "at": one.position(meant, 20),
    }


def rounded(told: Any) -> Any:
    """JSON of it, times to a microsecond, as pages have them."""
    return json.loads(json.dumps(told), parse_float=lambda text: round(float(text), 6))


def written(folder: Path, one: Session) -> str:
    path = folder / "session.html"
    path.write_text(pages.page(one.rows(), one.summary()), encoding="utf-8")
    return path.as_uri()


def test_a_session_in_a_file_is_read_filtered_searched_and_printed(browser: Browser, tmp_path: Path) -> None:
    one = session(tables() * 7)
    with browsers.opened(browser, written(tmp_path, one)) as page:
        told = page.evaluate(ASKED, FILTERS)
        for filters, answer in zip(FILTERS, told, strict=True):
            assert rounded(answer) == rounded(asked(one, filters)), filters

        rows, detail = page.get_by_role("grid"), page.get_by_role("region", name="The chosen row")
        expect(rows).to_have_attribute("aria-rowcount", str(one.total))
        page.get_by_label("Find", exact=True).fill("SSSE/EF06/09")
        page.get_by_role("button", name="Next").click()
        expect(detail).to_contain_text("6C20")
        rows.focus()
        page.keyboard.press("ArrowDown")
        expect(detail).to_contain_text("masked")
        page.keyboard.press("End")
        expect(page.get_by_role("row", selected=True)).to_contain_text("power off")
        page.get_by_label("Status word").fill("9000")
        page.get_by_label("Only with findings").check()
        expect(rows).to_have_attribute("aria-rowcount", str(len(asked(one, {"sw": "9000", "findings": True})["rows"])))
        page.locator("summary").click()
        page.get_by_role("button", name="line 9", exact=True).click()
        expect(page.get_by_role("row", selected=True)).to_contain_text("PIN-ASKED")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("row", selected=True)).to_contain_text("验证密码")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#printed tbody tr").count() == len(asked(one, {"sw": "9000", "findings": True})["rows"])


def test_hostile_text_stays_text_on_the_page(browser: Browser, tmp_path: Path) -> None:
    one = session(every_kind(), HOSTILE)
    with browsers.opened(browser, written(tmp_path, one)) as page:
        shown = r"</script><img src=x onerror=alert(1)>\u202e\x1b[31m"
        expect(page.get_by_role("heading", level=1)).to_contain_text(shown)
        for line in range(1, one.total + 1):
            page.locator(f"#row-{line}").click()
            expect(page.get_by_role("row", selected=True)).to_have_attribute("aria-rowindex", str(line))
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("img[src=x]").count() == 0
        assert "\u202e" not in page.locator("body").inner_text()
